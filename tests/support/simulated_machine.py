"""A machine of the simulated world: a base image, and commands run in it."""

from __future__ import annotations

import sys
from collections import ChainMap
from dataclasses import dataclass, field

import pytest

from builder.world.machine.network import HttpRequest, HttpResponse, Serving
from builder.world.programs import PROGRAMS
from builder.world.shell import SHELLS
from builder.world.supplies import bases
from builder.world.supplies.internet import Internet, toy_internet
from builder.world.utilities import UTILITIES
from builder.world.world import Job, World
from unionfs_sim import Layer, mount
from unionfs_sim.nodes.caller import Caller, TickingClock
from unionfs_sim.vfs.posix import Posix

BEGIN_NS = 1_704_067_200_000_000_000


@dataclass
class Machine:
    """A root file system and a world that runs commands in it."""

    fs: Posix
    cwd: str = "/"
    internet: Internet = field(default_factory=toy_internet)

    def world(self) -> World:
        return World(ChainMap(dict(SHELLS), PROGRAMS, UTILITIES), self.internet)

    def run(self, script: str, *, cwd: str = "", uid: int = 0, world: World | None = None) -> tuple[int, str]:
        """Status and output of a shell script."""
        output: list[bytes] = []
        job = Job(argv=("/bin/sh", "-c", script), cwd=cwd or self.cwd)
        chosen = world or self.world()
        status = chosen.run(self.fs, job, output.append, caller=Caller(uid, uid))
        return status, b"".join(output).decode("utf-8", "replace")

    def get(self, script: str, target: str = "/", *, port: int = 80, host: str = "localhost") -> HttpResponse:
        """What the server that ``script`` starts answers."""
        world = self.world()
        with pytest.raises(Serving):
            self.run(script, world=world)
        return world.machine.network.request(port, HttpRequest("GET", target, host))


@pytest.fixture
def machine():
    """Makes machines: ``machine("alpine:3.19")``."""

    # A world raises the limit when it runs; hypothesis objects if that happens while it runs a test.
    sys.setrecursionlimit(20_000)

    def make(name: str, *, internet: Internet | None = None) -> Machine:
        image = bases.find(name)
        assert image is not None
        union = mount(lowers=list(image.layers), upper=Layer(), clock=TickingClock(BEGIN_NS, 1_000_000))
        return Machine(union, image.config.get("WorkingDir", "/"), internet or toy_internet())

    return make
