"""The laboratory of the notebooks: builds that share a cache, and what can be seen of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.snapshotters.fingerprint import Mode
from builder.strategies.strategy import Strategy
from course.laboratory import Laboratory, Page, powers

DOCKERFILE = "FROM alpine\nCOPY a /a\nRUN rm /a\n"


def test_the_second_build_finds_what_the_first_did() -> None:
    laboratory = Laboratory()

    first = laboratory.build(DOCKERFILE, {"a": "1"})
    again = laboratory.build(DOCKERFILE, {"a": "1"})
    edited = laboratory.build(DOCKERFILE, {"a": "2"})

    assert (first.cached(), again.cached(), edited.cached()) == ((False, False), (True, True), (False, False))
    assert first.image.id == again.image.id


def test_a_deleted_file_is_wasted() -> None:
    built = Laboratory().build(DOCKERFILE, {"a": "12345"})

    assert built.tree().wasted_bytes == 5
    assert not built.union().exists("/a")
    assert "whiteout in RUN rm /a" in str(built.overlay_stack("/a"))


def test_a_folder_can_be_the_context(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("from disk")

    built = Laboratory().build("FROM scratch\nCOPY a /a\n", tmp_path)

    assert built.union().read_bytes("/a") == b"from disk"


def test_an_error_names_the_line() -> None:
    with pytest.raises(BuildError, match="Dockerfile:2"):
        Laboratory().build("FROM scratch\nCOPY missing /\n")


def test_a_page_is_shown_in_a_sandboxed_frame() -> None:
    shown = Page('<script>"a"</script>')._repr_html_()

    assert shown.startswith('<iframe sandbox="allow-scripts" srcdoc="&lt;script&gt;&quot;a')


def test_comparing_by_time_misses_an_edit_whose_time_was_put_back() -> None:
    edit = (
        "FROM alpine\n"
        "RUN cp -p /etc/os-release /b && echo X > /etc/os-release && touch -r /b /etc/os-release\n"
    )

    full, time = (Laboratory().compare(edit, mode=mode) for mode in (Mode.FULL, Mode.TIME))

    assert full.same_tree(Strategy.KANIKO_STYLE)
    assert [reason.difference.path for reason in time.reasons[Strategy.KANIKO_STYLE]] == ["/etc/os-release"]


def test_the_powers_of_every_strategy_are_listed() -> None:
    assert [row[0] for row in powers().rows] == [
        strategy.value for strategy in Strategy if strategy is not Strategy.SIMULATED
    ]
    assert "<td" in powers()._repr_html_()
