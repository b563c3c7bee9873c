"""F4: what changed between two builds' cache keys is what the rows show."""

from __future__ import annotations

from typing import Any

import pytest

from builder.events import CacheMissed
from course.figures import cache_comparison
from course.laboratory import Built, Laboratory

DOCKERFILE = "FROM alpine\nARG V=1\nENV MODE=release\nRUN echo $MODE > /mode\nCOPY a b /\nRUN cat /a\n"
FILES = {"a": "1", "b": "2"}


def rows(dockerfile: str, files: dict[str, str], **build: Any) -> list[dict[str, Any]]:
    laboratory = Laboratory()
    before = laboratory.build(DOCKERFILE, FILES)
    after = laboratory.build(dockerfile, files, **build)
    found = list(cache_comparison.spec(before.events, after.events)["steps"])
    _agrees_with_the_engine(after, found)
    return found


def _agrees_with_the_engine(after: Built, found: list[dict[str, Any]]) -> None:
    """The engine tells by itself which input changed first."""
    told = {event.step: event.why for event in after.events if isinstance(event, CacheMissed)}
    for row in found:
        if row["number"] in told:
            assert told[row["number"]].startswith(row["first"])


@pytest.mark.parametrize(
    ("dockerfile", "files", "first", "known"),
    [
        (DOCKERFILE, FILES, ["", "", ""], [True, True, True]),
        (DOCKERFILE, {**FILES, "b": "3"}, ["", "file /b", "the layers below"], [True, False, False]),
        (DOCKERFILE.replace("cat /a", "cat /b"), FILES, ["", "", "the command"], [True, True, False]),
        (
            DOCKERFILE.replace("release", "debug"),
            FILES,
            ["variable MODE", "the layers below", "the layers below"],
            [False, False, False],
        ),
    ],
)
def test_what_changed_first_is_named(
    dockerfile: str, files: dict[str, str], first: list[str], known: list[bool]
) -> None:
    found = rows(dockerfile, files)

    assert [row["first"] for row in found] == first
    assert [row["cached"] for row in found] == known


def test_a_kind_of_inputs_is_the_same_other_or_first() -> None:
    copied = rows(DOCKERFILE.replace("COPY a b /", "COPY --chmod=700 a b /"), {**FILES, "a": "9"})[1]

    assert copied["inputs"] == {
        "below": "same",
        "instruction": "first",
        "environment": "none",
        "files": "changed",
    }


def test_a_step_that_there_was_not_is_new() -> None:
    found = rows(DOCKERFILE + "RUN true\n", FILES)

    assert found[-1]["is_new"] and not found[0]["is_new"]
    assert "there was no such step before" in cache_comparison.as_text(
        {"steps": found, "saved": 0, "spent": 0}
    )


def test_seconds_are_saved_by_what_was_known_and_spent_by_the_rest() -> None:
    laboratory = Laboratory()
    before = laboratory.build(DOCKERFILE, FILES)
    after = laboratory.build(DOCKERFILE, {**FILES, "b": "3"})

    spec = after.cache_comparison(before, {"RUN echo": 20, "RUN cat": 5, "COPY": 1}).spec

    assert (spec["saved"], spec["spent"]) == (20, 6)


def test_seconds_are_those_of_the_build_that_did_the_step() -> None:
    ticks = iter(range(1000))
    laboratory = Laboratory(seconds=lambda: float(next(ticks)))
    before = laboratory.build(DOCKERFILE, FILES)
    after = laboratory.build(DOCKERFILE, FILES)

    spec = after.cache_comparison(before).spec

    assert (spec["saved"], spec["spent"]) == (3.0, 0)


def test_no_step_is_a_picture_too() -> None:
    assert cache_comparison.as_text(cache_comparison.spec([], [])) == "no step that has a cache"
    assert cache_comparison.as_svg(cache_comparison.spec([], [])).startswith("<svg")
