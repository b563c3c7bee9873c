"""Runs scripts on a simulated machine that has every utility."""

from __future__ import annotations

from collections import ChainMap
from typing import Any

import pytest

from builder.world.shell import SHELLS
from builder.world.utilities import UTILITIES
from builder.world.world import Job, World
from unionfs_sim.layers.layer import Dir, File, Layer, Symlink, layer
from unionfs_sim.nodes.caller import ROOT, Caller, TickingClock


class Machine:
    """A tree with all utilities in /bin, and what the last command printed."""

    def __init__(self) -> None:
        literal: dict[str, Any] = {f"/bin/{name}": Symlink("busybox") for name in [*UTILITIES, "sh"]}
        literal |= {
            "/bin/busybox": File(b"\x7fSIM busybox\n", mode=0o755),
            "/tmp": Dir(mode=0o1777),
            "/w": Dir(mode=0o777),
        }
        self.fs: Layer = layer(literal)
        self.clock = TickingClock(1_600_000_000 * 10**9, 1)
        self.world = self.fresh_world()

    def fresh_world(self) -> World:
        programs: Any = ChainMap({**SHELLS, "busybox": self._busybox}, UTILITIES)  # type: ignore[arg-type]
        return World(programs, clock=self.clock)

    def _busybox(self, process: Any) -> int:
        name = process.name
        return SHELLS["ash"](process) if name == "sh" else UTILITIES[name](process)

    def run(self, script: str, *, stdin: bytes = b"", caller: Caller = ROOT) -> tuple[int, str]:
        """(status, what was printed on either descriptor), in /w."""
        printed: list[bytes] = []
        self.world = self.fresh_world()
        job = Job(argv=("sh", "-c", script), env={"PATH": "/bin"}, cwd="/w", stdin=stdin)
        status = self.world.run(self.fs, job, printed.append, caller=caller)
        return status, b"".join(printed).decode("utf-8", "surrogateescape")


@pytest.fixture
def machine() -> Machine:
    """A fresh machine."""
    return Machine()
