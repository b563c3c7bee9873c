"""Registries that tests start for themselves: Debian's, and ours. Both end with the test."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.transport.registry.credentials import Keyring
from builder.transport.registry.endpoint import Routes
from builder.transport.registry.repository import Registries

CONFIG = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {root}/data}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:0"}}
"""


@pytest.fixture
def debian_registry(tmp_path: Path) -> Iterator[str]:
    """The host and port of a new docker-registry. It says which port the kernel chose for it."""
    (tmp_path / "registry.yml").write_text(CONFIG.format(root=tmp_path))
    with open(tmp_path / "registry.log", "wb") as log:
        server = subprocess.Popen(
            ["docker-registry", "serve", tmp_path / "registry.yml"], stdout=log, stderr=log
        )
    try:
        yield f"127.0.0.1:{_port_of(server)}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def our_registry(tmp_path: Path) -> Iterator[str]:
    """The host and port of ``layerlab registry serve``."""
    argv = [sys.executable, "-m", "course", "registry", "serve", "--port", "0", "-q", str(tmp_path / "ours")]
    server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        said = server.stdout.readline()
        yield said.strip().rpartition("http://")[2]
    finally:
        server.terminate()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()


@pytest.fixture
def registries(tmp_path: Path) -> Iterator[Registries]:
    """A client that nobody knows."""
    with Registries(Routes(), Keyring(str(tmp_path / "docker"))) as found:
        yield found


def _port_of(server: subprocess.Popen[bytes]) -> int:
    """The port that a process listens at (proc(5), /proc/PID/net/tcp)."""
    for _ in range(200):
        inodes = set()
        for link in Path(f"/proc/{server.pid}/fd").iterdir():
            try:
                inodes |= set(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
            except OSError:
                continue
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{server.pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    return int(fields[1].rpartition(":")[2], 16)
        time.sleep(0.05)
    raise AssertionError("the registry does not listen")
