"""What was compared once can be shown as a page."""

from __future__ import annotations

import json
from pathlib import Path

from course.figures.comparison_page import page

RECORDED = Path(__file__).parents[4] / "examples" / "nginx" / "offline" / "compared.json"


def test_the_nginx_example_as_built_in_three_ways_is_a_page_with_one_picture() -> None:
    document = json.loads(RECORDED.read_text(encoding="utf-8"))
    ways = {build["strategy"]: build for build in document["builds"]}

    shown = page(document)

    assert set(ways) >= {"rootless", "kaniko-style", "privileged"}
    assert all(build["same_tree"] for build in ways.values())
    assert f"{ways['kaniko-style']['entries_scanned']:,}" in shown
    assert (shown.count("<svg"), shown.count("http://"), shown.count("<script")) == (1, 1, 0)  # a namespace
    assert "prefers-color-scheme:dark" in shown


def test_what_a_dockerfile_is_called_cannot_break_the_page() -> None:
    document = json.loads(RECORDED.read_text(encoding="utf-8"))

    shown = page({**document, "dockerfile": "<script>alert(1)</script>"})

    assert "<script" not in shown
