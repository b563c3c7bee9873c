"""Asking for a build: what a recipe means for each strategy, and what is let go afterwards."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import pytest

import builder.recipe
from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.errors import NotSupportedError, StepFailedError
from builder.events import BuildBegan, CacheHit, CacheMissed, ChangesFound
from builder.image.unpack import unpack_stack
from builder.recipe import Dates, Recipe, built
from builder.stores.memory import MemoryStore
from builder.strategies.strategy import Strategy
from unionfs_sim.layers.layer import File, layer

HERE = (Strategy.SIMULATED, Strategy.KANIKO_STYLE)


def recipe(dockerfile: str, **options: Any) -> Recipe:
    context = BuildContext(layer({"/f": File("f", mtime_ns=99 * 10**9)}))
    return Recipe(graph=plan(parse(dockerfile)), context=Source(context, LABEL), **options)


def test_the_example_works() -> None:
    assert doctest.testmod(builder.recipe).failed == 0


@pytest.mark.parametrize("strategy", HERE)
def test_every_strategy_builds_what_the_recipe_says_and_names_itself(strategy: Strategy) -> None:
    events: list[Any] = []
    asked = recipe("FROM busybox\nCOPY f /f\nRUN echo r > /r\n", strategy=strategy)

    with built(asked, MemoryStore(), listener=events.append) as build:
        assert build.weight(build.result.stages[0]) > 0

    assert [each.strategy for each in events if isinstance(each, BuildBegan)] == [strategy.value]
    assert [each.workspace for each in events if isinstance(each, ChangesFound)] != []


@pytest.mark.parametrize("strategy", sorted({*Strategy} - {*HERE}, key=lambda each: each.value))
def test_a_strategy_that_cannot_build_here_says_what_it_lacks(strategy: Strategy) -> None:
    with (
        pytest.raises(NotSupportedError, match=strategy.value),
        built(recipe("FROM scratch\n", strategy=strategy, socket=Path("/nowhere/s")), MemoryStore()),
    ):
        pass


@pytest.mark.parametrize("strategy", Strategy)
def test_every_strategy_names_its_powers(strategy: Strategy) -> None:
    assert strategy.powers.dockerfile_reaches


def test_strategies_share_what_the_store_knows_of_steps() -> None:
    store = MemoryStore()
    dockerfile = "FROM busybox\nCOPY f /f\nWORKDIR /w\n"
    with built(recipe(dockerfile), store):
        pass
    events: list[Any] = []

    with built(recipe(dockerfile, strategy=Strategy.KANIKO_STYLE), store, listener=events.append):
        pass

    assert [type(each) for each in events if isinstance(each, CacheHit | CacheMissed)] == [CacheHit] * 2


def test_cache_mounts_are_kept_also_by_a_build_that_fails() -> None:
    store = MemoryStore()
    mount = "RUN --mount=type=cache,target=/c"
    failing = recipe(f"FROM busybox\n{mount} echo kept > /c/f\nRUN false\n")
    with pytest.raises(StepFailedError), built(failing, store):
        pass

    with built(recipe(f"FROM busybox\n{mount} cat /c/f > /seen\n"), store) as build:
        image = build.result.image

    assert unpack_stack(store, image.layers)[-1].read_bytes("/seen") == b"kept\n"


@pytest.mark.parametrize(
    ("dates", "image", "file"),
    [
        (Dates(), "1970-01-01T00:00:00Z", 0),
        (Dates.at(7), "1970-01-01T00:00:07Z", 7 * 10**9),
        (Dates.kept(1000), "1970-01-01T00:16:40Z", 99 * 10**9),
    ],
)
def test_a_build_is_dated_as_asked(dates: Dates, image: str, file: int) -> None:
    store = MemoryStore()

    with built(recipe("FROM scratch\nCOPY f /f\n", dates=dates), store) as build:
        made = build.result.image

    assert made.created == image
    assert unpack_stack(store, made.layers)[0].lstat("/f").st_mtime_ns == file
