"""The tables that a command writes are what the documents hold."""

from __future__ import annotations

from pathlib import Path

from builder.snapshotters.detection import page as detection_page
from builder.strategies.strategy import Strategy
from builder.strategies.table import table

HERE = Path(__file__).parents[4]


def test_the_readme_has_the_table_of_strategies() -> None:
    readme = (HERE / "README.md").read_text(encoding="utf-8")

    written = readme.split("<!-- layerlab compare --table -->\n")[1].split("\n<!-- end -->")[0]

    assert written == "\n".join(table())
    assert len(written.splitlines()) == 2 + len(Strategy)


def test_the_page_of_what_is_noticed_is_up_to_date() -> None:
    assert (HERE / "docs" / "detection.md").read_text(encoding="utf-8") == detection_page()
