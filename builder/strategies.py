"""Ways to build: which snapshotter meets which runner, and what each would hold in its hands.

A strategy changes how an image is built, never what is built.
"""

from __future__ import annotations

import enum
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, cast

from builder.engine.request import Download
from builder.errors import NotSupportedError, StepFailedError
from builder.events import Listener, nobody
from builder.protocols import Store, Timestamps, Workshop
from builder.security.powers import Powers, powers
from builder.snapshotters.fingerprint import Mode
from builder.snapshotters.memory import MemorySnapshotter
from builder.snapshotters.scan import ScanSnapshotter
from builder.stores.fetcher import LocalFetcher
from builder.world.machine.process import Program
from unionfs_sim.events import CopiedUp
from unionfs_sim.layers.layer import Layer
from unionfs_sim.nodes.caller import Clock, TickingClock
from unionfs_sim.vfs.posix import Posix

SIMULATED_NOW_NS: Final = 1_710_000_000 * 1_000_000_000
"""What simulated clocks say first (March 2024): later than anything that the toy internet offers, so that
make finds what it made newer than what it made it from."""

_TICK_NS: Final = 1_000_000
"""A simulated clock moves this far at each reading, so that what is made later is later."""


class Strategy(enum.Enum):
    """The five ways. ``value``: what the command line calls it."""

    SIMULATED = "simulated"
    ROOTLESS = "rootless"
    KANIKO_STYLE = "kaniko-style"
    PRIVILEGED = "privileged"
    DOCKER_SOCK = "docker-sock"

    @property
    def powers(self) -> Powers:
        """What whoever builds this way holds."""
        return powers(_POWERS[self])

    @property
    def builds_here(self) -> bool:
        """Whether ``workshop`` can make it: needs no power that this process lacks."""
        return self in (Strategy.SIMULATED, Strategy.KANIKO_STYLE)


_POWERS: Final[Mapping[Strategy, str]] = MappingProxyType(
    {
        Strategy.SIMULATED: "simulated",
        Strategy.ROOTLESS: "rootless",
        Strategy.KANIKO_STYLE: "kaniko",
        Strategy.PRIVILEGED: "privileged-dind",
        Strategy.DOCKER_SOCK: "docker-socket",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What all strategies are told. ``start_ns``: what simulated clocks say first.

    ``mode``: what a scan looks at. ``copied_up``: told of every copy-up where there is a union.
    """

    timestamps: Timestamps = field(default_factory=Timestamps)
    start_ns: int = SIMULATED_NOW_NS
    is_stopped: Callable[[], bool] = lambda: False
    listener: Listener = nobody
    mode: Mode = Mode.FULL
    copied_up: Callable[[CopiedUp], None] | None = None

    def clock(self) -> Clock:
        """A new simulated clock."""
        return TickingClock(self.start_ns, _TICK_NS)


def programs() -> Mapping[str, Program]:
    """Everything that the simulated world can execute, by name; each is imported when first executed."""
    from builder.world.programs import PROGRAMS
    from builder.world.shell import SHELLS
    from builder.world.utilities import UTILITIES

    return ChainMap(dict(SHELLS), cast(Any, PROGRAMS), cast(Any, UTILITIES))


def download(url: str) -> Download:
    """What the toy internet answers to ADD; StepFailedError if nothing."""
    from builder.world.supplies.internet import UnreachableError, toy_internet

    try:
        answer = toy_internet().fetch(url)
    except UnreachableError as error:
        raise StepFailedError(
            f"ADD {url}: no such host in the toy internet: {error.host}",
            fix=f"there are: {', '.join(error.hosts)}",
        ) from None
    if answer.status != 200:
        raise StepFailedError(f"ADD {url}: the server answers {answer.status} {answer.reason}")
    return Download(answer.body)


def workshop(strategy: Strategy, store: Store, settings: Settings) -> Workshop[Posix]:
    """The tools of ``strategy`` on ``store``; NotSupportedError if they need more than this process has."""
    from builder.runners.simulated import SimulatedRunner
    from builder.world.supplies import bases
    from builder.world.supplies.internet import toy_internet

    if not strategy.builds_here:
        raise NotSupportedError(
            f"the strategy {strategy.value!r} cannot be used yet: it needs {strategy.powers.capabilities}",
            fix="use --strategy simulated or --strategy kaniko-style",
        )
    runner = SimulatedRunner(programs(), toy_internet(), is_cancelled=settings.is_stopped)
    fetcher = LocalFetcher(store, bases)
    if strategy is Strategy.KANIKO_STYLE:
        root = Layer(clock=settings.clock())
        scan = ScanSnapshotter[Posix](
            root, store, mode=settings.mode, timestamps=settings.timestamps, listener=settings.listener
        )
        return Workshop(fetcher, scan, runner, store)
    memory = MemorySnapshotter(
        store,
        timestamps=settings.timestamps,
        clocks=settings.clock,
        listener=settings.listener,
        copied_up=settings.copied_up,
    )
    return Workshop(fetcher, memory, runner, store)
