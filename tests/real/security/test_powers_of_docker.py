"""What a docker daemon hands over: experiments A1 to A6, D1, D2 and O1, with a daemon of the tests' own.

Containers here have no network and see the programs of this machine; all that they read is a canary file.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.security.tables import edges, sources

pytestmark = pytest.mark.docker

GROUP = 45_000
PROGRAMS = ("-v", "/usr:/usr:ro", "-v", "/etc/ssl:/etc/ssl:ro")


class Docker:
    """A daemon, and a directory of the node with a file that root alone reads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.socket = root / "s"
        self.canary = f"canary-{os.urandom(8).hex()}"
        (root / "node").mkdir(mode=0o700)
        (root / "node" / "canary").write_text(self.canary)
        (root / "node" / "canary").chmod(0o600)

    def ask(self, *words: object, fails: bool = False) -> str:
        """What the client prints; both streams where it is to fail."""
        command = ["docker", "-H", f"unix://{self.socket}", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return (done.stdout + done.stderr if fails else done.stdout).strip()

    def run(self, *words: object, fails: bool = False) -> str:
        """What a container prints."""
        return self.ask("run", "--rm", "--network", "none", *PROGRAMS, *words, fails=fails)


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    """The daemon's directory is short: a socket's name has 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="d", ignore_cleanup_errors=True) as name:
        found = Docker(Path(name))
        words = ["--bridge=none", "--iptables=false", f"--data-root={name}/data", f"--exec-root={name}/exec"]
        words += [f"--pidfile={name}/pid", f"--host=unix://{found.socket}", f"--group={GROUP}"]
        with open(f"{name}/log", "wb") as log:
            daemon = subprocess.Popen(["dockerd", *words], stdout=log, stderr=log)
        try:
            for _ in range(300):
                if daemon.poll() is not None:
                    pytest.skip(f"docker: dockerd does not start: {Path(name, 'log').read_text()[-300:]}")
                if found.socket.exists() and _answers(found):
                    break
                time.sleep(0.1)
            _import(found, "tool:1", "one")
            _import(found, "tool:2", "two")
            yield found
        finally:
            daemon.terminate()
            daemon.wait(60)


def _answers(docker: Docker) -> bool:
    words = ["docker", "-H", f"unix://{docker.socket}", "version"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _import(docker: Docker, name: str, text: str) -> None:
    """An image with nothing but directories and links; the machine's /usr is mounted over its own."""
    top = docker.root / name.replace(":", "-")
    for directory in ("usr", "tmp", "run", "proc", "dev", "sys", "etc/ssl", "var/lib", "h"):
        (top / directory).mkdir(parents=True)
    (top / "which").write_text(text)
    for link in ("bin", "sbin", "lib", "lib64"):
        (top / link).symlink_to(f"usr/{link}")
    archive = docker.root / "image.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(top, ".")
    docker.ask("import", archive, name)


def through(docker: Docker, *, read_only: bool = False) -> tuple[str, ...]:
    """The options of a container with the daemon's socket."""
    return ("-v", f"{docker.socket}:/run/s{':ro' if read_only else ''}")


def client(docker: Docker, *words: str) -> tuple[str, ...]:
    """A docker client inside the container, as the machine has it."""
    program = shutil.which("docker")
    assert program is not None
    return (program, "-H", "unix:///run/s", *words)


def reads_canary(docker: Docker) -> tuple[str, ...]:
    inner = ("run", "--rm", "--network", "none", *PROGRAMS, "-v", f"{docker.root}/node:/h", "tool:1")
    return client(docker, *inner, "cat", "/h/canary")


HARDENED = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only")


def test_a1_a2_the_socket_gives_roots_files_to_a_container_that_has_nothing_else(docker: Docker) -> None:
    assert docker.run(*HARDENED, *through(docker), "tool:1", *reads_canary(docker)) == docker.canary

    read_only = through(docker, read_only=True)
    assert docker.run(*HARDENED, *read_only, "tool:1", *reads_canary(docker)) == docker.canary


def test_a3_the_environment_of_another_container_is_read(docker: Docker) -> None:
    other = docker.ask(
        "run",
        "-d",
        "--network",
        "none",
        *PROGRAMS,
        "-e",
        f"PASSWORD={docker.canary}",
        "tool:1",
        "sleep",
        "90",
    )
    try:
        asked = client(docker, "inspect", "--format", "{{json .Config.Env}}", other)
        assert f"PASSWORD={docker.canary}" in json.loads(
            docker.run(*HARDENED, *through(docker), "tool:1", *asked)
        )
    finally:
        docker.ask("rm", "-f", other)


def test_a4_a5_another_user_needs_the_group_of_the_socket_and_then_is_root(docker: Docker) -> None:
    user = ("-u", "1000:1000", *through(docker))

    assert "permission denied" in docker.run(*user, "tool:1", *reads_canary(docker), fails=True)
    assert docker.run(*user, "--group-add", GROUP, "tool:1", *reads_canary(docker)) == docker.canary


def test_a6_the_tag_of_a_base_image_is_moved(docker: Docker) -> None:
    docker.ask("tag", "tool:1", "base:latest")
    assert docker.run("base:latest", "cat", "/which") == "one"

    docker.run(*HARDENED, *through(docker), "tool:1", *client(docker, "tag", "tool:2", "base:latest"))

    assert docker.run("base:latest", "cat", "/which") == "two"


def test_o1_layers_of_the_store_are_directories_that_root_reads(docker: Docker) -> None:
    if docker.ask("info", "--format", "{{.Driver}}") != "overlay2":
        pytest.skip("docker: this daemon does not use overlay2 here")

    upper = docker.ask("image", "inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", "tool:1")

    assert (Path(upper) / "which").read_text() == "one"
    assert str(docker.root / "data") in upper


INNER = """
dockerd --bridge=none --iptables=false --storage-driver=vfs --data-root=/run/data --exec-root=/run/exec \
  --pidfile=/run/pid --host=unix:///run/inner >/run/log 2>&1 &
for i in $(seq 100); do docker -H unix:///run/inner version >/dev/null 2>&1 && break; sleep 0.1; done
docker -H unix:///run/inner version >/dev/null 2>&1 && echo started
docker -H unix:///run/inner import /run/image.tar tool:1 >/run/said 2>&1 && echo extracted || cat /run/said
echo of-the-pod > /run/mine
docker -H unix:///run/inner run --rm --network none -v /:/h -v /usr:/usr tool:1 \
  sh -c "cat /h/run/mine; ls /h$NODE 2>&1"
"""


def inner(docker: Docker, *options: str) -> str:
    """What a daemon inside a container tells; it has a place of its own for its images."""
    words = ("--tmpfs", "/run:exec,size=512m", "-v", f"{docker.root}/image.tar:/run/image.tar:ro")
    program = shutil.which("docker")
    path = f"{Path(program or '').parent}:/usr/sbin:/usr/bin"
    command = [
        "run",
        "--rm",
        "--network",
        "none",
        *PROGRAMS,
        *words,
        *options,
        "-e",
        f"PATH={path}",
        "-e",
        f"NODE={docker.root}/node",
    ]
    done = subprocess.run(
        ["docker", "-H", f"unix://{docker.socket}", *command, "tool:1", "sh", "-c", INNER],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done.stdout + done.stderr


def test_d1_a_daemon_in_an_unprivileged_container_cannot_extract_an_image(docker: Docker) -> None:
    told = inner(docker)

    assert "started" in told
    assert "operation not permitted" in told
    assert "extracted" not in told


NEARLY_PRIVILEGED = (
    *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined"),
    *("-v", "/sys/fs/cgroup:/sys/fs/cgroup"),
)
"""What of --privileged a daemon needs, for a machine whose root lacks one of the capabilities itself."""


def test_d2_a_daemon_in_a_privileged_container_builds_and_means_its_own_files(docker: Docker) -> None:
    held = int(Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0], 16)
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    has_all = held == (1 << (last + 1)) - 1

    told = inner(docker, *(("--privileged",) if has_all else NEARLY_PRIVILEGED))

    assert "extracted" in told
    assert "of-the-pod" in told
    assert docker.canary not in told
    assert "No such file" in told  # the node's directory is not there


def test_every_experiment_of_this_file_is_the_evidence_of_a_step_or_a_source() -> None:
    tried = {"A1", "A2", "A3", "A4", "A5", "A6", "D1", "D2", "O1"}

    assert tried <= sources().keys()
    assert {"A1", "A3", "A6", "D2", "O1"} <= {name for edge in edges() for name in edge.evidence}
