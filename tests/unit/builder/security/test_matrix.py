"""The comparison of the ways to build: complete, sourced, and written as the page that is checked in."""

from __future__ import annotations

from pathlib import Path

from builder.security.approaches import APPROACHES
from builder.security.matrix import page, rows
from builder.security.tables import sources
from builder.strategies.table import table


def test_there_is_a_row_for_every_way_in_the_same_order() -> None:
    assert [row.approach for row in rows()] == list(APPROACHES)


def test_every_quoted_cell_names_sources_that_exist() -> None:
    for row in rows():
        for quoted in (row.isolation, row.cache, row.speed, row.breaks):
            assert quoted.text
            assert quoted.evidence
            assert set(quoted.evidence) <= sources().keys()


def test_the_levels_are_those_that_each_way_is_known_for() -> None:
    levels = {row.approach: row.level for row in rows()}

    assert {name for name, level in levels.items() if level == "restricted"} == {"no-run"}
    assert {name for name, level in levels.items() if level == "privileged"} == {
        "docker-socket",
        "docker-in-docker",
        "buildah-privileged",
        "buildkit",
        "buildkit-rootless",
        "daemon-user-namespace",
    }


def test_the_page_is_up_to_date() -> None:
    written = Path(__file__).parents[4] / "docs" / "approaches.md"

    assert written.read_text(encoding="utf-8") == page(table())
