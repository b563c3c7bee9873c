"""apk: what it installs, keeps, removes and refuses."""

from __future__ import annotations

import pytest

from builder.world.supplies.internet import NO_INTERNET


def used(fs, top="/"):
    """Bytes of all regular files below ``top``."""
    import stat

    found = fs.lstat(top)
    if stat.S_ISDIR(found.st_mode):
        return sum(used(fs, f"{top.rstrip('/')}/{name}") for name in fs.listdir(top))
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def test_add_without_an_index_knows_no_package(machine):
    status, output = machine("alpine:3.19").run("apk add curl")

    assert status == 1
    assert "WARNING: opening from cache https://dl-cdn.alpinelinux.example/alpine/v3.19/main" in output
    assert (
        "ERROR: unable to select packages:\n  curl (no such package):\n    required by: world[curl]" in output
    )


def test_an_unknown_package_is_followed_by_what_to_do_or_what_there_is(machine):
    here = machine("alpine:3.19")

    _, without_an_index = here.run("apk add curl")
    _, with_one = here.run("apk add --no-cache curll")

    assert without_an_index.endswith(
        "apk: no list of packages is in this image: apk update fetches one, apk add --no-cache does without\n"
    )
    assert with_one.endswith("packages; like it: curl, libcurl, curl-dev\n")
    assert here.run("apk update -q && apk add -q curl && curl -s https://example.com/ | head -n 1") == (
        0,
        "<!doctype html>\n",
    )


@pytest.mark.parametrize(
    ("image", "install", "program"),
    [
        ("alpine:3.19", "apk add -q --no-cache", "git"),
        ("alpine:3.19", "apk add -q --no-cache", "tini"),
        ("debian:12-slim", "apt-get update -qq && apt-get install -y -qq", "git"),
        ("debian:12-slim", "apt-get update -qq && apt-get install -y -qq", "openssl"),
    ],
)
def test_a_package_brings_its_program_which_says_that_nothing_here_runs_it(machine, image, install, program):
    here = machine(image)

    installed = here.run(f"{install} {program} >/dev/null && ls /usr/bin/{program} /sbin/{program}")[1]
    status, output = here.run(f"{program} -x")

    assert f"bin/{program}\n" in installed
    assert status == 127
    assert output.endswith(f"{program}: not simulated: a real build can run it (--strategy rootless)\n")


def test_add_installs_what_is_needed_first(machine):
    here = machine("alpine:3.19")

    status, output = here.run("apk add --no-cache curl")

    assert status == 0
    assert output.index("Installing libcurl") < output.index("Installing curl (8.5.0-r0)")
    assert here.run("curl -s https://example.com/ | head -n 1") == (0, "<!doctype html>\n")
    assert here.run("apk info -e curl") == (0, "curl\n")


def test_an_update_leaves_the_index_in_the_layer_and_no_cache_does_not(machine):
    with_cache, without = machine("alpine:3.19"), machine("alpine:3.19")

    with_cache.run("apk update && apk add make")
    without.run("apk add --no-cache make")

    assert used(with_cache.fs, "/var/cache/apk") > 40_000
    assert used(without.fs, "/var/cache/apk") == 0
    assert with_cache.run("apk cache clean && ls /var/cache/apk")[1] == ""


def test_a_virtual_package_takes_its_packages_with_it(machine):
    here = machine("alpine:3.19")
    before = used(here.fs)
    here.run("apk add --no-cache --virtual .build-deps gcc make musl-dev")
    assert used(here.fs) > before + 1_000_000

    status, output = here.run("apk del .build-deps")

    assert status == 0
    assert "Purging gcc" in output
    assert used(here.fs) == before
    assert not here.fs.exists("/usr/bin/gcc")


def test_del_keeps_what_another_package_needs(machine):
    here = machine("alpine:3.19")
    here.run("apk add --no-cache curl openssl-dev")

    here.run("apk del openssl-dev")

    assert here.fs.exists("/lib/libcrypto.so.3")
    assert here.run("curl -s https://example.com/ >/dev/null; echo $?")[1] == "0\n"


def test_an_unknown_package_is_named(machine):
    status, output = machine("alpine:3.19").run("apk add --no-cache make no-such-thing")

    assert status == 1
    assert "no-such-thing (no such package)" in output


def test_without_a_network_nothing_is_fetched(machine):
    status, output = machine("alpine:3.19", internet=NO_INTERNET).run("apk update")

    assert status == 1
    assert "WARNING: fetching https://dl-cdn.alpinelinux.example/alpine/v3.19/main" in output


def test_another_host_may_be_chosen(machine):
    here = machine("alpine:3.19")
    here.run("sed -i 's/dl-cdn.alpinelinux.example/packages.example.org/g' /etc/apk/repositories")

    status, output = here.run("apk add --no-cache make")

    assert status == 0
    assert "fetch https://packages.example.org/alpine/v3.19/main" in output


def test_a_package_may_bring_a_user(machine):
    here = machine("alpine:3.19")

    here.run("apk add --no-cache nginx")

    assert here.run("grep -c ^nginx: /etc/passwd")[1] == "1\n"
    assert here.fs.stat("/var/lib/nginx").st_uid == 100


def test_adding_twice_changes_nothing(machine):
    here = machine("alpine:3.19")
    here.run("apk add --no-cache make")
    once = here.fs.read_bytes("/lib/apk/db/installed")

    here.run("apk add --no-cache make")

    assert here.fs.read_bytes("/lib/apk/db/installed") == once
