"""The daemon with real processes: docker's command lines build and run the machine's static busybox."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.image.unpack import unpack_stack
from builder.recipe import Recipe, built
from builder.stores.memory import MemoryStore
from builder.strategies.strategy import Strategy
from unionfs_sim.host.directory import HostDirectory
from unionfs_sim.layers.merge import merged

from .conftest import CLIENTS, Daemon, Docker, daemon_at, until

pytestmark = [pytest.mark.rootless, pytest.mark.tools("docker", "busybox")]

DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir /www && echo a real page > /www/index.html
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("context")
    shutil.copy(shutil.which("busybox") or "", path / "busybox")
    (path / "Dockerfile").write_text(DOCKERFILE)
    return path


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, context: Path) -> Iterator[Daemon]:
    with daemon_at(tmp_path_factory.mktemp("d"), "--strategy", "rootless") as running:
        Docker(CLIENTS[0], running.url)("build", "-t", "box", str(context))
        yield running


@pytest.fixture(params=CLIENTS or ["docker"], ids=lambda program: Path(program).parent.as_posix())
def docker(real: Daemon, request: pytest.FixtureRequest) -> Docker:
    return Docker(request.param, real.url)


def test_a_real_server_is_reached_entered_copied_from_and_stopped(docker: Docker, tmp_path: Path) -> None:
    docker("run", "-d", "--name", "web", "-p", "0:80", "box")
    place = docker("port", "web", "80/tcp").strip()

    def page() -> str:
        with urllib.request.urlopen(f"http://{place}/", timeout=30) as answer:
            return str(answer.read().decode())

    def answers() -> bool:
        try:
            return bool(page())
        except OSError:
            return False

    until(answers)
    assert page() == "a real page\n"
    done = docker.ended("exec", "-i", "web", "sh", "-c", "cat > /made; id -u >&2; exit 6", stdin=b"given")
    assert (done.returncode, done.stderr) == (6, b"0\n")
    docker("cp", "web:/made", str(tmp_path / "made"))
    assert (tmp_path / "made").read_bytes() == b"given"
    docker("restart", "-t", "0", "web")
    assert docker("exec", "web", "cat", "/made") == "given"
    docker("stop", "-t", "0", "web")
    assert docker("ps", "-a", "--format", "{{.Status}}").startswith("Exited (137)")
    docker("rm", "web")


def test_what_a_command_prints_reads_and_ends_with_is_its_own(docker: Docker) -> None:
    done = docker.ended("run", "--rm", "-i", "box", "sh", "-c", "cat; echo e >&2; exit 7", stdin=b"in")

    assert (done.returncode, done.stdout, done.stderr) == (7, b"in", b"e\n")
    assert docker.ended("run", "--rm", "box", "nosuch").returncode == 127
    assert docker("ps", "-aq") == ""


def test_a_terminal_is_a_terminal(docker: Docker) -> None:
    pid, master = pty.fork()
    if pid == 0:
        os.execvpe(
            docker.program,
            [docker.program, "run", "--rm", "-it", "box", "sh", "-c", "tty; exit 3"],
            docker.env({}),
        )
    said = b""
    try:
        while piece := os.read(master, 4096):
            said += piece
    except OSError:  # the terminal's other end is closed
        pass
    os.close(master)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    assert b"/dev/pts/" in said


def test_a_daemon_that_is_killed_takes_its_containers_and_builds_with_it(
    context: Path, tmp_path: Path
) -> None:
    marks = [f"7{os.getpid()}1", f"7{os.getpid()}2"]

    def alive() -> str:
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        return "\n".join(line for line in listed.splitlines() if line.split()[-1] in marks)

    with daemon_at(tmp_path, "--strategy", "rootless") as running:
        docker = Docker(CLIENTS[0], running.url)
        docker("build", "-t", "box", str(context))
        docker("run", "-d", "box", "sleep", marks[0])
        building = docker.started("build", "--no-cache", "-f", _slow(tmp_path, marks[1]), str(context))
        until(lambda: len(alive().splitlines()) >= 2)

        running.process.kill()
        running.process.wait()

        until(lambda: alive() == "")
        assert building.wait(60) != 0
        assert building.stdout is not None
        building.stdout.close()

    with daemon_at(tmp_path, "--strategy", "rootless") as again:
        docker = Docker(CLIENTS[0], again.url)
        assert docker("ps", "-aq") == ""
        assert docker("run", "--rm", "box", "echo", "whole") == "whole\n"
    time.sleep(0)


def _slow(directory: Path, seconds: str) -> str:
    path = directory / "slow"
    path.write_text(f'FROM box\nRUN ["/bin/sleep", "{seconds}"]\n')
    return str(path)


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory below which containerd's sockets have names that are short enough (unix(7): 107 bytes)."""
    with tempfile.TemporaryDirectory(prefix="d", dir="/tmp") as place:
        yield Path(place)
        # A daemon that did not start leaves its data mounted on itself.
        subprocess.run(["umount", "-l", f"{place}/data"], stderr=subprocess.DEVNULL, check=False)


@pytest.mark.docker
def test_a_build_sent_to_dockerd_gives_the_tree_that_is_built_here(
    context: Path, tmp_path: Path, short: Path
) -> None:
    words = [f"--data-root={short}/data", f"--exec-root={short}/exec", f"--pidfile={short}/pid"]
    line = ["dockerd", "--bridge=none", "--iptables=false", "--storage-driver=vfs", *words]
    path = short / "s"
    with (tmp_path / "log").open("wb") as log:
        dockerd = subprocess.Popen([*line, f"--host=unix://{path}"], stdout=log, stderr=log)
    try:
        docker = Docker(CLIENTS[0], f"unix://{path}")
        until(lambda: docker.ended("version").returncode == 0, 60)
        trees = {}
        with HostDirectory(context) as files:
            for strategy in (Strategy.ROOTLESS, Strategy.DOCKER_SOCK):
                recipe = Recipe(
                    graph=plan(parse(DOCKERFILE)),
                    context=Source(BuildContext(files), LABEL),
                    strategy=strategy,
                    state_dir=tmp_path / "state",
                    socket=path,
                )
                store = MemoryStore()
                with built(recipe, store) as build:
                    tree = merged(unpack_stack(store, build.result.image.layers))
                trees[strategy] = {
                    name: (node.mode, node.uid, node.gid, node.target, node.content.digest())
                    for name, node in tree.inodes()
                    if name != "/"
                }
        assert docker("images", "-aq") == ""
    finally:
        dockerd.terminate()
        dockerd.wait(60)

    here, there = trees[Strategy.ROOTLESS], trees[Strategy.DOCKER_SOCK]
    runtime = {
        "/dev",
        "/proc",
        "/sys",
        "/etc",
        "/etc/hosts",
        "/etc/hostname",
        "/etc/resolv.conf",
        "/etc/mtab",
    }
    below = {name for name in there.keys() - here.keys() if name in runtime or name.startswith("/dev/")}
    assert there.keys() - here.keys() == below  # what dockerd puts where it mounts things
    assert {name: there[name] for name in here} == here
