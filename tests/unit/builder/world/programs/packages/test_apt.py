"""apt-get and dpkg: lists, archives, installing and removing."""

from __future__ import annotations

from builder.world.supplies.internet import NO_INTERNET


def sizes(here, *paths):
    """What du would say of each path, in bytes of files."""
    return [int(here.run(f"find {path} -type f | xargs cat 2>/dev/null | wc -c")[1]) for path in paths]


def test_install_before_update_locates_nothing(machine):
    status, output = machine("debian:12-slim").run("apt-get install -y curl")

    assert status == 100
    assert output.endswith(
        "E: Unable to locate package curl\n"
        "N: no list of packages is in this image: apt-get update fetches them\n"
    )


def test_an_unknown_package_is_told_apart_from_missing_lists_by_what_there_is(machine):
    _, output = machine("debian:12-slim").run("apt-get update -qq && apt-get install -y nginxx")

    assert "E: Unable to locate package nginxx\nN: the simulated repositories hold " in output
    assert output.endswith("packages; like it: nginx\n")


def test_the_advice_for_missing_lists_helps(machine):
    here = machine("debian:12-slim")

    here.run("apt-get update && apt-get install -y curl")

    assert here.run("curl -s https://example.com/ | head -n 1") == (0, "<!doctype html>\n")


def test_install_needs_an_answer_or_yes(machine):
    status, output = machine("debian:12-slim").run("apt-get update -qq && apt-get install curl </dev/null")

    assert status == 1
    assert "Abort." in output


def test_lists_and_archives_weigh_until_they_are_removed(machine):
    here = machine("debian:12-slim")

    here.run("apt-get update && apt-get install -y --no-install-recommends gcc")
    lists, archives = sizes(here, "/var/lib/apt/lists", "/var/cache/apt/archives")
    here.run("apt-get clean && rm -rf /var/lib/apt/lists/*")

    assert lists > 150_000
    assert archives > 500_000
    assert sizes(here, "/var/lib/apt/lists", "/var/cache/apt/archives") == [0, 0]


def test_installed_programs_run_and_purged_ones_are_gone(machine):
    here = machine("debian:12-slim")
    here.run("apt-get update && apt-get install -y curl wget")
    assert here.run("curl -fsS https://example.com/ | head -n 1") == (0, "<!doctype html>\n")

    status, _ = here.run("apt-get purge -y --auto-remove curl")

    assert status == 0
    assert here.run("curl https://example.com/")[0] == 127
    assert here.run("dpkg -s curl")[0] == 1
    assert here.run("dpkg -s wget")[0] == 0
    assert here.run("dpkg -s libcurl4")[0] == 1


def test_dpkg_knows_files_and_owners(machine):
    here = machine("debian:12-slim")

    assert "/usr/bin/bash" in here.run("dpkg -L bash")[1]
    assert here.run("dpkg -S /usr/bin/sed")[1] == "sed: /usr/bin/sed\n"
    assert here.run("dpkg --print-architecture")[1] == "amd64\n"


def test_an_ordinary_user_may_not_install(machine):
    status, output = machine("debian:12-slim").run("apt-get update", uid=1000)

    assert status == 100
    assert "are you root?" in output


def test_without_a_network_update_warns_and_install_finds_nothing(machine):
    status, output = machine("debian:12-slim", internet=NO_INTERNET).run(
        "apt-get update; apt-get install -y curl"
    )

    assert status == 100
    assert "W: Some index files failed to download" in output


def test_what_nobody_asked_for_can_be_removed(machine):
    here = machine("debian:12-slim")
    here.run("apt-get update && apt-get install -y gcc && apt-mark auto gcc")

    here.run("apt-get autoremove -y")

    assert here.run("gcc --version")[0] == 127
    assert here.run("echo still here") == (0, "still here\n")
