"""Docker's own command lines, unchanged, against our daemon: what a user types, and what is printed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import urllib.request
from pathlib import Path

import pytest
from registry_served import host, served

from .conftest import Daemon, Docker, daemon_at, until

pytestmark = pytest.mark.tools("docker")

EXAMPLE = Path(__file__).parents[3] / "examples" / "nginx"


def test_the_example_is_built_listed_run_asked_and_stopped(docker: Docker) -> None:
    said = docker("build", "-t", "alpine:nginx", str(EXAMPLE))
    assert said.endswith("Successfully tagged alpine:nginx\n")
    assert "alpine" in docker("images", "--format", "{{.Repository}} {{.Tag}}")
    assert "CMD" in docker("history", "alpine:nginx")

    running = docker.started("run", "--rm", "--name", "nginx", "-p", "0:80", "alpine:nginx")
    until(lambda: docker("ps", "-q"))
    place = docker("port", "nginx", "80/tcp").strip()
    with urllib.request.urlopen(f"http://{place}/", timeout=30) as page:
        assert b"Hello from a layer" in page.read()
    assert "nginx" in docker("ps", "--format", "{{.Names}} {{.Image}} {{.Ports}}")
    assert "conf" in docker("exec", "nginx", "ls", "/app/nginx")
    docker("stop", "nginx")

    output, _ = running.communicate(timeout=60)
    assert running.returncode == 0, output
    assert place.startswith("127.0.0.1:")
    assert docker("ps", "-aq") == ""


def test_build_options_are_heeded(docker: Docker, tmp_path: Path) -> None:
    text = "FROM alpine AS first\nARG X=1\nRUN echo x is $X > /x; cat /x\nFROM first\nRUN exit 9\n"
    (tmp_path / "Dockerfile").write_text(text)
    iid = tmp_path / "iid"

    build = ("build", "--build-arg", "X=5", "--label", "a=b", "--target", "first", "--no-cache")
    said = docker(*build, "--cache-from", "x", "--iidfile", str(iid), "-t", "opts", str(tmp_path))
    quiet = docker("build", "-q", "--build-arg", "X=5", "--label", "a=b", "--target", "first", str(tmp_path))
    failed = docker.ended("build", str(tmp_path))

    assert "x is 5\n" in said
    assert quiet.strip() == iid.read_text() == json.loads(docker("inspect", "opts"))[0]["Id"]
    assert docker("inspect", "--format", "{{.Config.Labels}}", "opts") == "map[a:b]\n"
    assert failed.returncode == 9
    assert b"Dockerfile:5" in failed.stderr


def test_a_dockerfile_elsewhere_and_one_from_stdin_are_built(docker: Docker, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "f").write_text("content\n")
    (tmp_path / "other").write_text("FROM alpine\nCOPY f /f\nRUN cat /f\n")

    assert "content\n" in docker("build", "--no-cache", "-f", str(tmp_path / "other"), str(context))
    assert "piped\n" in docker("build", "--no-cache", "-", stdin=b"FROM alpine\nRUN echo piped\n")


def test_interrupting_a_build_stops_it(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM alpine\nRUN echo begun; while true; do :; done\n")
    building = docker.started("build", "--no-cache", str(tmp_path))
    assert building.stdout is not None
    while (line := building.stdout.readline()) != b"begun\n":
        assert line

    building.send_signal(signal.SIGINT)

    building.wait(30)
    building.stdout.close()
    assert "Images" in docker("system", "df")  # it is refused while a build holds the store


def test_run_passes_input_output_and_exit_status_on(docker: Docker) -> None:
    done = docker.ended("run", "--rm", "-i", "-e", "A=b", "-w", "/tmp", "alpine", "sh", "-c",
                        "cat; pwd; echo $A >&2; exit 7", stdin=b"given\n")  # fmt: skip

    assert (done.returncode, done.stdout) == (7, b"given\n/tmp\n")
    assert done.stderr.endswith(b"b\n")
    assert docker.ended("run", "--rm", "alpine", "nosuch").returncode == 127
    assert docker("ps", "-aq") == ""


def test_a_signal_at_the_client_reaches_the_command(docker: Docker) -> None:
    script = "trap 'echo caught; exit 5' TERM; echo ready; while true; do sleep 0.1; done"
    running = docker.started("run", "--rm", "--name", "trapped", "alpine", "sh", "-c", script)
    assert running.stdout is not None
    while b"ready" not in (line := running.stdout.readline()):
        assert line

    running.send_signal(signal.SIGTERM)

    assert running.wait(30) == 5
    running.stdout.close()


def test_logs_wait_restart_rename_and_rm(docker: Docker) -> None:
    docker("run", "-d", "--name", "talker", "alpine", "sh", "-c", "echo one; echo two; exit 3")

    assert docker("wait", "talker") == "3\n"
    assert docker("logs", "--tail", "1", "talker") == "two\n"
    docker("rename", "talker", "speaker")
    docker("start", "speaker")
    assert docker("wait", "speaker") == "3\n"
    assert docker("logs", "speaker") == "one\ntwo\none\ntwo\n"
    assert "Exited (3)" in docker("ps", "-a", "--format", "{{.Status}}")
    docker("rm", "speaker")


def test_files_are_copied_out(docker: Docker, tmp_path: Path) -> None:
    docker("run", "-d", "--name", "files", "alpine", "sh", "-c", "echo made > /made; sleep 3600")

    until(lambda: docker.ended("cp", "files:/made", str(tmp_path / "made")).returncode == 0)
    docker("cp", "files:/etc", str(tmp_path))
    refused = docker.ended("cp", str(tmp_path / "made"), "files:/there")

    assert (tmp_path / "made").read_text() == "made\n"
    assert (tmp_path / "etc" / "alpine-release").exists()
    assert b"COPY them into the image" in refused.stderr
    docker("rm", "-f", "files")


def test_images_are_named_saved_loaded_and_removed(docker: Docker, tmp_path: Path) -> None:
    docker("build", "-t", "kept:1", "-", stdin=b"FROM alpine\nRUN echo kept > /kept\n")
    docker("tag", "kept:1", "kept:2")
    saved = tmp_path / "saved.tar"

    docker("save", "-o", str(saved), "kept:1", "kept:2")
    before = docker("inspect", "--format", "{{.Id}}", "kept:1")
    docker("rmi", "kept:1", "kept:2")
    assert docker.ended("inspect", "kept:1").returncode == 1
    said = docker("load", "-i", str(saved))

    assert said == "Loaded image: kept:1\nLoaded image: kept:2\n"
    assert docker("inspect", "--format", "{{.Id}}", "kept:2") == before
    with tarfile.open(saved) as tar:
        assert "manifest.json" in tar.getnames()
    docker("rmi", "-f", before.strip())


def test_images_go_to_a_registry_and_come_back(docker: Docker, tmp_path: Path) -> None:
    with served(tmp_path) as server:
        name = f"{host(server)}/travel:1"
        docker("build", "-t", name, "-", stdin=b"FROM alpine\nRUN echo far > /far\n")
        before = docker("inspect", "--format", "{{.Id}}", name)

        pushed = docker("push", name)
        docker("rmi", name)
        pulled = docker("pull", name)
        run = docker("run", "--rm", name, "cat", "/far")
        missing = docker.ended("pull", f"{host(server)}/nowhere:1")

    assert "digest: sha256:" in pushed
    assert "Status: Downloaded newer image" in pulled
    assert (run, docker("inspect", "--format", "{{.Id}}", name)) == ("far\n", before)
    assert missing.returncode == 1
    docker("rmi", name)


def test_what_cannot_be_kept_is_refused_by_name(docker: Docker) -> None:
    for option in (
        ("-v", "/:/host"),
        ("--privileged",),
        ("-m", "100m"),
        ("--cap-add", "ALL"),
        ("--network", "x"),
    ):
        done = docker.ended("run", "--rm", *option, "alpine", "true")

        assert done.returncode == 125
        assert option[0].encode() in done.stderr or b"network x not found" in done.stderr
    assert b"there is no search here" in docker.ended("search", "alpine").stderr
    assert b"too new" in docker.ended("ps", DOCKER_API_VERSION="1.60").stderr


def test_the_daemon_tells_what_it_is(docker: Docker) -> None:
    version = docker("version", "--format", "{{.Server.Version}} {{.Server.APIVersion}}")

    assert version.endswith(" 1.55\n")
    assert docker("info", "--format", "{{.OSType}} {{.ServerVersion}}").startswith("linux ")
    docker("run", "--rm", "--name", "seen", "alpine", "true")
    listen = ("events", "--since", "1", "--until", str(int(time.time()) + 1), "--filter", "container=seen")
    told = docker(*listen, "--format", "{{.Action}}").split()
    assert told[-5:] == ["create", "attach", "start", "die", "destroy"]


def test_buildkit_is_told_where_to_go(daemon: Daemon, docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM alpine\n")

    done = docker.ended("build", str(tmp_path), DOCKER_BUILDKIT="1")

    assert done.returncode != 0
    assert daemon.process.poll() is None


def test_a_second_daemon_at_the_same_socket_is_refused_and_a_dead_ones_socket_is_replaced(
    tmp_path: Path,
) -> None:
    with daemon_at(tmp_path) as first:
        line = [
            sys.executable,
            "-m",
            "course",
            "--state",
            str(tmp_path / "s"),
            "daemon",
            "--socket",
            str(first.socket),
        ]
        second = subprocess.run(line, capture_output=True, timeout=60, check=False)
        assert second.returncode == 1
        assert b"another daemon serves this socket" in second.stderr
        first.process.kill()
        first.process.wait()
        assert first.socket.exists()

    with daemon_at(tmp_path) as third:
        assert third.socket.exists()
    assert not third.socket.exists()


def test_a_daemon_that_is_killed_amid_a_build_leaves_a_store_that_is_whole(tmp_path: Path) -> None:
    with daemon_at(tmp_path) as running:
        docker = Docker("docker", running.url)
        context = tmp_path / "context"
        context.mkdir()
        (context / "Dockerfile").write_text("FROM alpine\nRUN echo begun; while true; do :; done\n")
        building = docker.started("build", "-t", "never", str(context))
        assert building.stdout is not None
        while (line := building.stdout.readline()) != b"begun\n":
            assert line
        running.process.kill()
        running.process.wait()
        assert building.wait(30) != 0
        building.stdout.close()

    with daemon_at(tmp_path) as again:
        docker = Docker("docker", again.url)
        assert "never" not in docker("images")
        docker("build", "-t", "now", "-", stdin=b"FROM alpine\nRUN echo whole\n")
    check = [sys.executable, "-m", "course", "--state", str(tmp_path / "state"), "image", "check"]
    assert (
        subprocess.run(check, capture_output=True, timeout=60, check=False).stdout == b"everything is whole\n"
    )
    assert os.listdir(tmp_path / "state" / "scratch") == []


def test_pythons_client_does_the_same(daemon: Daemon, tmp_path: Path) -> None:
    docker = pytest.importorskip("docker")
    client = docker.DockerClient(base_url=daemon.url)
    try:
        assert client.ping()
        image, said = client.images.build(path=str(EXAMPLE), tag="python:nginx", rm=True)
        assert any("Step 1/12" in line.get("stream", "") for line in said)
        assert client.containers.run("alpine", "echo hello", remove=True) == b"hello\n"
        with pytest.raises(docker.errors.ContainerError) as failed:
            client.containers.run("alpine", "sh -c 'echo bad >&2; exit 4'", remove=True)
        assert (failed.value.exit_status, failed.value.stderr) == (4, b"bad\n")

        container = client.containers.run("python:nginx", detach=True, ports={"80/tcp": None}, name="py")
        container.reload()
        (place,) = container.ports["80/tcp"]
        with urllib.request.urlopen(f"http://127.0.0.1:{place['HostPort']}/", timeout=30) as page:
            assert b"Hello" in page.read()
        assert container.exec_run("sh -c 'echo a; echo b >&2'", demux=True).output == (b"a\n", b"b\n")
        assert [each.name for each in client.containers.list()] == ["py"]
        container.stop()
        assert container.wait()["StatusCode"] == 0
        container.remove()

        saved = b"".join(image.save(named=True))
        (loaded,) = client.images.load(saved)
        assert loaded.id == image.id
        assert tarfile.open(fileobj=io.BytesIO(saved)).getnames()
        assert image.history()[0]["CreatedBy"].startswith("CMD")
        image.tag("python:again")
        client.images.remove("python:again")
        with served(tmp_path) as server:
            name = f"{host(server)}/python"
            image.tag(name, "1")
            assert "sha256:" in client.images.push(name, tag="1")
            client.images.remove(f"{name}:1")
            assert client.images.pull(name, tag="1").id == image.id
            client.images.remove(f"{name}:1")
    finally:
        client.close()
