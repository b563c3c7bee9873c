"""Runs scripts in a small simulated machine."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from builder.world.machine.limits import Limits
from builder.world.machine.process import Process, Program
from builder.world.shell import SHELLS
from builder.world.utilities import UTILITIES
from builder.world.world import Job, World
from unionfs_sim.layers.layer import Dir, File, Layer, Symlink, layer

TOOLS = ("cat", "echo", "env", "head", "ls", "mkdir", "rm", "sleep", "touch", "tr", "true", "wc", "yes")


class Machine:
    """A tree, and the programs that can run on it. ``fs`` is what scripts see."""

    def __init__(self) -> None:
        literal: dict[str, Any] = {
            f"/bin/{name}": File(f"\x7fSIM {name}\n".encode(), mode=0o755) for name in TOOLS
        }
        literal |= {
            f"/bin/{name}": File(f"\x7fSIM {name}\n".encode(), mode=0o755) for name in ("dash", "ash", "bash")
        }
        literal |= {"/bin/sh": Symlink("dash"), "/tmp": Dir(mode=0o1777), "/dev": Dir(), "/root": Dir()}
        self.fs: Layer = layer(literal)
        self.programs: dict[str, Program] = {}
        self.limits = Limits()
        self.is_cancelled: Callable[[], bool] | None = None
        self.printed: list[bytes] = []

    def install(self, name: str, program: Callable[[Process], int]) -> None:
        """Put a program of the test at /bin/name."""
        self.programs[name] = program
        self.fs.write_bytes(f"/bin/{name}", f"\x7fSIM {name}\n".encode())
        self.fs.chmod(f"/bin/{name}", 0o755)

    def run(
        self, script: str, *, shell: str = "dash", env: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> tuple[int, str]:
        """(status, what was printed on either descriptor)."""
        self.printed = []
        world = World(
            ChainMap(self.programs, dict(SHELLS), UTILITIES),  # type: ignore[arg-type]
            limits=self.limits,
            is_cancelled=self.is_cancelled,
        )
        job = Job(argv=(shell, "-c", script), env={"PATH": "/bin", **(env or {})}, stdin=stdin)
        status = world.run(self.fs, job, self.printed.append)
        return status, b"".join(self.printed).decode("utf-8", "surrogateescape")


@pytest.fixture
def machine() -> Machine:
    """A fresh machine."""
    return Machine()


@pytest.fixture
def sh(machine: Machine) -> Callable[..., tuple[int, str]]:
    """Runs a script on a fresh machine: (status, what it printed)."""
    return machine.run
