"""What every strategy says of itself: its powers, why its results may differ, how its tools are made."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias

from builder.engine.order import BuildRequest, BuildResult, Download
from builder.errors import NotSupportedError
from builder.events import Listener, nobody
from builder.image.oci import Descriptor
from builder.image.reference import Reference
from builder.namespace.confinement import Confinement
from builder.protocols import Fetcher, FsT, Lifetime, Timestamps, Workshop
from builder.security.powers import Powers, powers
from builder.snapshotters.fingerprint import Mode
from builder.stores.cachemounts import RecordingStore
from builder.world.machine.limits import Limits
from unionfs_sim.nodes.record import Record, field

if TYPE_CHECKING:
    from builder.image.difference import Difference
    from unionfs_sim.events import CopiedUp
    from unionfs_sim.layers.layer import Layer

NOW_NS: Final = 1_710_000_000 * 1_000_000_000
"""What simulated clocks say first (March 2024): later than anything that the toy internet offers, so that
make finds what it made newer than what it made it from."""


class Bases(enum.Enum):
    """Which embedded image stands in for a tag that there is not: the NEAREST of its family, or none."""

    NEAREST = "nearest"
    EXACT = "exact"


class Settings(Record, kw_only=True):
    """What all strategies are told. ``start_ns``: what simulated clocks say first.

    ``lifetime``: how long a simulated command may live. ``socket``: where a docker daemon listens.

    ``mode``: what a scan looks at. ``copied_up``: told of every copy-up where there is a union. ``images``:
    what names mean for this build alone. ``fetching``: what becomes of a fetcher that finds only what is
    here: one that asks registries as well. ``state_dir``: where real layers may lie unpacked;
    ``confinement``: how much a real command may do; ``limits``: what a simulated one may use up. ``root``:
    the directory that a Kaniko-style build may empty and build in, and ``ignored`` what a scan leaves alone
    there; ``credentials``: what its commands find of those that it pushes with.
    ``mounted``: told how many mounts each command sees.
    """

    timestamps: Timestamps = field(default_factory=Timestamps)
    start_ns: int = NOW_NS
    is_stopped: Callable[[], bool] = lambda: False
    listener: Listener = nobody
    mode: Mode = Mode.FULL
    copied_up: Callable[[CopiedUp], None] | None = None
    fetching: Callable[[Fetcher], Fetcher] = lambda here: here
    images: Mapping[Reference, Descriptor] = field(default_factory=dict)
    bases: Bases = Bases.NEAREST
    state_dir: Path | None = None
    confinement: Confinement = field(default_factory=Confinement)
    limits: Limits = field(default_factory=Limits)
    lifetime: Lifetime = Lifetime.STEP
    socket: Path | None = None
    root: Path | None = None
    ignored: tuple[str, ...] = ()
    credentials: bytes = b"{}"
    mounted: Callable[[int], None] | None = None


class Local(Record, Generic[FsT]):
    """Tools of this process. ``download``: what a URL answers to ADD; None where there is no network.

    ``processes``: at most how many were started so far.
    """

    workshop: Workshop[FsT]
    download: Callable[[str], Download] | None
    processes: Callable[[], int] = lambda: 0


class Remote(Record, Generic[FsT]):
    """A builder elsewhere. ``build``: has it build what is asked, and brings the image into the store.

    ``workshop``: with which that image is looked at here.
    """

    workshop: Workshop[FsT]
    build: Callable[[BuildRequest, Listener], BuildResult]


Reason: TypeAlias = Callable[["Difference", "Layer", Settings], str]
"""Why a path differs from the tree that the first strategy made (the layer), as a sentence."""


class Hindrance(Record):
    """Why a strategy cannot be used here, and what lifts that."""

    cause: str
    remedy: str


def unhindered(state_dir: Path) -> Hindrance | None:  # noqa: ARG001 - it needs nothing of the machine
    """None: the strategy works everywhere."""
    return None


class Definition(Record, kw_only=True):
    """One strategy. ``tools``: made for one build; NotSupportedError if they need what is not here.

    ``hindrance``: what of this machine hinders it, with layers below the directory; None if nothing does.
    """

    powers: Callable[[], Powers]
    reason: Reason
    tools: Callable[[RecordingStore, Settings], Local[Any] | Remote[Any]]
    hindrance: Callable[[Path], Hindrance | None] = unhindered


def depends(difference: Difference, reference: Layer, settings: Settings) -> str:  # noqa: ARG001 - no rule
    """Why trees may differ where nothing of the strategy's own explains it."""
    return "a step's result depends on how it was built"


def refused(name: str, key: str) -> Definition:
    """A strategy whose powers are known and whose tools cannot be had here."""
    lacking = Hindrance(
        f"the strategy {name!r} is known by what it would hold, and nothing here builds that way",
        "use --strategy simulated, rootless or kaniko-style",
    )

    def tools(store: RecordingStore, settings: Settings) -> Local[Any]:  # noqa: ARG001 - there are none
        raise NotSupportedError(lacking.cause, fix=lacking.remedy)

    return Definition(powers=lambda: powers(key), reason=depends, tools=tools, hindrance=lambda _: lacking)
