"""One Dockerfile built in several ways, and where the results differ and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from builder.events import ChangesFound, Event
from builder.image.difference import Difference, differences
from builder.image.image import Image
from builder.image.unpack import unpack_stack
from builder.recipe import Recipe, built
from builder.stores.memory import MemoryStore
from builder.strategies.definition import Settings
from builder.strategies.strategy import Strategy
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
    recipe: Recipe,
    strategies: Sequence[Strategy] = (Strategy.SIMULATED, Strategy.KANIKO_STYLE),
    *,
    seconds: Callable[[], float] = lambda: 0.0,
) -> Comparison:
    """Build ``recipe`` with each strategy from nothing, and hold the trees against the first one's.

    The first build that fails is raised.
    """
    outcomes = tuple(_outcome(replace(recipe, strategy=each), seconds) for each in strategies)
    first = outcomes[0]
    settings = Settings(mode=recipe.mode)
    reasons = {
        each.strategy: tuple(
            Reason(difference, each.strategy.definition.reason(difference, first.tree, settings))
            for difference in differences(first.tree, each.tree)
        )
        for each in outcomes
    }
    return Comparison(outcomes, reasons)


def _outcome(recipe: Recipe, seconds: Callable[[], float]) -> Outcome:
    scanned: list[ChangesFound] = []
    copies: list[CopiedUp] = []

    def listen(event: Event) -> None:
        if isinstance(event, ChangesFound):
            scanned.append(event)

    store = MemoryStore()
    with built(recipe, store, listener=listen, copied_up=copies.append, seconds=seconds) as build:
        image = build.result.image
        return Outcome(
            recipe.strategy,
            image,
            build.seconds,
            sum(event.entries_scanned for event in scanned),
            sum(event.bytes_hashed for event in scanned),
            sum(copy.size_bytes for copy in copies),
            merged(unpack_stack(store, image.layers)),
        )
