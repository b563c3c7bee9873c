"""One Dockerfile built in several ways, and where the results differ and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from builder.engine.order import CacheUse
from builder.errors import BuildError
from builder.events import ChangesFound, Event, LayerMade
from builder.image.difference import Difference, differences
from builder.image.image import Image
from builder.image.unpack import unpack_stack
from builder.recipe import Recipe, built
from builder.stores.cachemounts import RecordingStore
from builder.stores.memory import MemoryStore
from builder.strategies.definition import Settings
from builder.strategies.strategy import Strategy
from unionfs_sim.events import CopiedUp
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.merge import merged


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way of building made and what it cost. ``tree``: all layers merged.

    ``bytes_copied_up``: what a union in memory pays where a scan pays with ``entries_scanned`` and
    ``bytes_hashed``; ``bytes_packed``: the tars of the layers that steps made. ``mounts``: what all real
    commands saw together; ``processes``: at most how many the builder started, commands among them.
    """

    strategy: Strategy
    image: Image
    seconds: float
    entries_scanned: int
    bytes_hashed: int
    bytes_copied_up: int
    tree: Layer = field(repr=False)
    bytes_packed: int = 0
    mounts: int = 0
    processes: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A way that did not build it. ``fix``: what would help, "" if nothing is known."""

    strategy: Strategy
    reason: str
    fix: str


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
    failures: tuple[Failure, ...] = ()

    def same_tree(self, strategy: Strategy) -> bool:
        """Whether that strategy made the tree that the first one made."""
        return not self.reasons[strategy]


def compare(
    recipe: Recipe,
    strategies: Sequence[Strategy] = (Strategy.SIMULATED, Strategy.KANIKO_STYLE),
    *,
    store: RecordingStore | None = None,
    seconds: Callable[[], float] = lambda: 0.0,
) -> Comparison:
    """Build ``recipe`` with each strategy from nothing, and hold the trees against the first one's.

    ``store``: where base images are, and layers go; None: a new one in memory for each. A build that fails is
    among the failures; the first is raised if all fail.
    """
    outcomes: list[Outcome] = []
    failures: list[Failure] = []
    first_error: BuildError | None = None
    for strategy in strategies:
        try:
            outcomes.append(_outcome(replace(recipe, strategy=strategy), store or MemoryStore(), seconds))
        except BuildError as error:
            first_error = first_error or error
            where = f"{error.where}: " if error.where else ""
            failures.append(Failure(strategy, f"{where}{error.what}", error.fix or ""))
    if not outcomes and first_error is not None:
        raise first_error
    reference = outcomes[0]
    settings = Settings(mode=recipe.mode, ignored=recipe.ignored)
    reasons = {
        each.strategy: tuple(
            Reason(difference, each.strategy.definition.reason(difference, reference.tree, settings))
            for difference in differences(reference.tree, each.tree)
        )
        for each in outcomes
    }
    return Comparison(tuple(outcomes), reasons, tuple(failures))


def _outcome(recipe: Recipe, store: RecordingStore, seconds: Callable[[], float]) -> Outcome:
    scanned: list[ChangesFound] = []
    packed: list[int] = []
    copies: list[CopiedUp] = []
    mounts: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, ChangesFound):
            scanned.append(event)
        elif isinstance(event, LayerMade):
            packed.append(event.size)

    from_nothing = replace(recipe, cache=CacheUse.IGNORE)
    with built(
        from_nothing,
        store,
        records=MemoryStore(),
        listener=listen,
        copied_up=copies.append,
        mounted=mounts.append,
        seconds=seconds,
    ) as build:
        image = build.result.image
        return Outcome(
            recipe.strategy,
            image,
            build.seconds,
            sum(event.entries_scanned for event in scanned),
            sum(event.bytes_hashed for event in scanned),
            sum(copy.size_bytes for copy in copies),
            merged(unpack_stack(store, image.layers)),
            sum(packed),
            sum(mounts),
            build.processes,
        )
