"""Dockerfile reference, "FROM", "COPY --from"; which stages a target needs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from builder.dockerfile.plan.stages import ImageBase, Scratch, StageBase, StageGraph, Use, plan
from builder.dockerfile.syntax.parser import parse
from builder.errors import DockerfileError
from builder.image.oci import Platform


def planned(
    text: str, *, target: str | None = None, build_args: Mapping[str, str] | None = None
) -> StageGraph:
    return plan(parse(text), target=target, build_args=build_args or {})


def titles(graph: StageGraph) -> list[str]:
    return [stage.title for stage in graph.stages]


def test_only_the_stages_that_the_target_needs_are_built() -> None:
    graph = planned(
        "FROM alpine AS a\nFROM alpine AS b\nFROM alpine AS c\nCOPY --from=a / /\nFROM alpine AS d\n",
        target="c",
    )

    assert titles(graph) == ["a", "c"]
    assert [stage.title for stage in graph.unused] == ["b", "d"]
    assert graph.target.title == "c"


def test_a_stage_is_needed_by_from_by_copy_and_by_a_mount() -> None:
    graph = planned(
        "FROM alpine AS a\nFROM a AS b\nFROM alpine AS c\nFROM alpine\nCOPY --from=1 / /\n"
        "RUN --mount=from=c,target=/c true\n"
    )

    assert titles(graph) == ["a", "b", "c", "3"]
    assert graph.target.needs == (1, 2)
    assert [each.use for each in graph.target.dependencies] == [Use.FROM, Use.COPY, Use.MOUNT]


def test_names_of_stages_are_compared_without_case() -> None:
    graph = planned("FROM alpine AS Build\nFROM alpine\nCOPY --from=BUILD / /\n", target=None)

    assert graph.target.needs == (0,)
    assert planned("FROM alpine AS Build\nFROM alpine\n", target="bUILD").target.index == 0


def test_the_nearest_stage_above_wins_where_two_have_the_same_name() -> None:
    graph = planned("FROM alpine AS a\nFROM busybox AS a\nFROM a\n")

    assert graph.target.base == StageBase(1, "a")


def test_a_name_that_is_no_stage_is_an_image() -> None:
    graph = planned("FROM alpine\nCOPY --from=nginx:1.25 / /\n")

    origin = graph.target.origin("nginx:1.25")

    assert isinstance(origin, ImageBase)
    assert str(origin.reference) == "docker.io/library/nginx:1.25"


def test_scratch_is_the_empty_base() -> None:
    assert planned("FROM scratch\n").target.base == Scratch()


def test_variables_in_from_come_from_global_arguments_and_the_command_line() -> None:
    text = "ARG V=3.18\nARG NAME=alpine\nFROM ${NAME}:$V\n"

    assert str(planned(text).target.base) == "alpine:3.18"
    assert str(planned(text, build_args={"V": "3.19"}).target.base) == "alpine:3.19"


def test_an_index_is_a_target_too() -> None:
    assert planned("FROM alpine\nFROM busybox\n", target="0").target.index == 0


def test_a_stage_inherits_the_platform_of_the_stage_that_it_starts_from() -> None:
    graph = plan(
        parse("FROM --platform=$BUILDPLATFORM alpine AS a\nFROM a AS b\nFROM alpine\nCOPY --from=b / /\n"),
        platform=Platform("linux", "arm64"),
        build_platform=Platform("linux", "amd64"),
    )

    assert [str(stage.platform) for stage in graph.stages] == ["linux/amd64", "linux/amd64", "linux/arm64"]


def test_triggers_of_a_stage_bring_their_dependencies_to_the_stage_that_starts_from_it() -> None:
    graph = planned("FROM alpine AS files\nFROM alpine AS base\nONBUILD COPY --from=files / /\nFROM base\n")

    assert titles(graph) == ["files", "base", "2"]
    assert graph.target.needs == (0, 1)


def test_independent_stages_are_ready_at_the_same_time() -> None:
    sorter = planned("FROM alpine AS a\nFROM alpine AS b\nFROM a\nCOPY --from=b / /\n").sorter()
    sorter.prepare()

    assert sorted(sorter.get_ready()) == [0, 1]


def test_build_arguments_that_nothing_declares_are_named() -> None:
    graph = planned("ARG A\nFROM alpine\nARG B\n", build_args={"A": "", "B": "", "C": "", "HTTP_PROXY": ""})

    assert graph.unknown_args == ("C",)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("FROM alpine\nCOPY --from=b / /\nFROM alpine AS b\n", 2, ("'b'", "line 3", "above line 1")),
        ("FROM alpine\nCOPY --from=1 / /\nFROM alpine\n", 2, ("'1'", "line 3")),
        (
            "FROM alpine AS a\nCOPY --from=b / /\nFROM a AS b\n",
            2,
            ("'a' uses 'b' (line 2)", "'b' uses 'a' (line 3)"),
        ),
        ("FROM alpine AS a\nCOPY --from=a / /\n", 2, ("uses itself",)),
        ("FROM alpine AS a\nRUN --mount=from=0,target=/x true\n", 2, ("uses itself",)),
        ("FROM alpine\nCOPY --from=7 / /\n", 2, ("no stage 7", "last one is 0")),
        ("FROM alpine AS build\nFROM alpine\nCOPY --from=Bild! / /\n", 3, ("did you mean 'build'?",)),
        ("ARG VERSION=1\nFROM alpine:$VERSIO\n", 2, ("not an image reference",)),
        ("ARG BASE=alpine\nFROM $BAES\n", 2, ("empty", "did you mean 'BASE'?")),
        ("FROM ${BASE:?which}\n", 1, ("BASE: which",)),
        ("FROM --platform=linux/ alpine\n", 1, ("platform",)),
    ],
)
def test_stages_that_cannot_be_built_are_refused_with_their_lines(
    text: str, line: int, words: tuple[str, ...]
) -> None:
    with pytest.raises(DockerfileError) as caught:
        planned(text)

    assert str(caught.value.where) == f"Dockerfile:{line}"
    assert all(word in str(caught.value) for word in words)


def test_an_unknown_target_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(DockerfileError, match="did you mean 'build'"):
        planned("FROM alpine AS build\n", target="biuld")


def test_what_is_wrong_with_an_unused_stage_does_not_stop_the_build() -> None:
    graph = planned("FROM $UNSET AS broken\nFROM alpine\n")

    assert titles(graph) == ["1"]


def test_five_thousand_stages_in_a_row_are_planned() -> None:
    text = "FROM alpine AS s0\n" + "".join(f"FROM s{n} AS s{n + 1}\n" for n in range(5_000))

    assert len(planned(text).stages) == 5_001
