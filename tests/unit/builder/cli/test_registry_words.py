"""``layerlab pull``, ``push``, ``login``, ``logout`` and ``registry serve``, with a registry of their own."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from registry_served import host, served
from registry_stub import Reply, stub

from course.cli import cli

ROOT = Path(__file__).parents[4]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    with served(tmp_path / "registry") as server:
        yield host(server)


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.delenv("LAYERLAB_MIRRORS", raising=False)
    return tmp_path / "docker"


@pytest.fixture
def web(layerlab: Callable[..., Any], project: Callable[..., Path]) -> Path:
    path = project("FROM alpine\nCOPY motd /etc/motd\n", motd="hello\n")
    assert layerlab("build", "-q", "-t", "web", path).status == 0
    return path


def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another machine: from here on the store is empty."""
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "elsewhere"))


def example(*words: str) -> str:
    """The example that a word's --help shows."""
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    page = command.get_help(click.Context(command))
    (line,) = (line.strip() for line in page.splitlines() if line.startswith("    layerlab "))
    return line


def test_an_image_is_pushed_and_pulled_by_the_examples_of_the_help(
    layerlab, web, registry, tmp_path, monkeypatch
) -> None:
    pushed = layerlab(*example("push").replace("localhost:5000", registry).split()[1:], "--json")
    elsewhere(monkeypatch, tmp_path)
    pulled = layerlab(*example("pull").replace("localhost:5000", registry).split()[1:], "--json")

    assert (pushed.status, pulled.status) == (0, 0), pushed.err + pulled.err
    assert json.loads(pulled.out)["digest"] == json.loads(pushed.out)["digest"]
    assert registry in layerlab("images").out


def test_what_is_pushed_under_its_own_name_needs_no_second_one(layerlab, web, registry) -> None:
    layerlab("tag", "web", f"{registry}/web:2")

    said = layerlab("push", f"{registry}/web:2")

    assert said.status == 0
    assert said.out.startswith(f"Pushed {registry}/web:2: sha256:")


def test_quiet_prints_the_digest_alone(layerlab, web, registry) -> None:
    said = layerlab("push", "-q", "web", f"{registry}/web:1")

    assert said.out.startswith("sha256:") and len(said.out) == 72
    assert said.err == ""


def test_every_blob_has_a_line(layerlab, web, registry) -> None:
    said = layerlab("push", "web", f"{registry}/web:1")

    assert said.err.count(": sent, ") == 2


def test_a_mirror_answers_for_docker_io(layerlab, web, registry, tmp_path, monkeypatch) -> None:
    layerlab("push", "web", f"{registry}/library/nosuch:1")
    elsewhere(monkeypatch, tmp_path)

    by_option = layerlab("pull", "nosuch:1", "--mirror", f"docker.io=http://{registry}")
    monkeypatch.setenv("LAYERLAB_MIRRORS", f"quay.example=http://127.0.0.1:9, docker.io=http://{registry}")
    by_environment = layerlab("pull", "docker.io/library/nosuch:1")

    assert (by_option.status, by_environment.status) == (0, 0), by_option.err + by_environment.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pull", "{}/no:1"), "no image"),
        (("pull", "127.0.0.1:9/no:1"), "cannot be reached"),
        (("pull", "no image"), "not an image reference"),
        (("push", "no:1"), "no such image"),
        (("push", "web", "{}/web@sha256:" + "0" * 64), "a digest is no tag"),
        (("push", "web", "{}/web:1", "--compression", "zstd", "--compression-level", "40"), "no level 40"),
        (("pull", "x", "--mirror", "x"), "not a mirror"),
        (("logout", "a b"), "not the host"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(layerlab, web, registry, words, said) -> None:
    result = layerlab(*(word.replace("{}", registry) for word in words))

    assert result.status == 1
    assert said in result.err
    assert "Traceback" not in result.err


def test_the_transcript_of_the_page_is_what_happens(layerlab, registry, tmp_path, monkeypatch) -> None:
    """Digests of what zlib compressed are those of one zlib: they are not compared."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/registry.md").read_text()
    transcript = page.partition("```console\n")[2].partition("```")[0].replace("localhost:5000", registry)
    commands = re.split(r"^\$ layerlab ", transcript, flags=re.MULTILINE)[1:]
    assert len(commands) == 4

    for command in commands:
        words, _, answer = command.partition("\n")
        said = layerlab(*words.split())
        assert said.status == 0, said.err
        assert undigested(said.out) == undigested(answer)


def undigested(text: str) -> str:
    return re.sub(r"sha256:[0-9a-f]{64}, .*|sha256:[0-9a-f]{64}", "sha256:…", text)


# ---- FROM ----


@pytest.fixture
def base(layerlab, web, registry, tmp_path, monkeypatch) -> str:
    """The host of a registry that has ``base:1`` and ``library/nosuch:1``; nothing of it is here."""
    for name in ("base:1", "library/nosuch:1", "library/alpine:latest"):
        assert layerlab("push", "-q", "web", f"{registry}/{name}").status == 0
    elsewhere(monkeypatch, tmp_path)
    return registry


def test_from_fetches_what_names_its_registry_and_asks_only_once(layerlab, project, base) -> None:
    path = project(f"FROM {base}/base:1\nCOPY motd /again\n", motd="hello\n")

    first = layerlab("build", "-t", "mine", path)
    again = layerlab("build", "-t", "mine", path, "--mirror", f"{base}=http://127.0.0.1:9")

    assert (first.status, again.status) == (0, 0), first.err + again.err
    assert first.err.count(": fetched, ") == 2
    assert "fetched" not in again.err and "CACHED" in again.err


def test_two_stages_from_one_image_fetch_it_once(layerlab, project, base) -> None:
    path = project(f"FROM {base}/base:1 AS a\nFROM {base}/base:1 AS b\nCOPY --from=a /etc/motd /a\n")

    assert layerlab("build", path).err.count(": fetched, ") == 2


def test_a_short_name_is_fetched_only_when_asked_or_mirrored(layerlab, project, base) -> None:
    path = project("FROM nosuch:1\n")
    mirror = f"docker.io=http://{base}"

    refused = layerlab("build", path)
    forbidden = layerlab("build", "--no-pull", "--mirror", mirror, path)
    mirrored = layerlab("build", "--mirror", mirror, path)

    assert (refused.status, forbidden.status, mirrored.status) == (1, 1, 0), mirrored.err
    assert "add --pull" in refused.err and "add --pull" not in forbidden.err


def test_pull_asks_even_for_what_is_embedded(layerlab, project, base) -> None:
    said = layerlab("build", "--pull", "--mirror", f"docker.io=http://{base}", project("FROM alpine\n"))

    assert said.status == 0
    assert said.err.count(": fetched, ") == 2


def test_a_build_pushes_what_it_named(layerlab, project, registry, tmp_path, monkeypatch) -> None:
    path = project("FROM alpine\nCOPY motd /motd\n", motd="x")
    names = ("-t", f"{registry}/one:1", "-t", f"{registry}/two:1")

    built = layerlab("build", "--push", *names, path)
    elsewhere(monkeypatch, tmp_path)

    assert built.status == 0, built.err
    assert layerlab("pull", f"{registry}/one:1").status == layerlab("pull", f"{registry}/two:1").status == 0
    assert layerlab("build", "--push", path).status == 2


@pytest.mark.parametrize(("compression", "magic"), [("zstd", b"\x28\xb5\x2f\xfd"), ("uncompressed", b"etc/")])
def test_layers_leave_as_they_are_asked_to(layerlab, web, tmp_path, compression, magic) -> None:
    """By ``save`` and by ``-o``, the same way."""
    saved, built = f"type=oci,dest={tmp_path}/built.tar,compression={compression}", tmp_path / "saved.tar"

    by_save = layerlab("save", "--format", "oci", "--compression", compression, "-o", built, "web")
    by_build = layerlab("build", "-q", "-t", "web", "-o", saved, web)

    assert (by_save.status, by_build.status) == (0, 0), by_save.err + by_build.err
    assert built.read_bytes() == (tmp_path / "built.tar").read_bytes()
    with tarfile.open(built) as archive:
        files = [archive.extractfile(member) for member in archive if member.isfile()]
        assert any(file is not None and file.read(len(magic)) == magic for file in files)


@pytest.mark.parametrize(
    "written", ["compression=lzma", "compression-level=x", "compression=zstd,compression-level=99"]
)
def test_a_compression_that_is_none_is_refused(layerlab, web, tmp_path, written) -> None:
    assert layerlab("build", "-o", f"type=oci,dest={tmp_path}/x.tar,{written}", web).status == 1


def test_an_image_that_no_registry_has_is_an_error_of_its_line(layerlab, project, base) -> None:
    said = layerlab("build", project(f"FROM {base}/nothing:1\n"))

    assert said.status == 1
    assert "no image" in said.err and "Dockerfile:1" in said.err


# ---- login and logout ----


def basic(request: Any) -> Reply:
    right = request.headers.get("Authorization") == "Basic YWxpY2U6czNjcmV0"
    return Reply(200) if right else Reply(401, headers={"WWW-Authenticate": 'Basic realm="r"'})


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_a_right_password_is_kept_and_forgotten(layerlab, docker_config, monkeypatch) -> None:
    with stub() as found:
        found.answering = basic
        typed(monkeypatch, "s3cret\n")
        words = example("login").replace("localhost:5000", found.host).partition(" <")[0].split()[1:]

        said = layerlab(*words)

        assert said.status == 0, said.err
        assert json.loads((docker_config / "config.json").read_text())["auths"].keys() == {found.host}
        assert "s3cret" not in said.out + said.err
        assert "was not" not in layerlab("logout", found.host).err
        assert "was not" in layerlab("logout", found.host).err


def test_a_wrong_password_is_not_kept(layerlab, docker_config, monkeypatch) -> None:
    with stub() as found:
        found.answering = basic
        typed(monkeypatch, "wrong\n")

        said = layerlab("login", "-u", "alice", "--password-stdin", found.host)

    assert said.status == 1
    assert "refused" in said.err
    assert not docker_config.exists()


def test_nobody_to_ask_for_a_password_is_wrong_usage(layerlab, monkeypatch) -> None:
    typed(monkeypatch, "")

    assert layerlab("login", "-u", "alice", "localhost:5000").status == 2


# ---- serve ----


def test_the_server_says_where_it_is_and_ends_with_nothing_left_behind(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "course", *example("registry", "serve").split()[1:]]
    log = subprocess.PIPE
    with subprocess.Popen(argv, cwd=tmp_path, stdout=log, stderr=log, text=True, env=environment()) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("registry at http://127.0.0.1:")
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=20)

    assert server.returncode == 0
    assert sorted(os.listdir(tmp_path / "images/scratch")) == []


def test_a_port_that_is_taken_is_said_to_be_taken(layerlab, registry, tmp_path) -> None:
    said = layerlab("registry", "serve", "--port", registry.rpartition(":")[2], tmp_path / "other")

    assert said.status == 1
    assert "cannot listen" in said.err


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_no_thread_is_left_after_a_push(layerlab, web, registry) -> None:
    layerlab("push", "web", f"{registry}/web:1")

    names = [thread.name for thread in threading.enumerate()]
    assert [name for name in names if name.startswith(("transfer", "compress"))] == []
