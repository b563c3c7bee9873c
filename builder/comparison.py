"""One Dockerfile built in several ways, and where the results differ and why."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from builder.context.selection import Source
from builder.dockerfile.plan.stages import StageGraph
from builder.engine.build import build
from builder.engine.request import BuildRequest, CacheUse
from builder.events import ChangesFound, Event
from builder.image.difference import Change, Difference, differences
from builder.image.image import Image
from builder.image.unpack import unpack_stack
from builder.protocols import Timestamps
from builder.snapshotters.fingerprint import Mode
from builder.snapshotters.ignored import default_ignored
from builder.stores.memory import MemoryStore
from builder.strategies import Settings, Strategy, download, workshop
from unionfs_sim.events import CopiedUp
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.merge import merged


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way of building made and what it cost. ``tree``: all layers merged.

    ``bytes_copied_up``: what a union pays where a scan pays with ``entries_scanned`` and ``bytes_hashed``.
    """

    strategy: Strategy
    image: Image
    seconds: float
    entries_scanned: int
    bytes_hashed: int
    bytes_copied_up: int
    tree: Layer = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reason:
    """A path that differs between two trees, and why."""

    difference: Difference
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcomes, the first of which the others are held against. ``reasons``: by strategy."""

    outcomes: tuple[Outcome, ...]
    reasons: dict[Strategy, tuple[Reason, ...]]

    def same_tree(self, strategy: Strategy) -> bool:
        """Whether that strategy made the tree that the first one made."""
        return not self.reasons[strategy]


def compare(
    graph: StageGraph,
    context: Source,
    strategies: Sequence[Strategy] = (Strategy.SIMULATED, Strategy.KANIKO_STYLE),
    *,
    mode: Mode = Mode.FULL,
    seconds: Callable[[], float] = lambda: 0.0,
) -> Comparison:
    """Build ``graph`` with each strategy from nothing, and hold the trees against the first one's.

    ``mode``: what a scan looks at. The first build that fails is raised.
    """
    outcomes = tuple(_outcome(graph, context, each, mode, seconds) for each in strategies)
    first = outcomes[0]
    reasons = {
        each.strategy: tuple(
            Reason(difference, _why(difference, first.tree, mode))
            for difference in differences(first.tree, each.tree)
        )
        for each in outcomes
    }
    return Comparison(outcomes, reasons)


def _outcome(
    graph: StageGraph, context: Source, strategy: Strategy, mode: Mode, seconds: Callable[[], float]
) -> Outcome:
    scanned: list[ChangesFound] = []
    copies: list[CopiedUp] = []

    def listen(event: Event) -> None:
        if isinstance(event, ChangesFound):
            scanned.append(event)

    store = MemoryStore()
    stop = threading.Event()
    settings = Settings(
        timestamps=Timestamps(), is_stopped=stop.is_set, listener=listen, mode=mode, copied_up=copies.append
    )
    request = BuildRequest(
        graph=graph,
        context=context,
        strategy=strategy.value,
        cache=CacheUse.IGNORE,
        download=download,
        seconds=seconds,
        stop=stop,
    )
    began = seconds()
    result = build(request, workshop(strategy, store, settings), listener=listen)
    return Outcome(
        strategy,
        result.image,
        seconds() - began,
        sum(event.entries_scanned for event in scanned),
        sum(event.bytes_hashed for event in scanned),
        sum(copy.size_bytes for copy in copies),
        merged(unpack_stack(store, result.image.layers)),
    )


def _why(difference: Difference, reference: Layer, mode: Mode) -> str:
    """The rule of scanning that explains a difference, as far as one does."""
    path = difference.path
    if default_ignored().covers(path):
        return "a scan ignores this path"
    if difference.change is Change.ADDED:
        return "the deletion was hidden by an opaque directory, which a scan's unpacking does not understand"
    inode = dict(reference.inodes()).get(path)
    kind = 0 if inode is None else stat.S_IFMT(inode.mode)
    if kind in (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK):
        return "devices and fifos of base layers are dropped when they are unpacked"
    if difference.details == ("xattrs",):
        return "a scan looks at no extended attribute but security.capability"
    if mode is not Mode.FULL:
        looked = "the time of the last change" if mode is Mode.TIME else "attributes, size and time"
        return f"mode {mode.value} looks at {looked} alone, and they are as before"
    return "a step's result depends on how it was built"
