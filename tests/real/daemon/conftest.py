"""Our daemon as a process, and docker's own command lines at its socket."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

CLIENTS = sorted(
    {
        os.path.realpath(found)
        for path in ("/usr/local/bin", "/usr/bin")
        if (found := shutil.which("docker", path=path))
    }
)
"""Debian's client and the static one, where both are installed."""


@dataclass
class Daemon:
    """A running daemon."""

    socket: Path
    state: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"


@contextmanager
def daemon_at(directory: Path, *options: str) -> Iterator[Daemon]:
    """A daemon that keeps its images in ``directory``."""
    path, state = directory / "d.sock", directory / "state"
    line = [sys.executable, "-m", "course", "--state", str(state), "daemon", "--socket", str(path), *options]
    process = subprocess.Popen(line, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        assert b"listening at" in said, said + process.stderr.read()
        yield Daemon(path, state, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stderr.close()


@dataclass(frozen=True)
class Docker:
    """One of docker's command lines."""

    program: str
    url: str

    def __call__(self, *words: str, stdin: bytes = b"", status: int = 0, **env: str) -> str:
        """What it prints on stdout; its exit status must be ``status``."""
        done = self.ended(*words, stdin=stdin, **env)
        assert done.returncode == status, done.stderr.decode()
        return done.stdout.decode()

    def ended(self, *words: str, stdin: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self.program, *words],
            input=stdin,
            capture_output=True,
            env=self.env(env),
            timeout=120,
            check=False,
        )

    def started(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self.program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.env({}),
        )

    def env(self, more: Mapping[str, str]) -> dict[str, str]:
        usual = {"DOCKER_HOST": self.url, "DOCKER_BUILDKIT": "0", "DOCKER_CONFIG": "/nonexistent"}
        return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **usual, **more}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with daemon_at(tmp_path_factory.mktemp("d")) as running:
        yield running


@pytest.fixture(params=CLIENTS or ["docker"], ids=lambda program: Path(program).parent.as_posix())
def docker(daemon: Daemon, request: pytest.FixtureRequest) -> Docker:
    return Docker(request.param, daemon.url)


def until(holds: object, seconds: float = 30) -> None:
    """Wait until a condition holds."""
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
