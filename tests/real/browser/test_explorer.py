"""The explorer in a real browser: stacking, keys, history, languages, and nothing on the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.image.image import Image
from course.figures import explorer
from unionfs_sim import WHITEOUT, layer

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    layers = [
        layer({"/etc/motd": "hello", "/etc/hosts": "h"}),
        layer({"/etc/motd": WHITEOUT}),
        layer({"/new": "n"}),
    ]
    file = tmp_path / "page.html"
    file.write_text(explorer.page("web", Image(), layers), encoding="utf-8")
    browser.get(file.as_uri())
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def text(page: Any, selector: str) -> str:
    return str(page.find_element("css selector", selector).text)


def stack(page: Any, depth: int) -> None:
    page.execute_script(
        "const d = document.getElementById('depth'); d.value = arguments[0];"
        "d.dispatchEvent(new Event('input'))",
        depth,
    )


def test_it_opens_on_the_largest_hidden_file_and_says_why(page: Any) -> None:
    assert text(page, "#h-path") == "/etc/motd"
    assert "layer 1 has a whiteout here" in text(page, "#path .why")
    assert "/etc/motd" in text(page, "#wasted")


def test_fewer_layers_show_what_they_showed(page: Any) -> None:
    stack(page, 1)

    assert "Layer 0 answers" in text(page, "#path .why")
    assert "not stacked" in text(page, "#path table")
    assert "new" not in text(page, "#tree")


def test_the_tree_is_walked_by_keys(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    tree = page.find_element("css selector", "#tree")
    tree.send_keys(Keys.HOME)
    assert text(page, "#h-path") == "/etc"
    tree.send_keys(Keys.ARROW_DOWN)
    assert text(page, "#h-path") == "/etc/hosts"
    tree.send_keys(Keys.END)
    assert text(page, "#h-path") == "/new"
    tree.send_keys(Keys.HOME, Keys.ARROW_LEFT)
    assert "hosts" not in text(page, "#tree")


def test_a_deleted_name_is_struck_and_told_to_a_screen_reader(page: Any) -> None:
    row = page.find_element("css selector", "[id='t/etc/motd']")

    assert "gone" in row.get_attribute("class")
    assert row.get_attribute("aria-label") == "/etc/motd, not visible"
    assert row.get_attribute("role") == "treeitem"


def test_a_search_lists_full_paths(page: Any) -> None:
    page.find_element("css selector", "#filter").send_keys("host")

    assert "/etc/hosts" in text(page, "#tree")
    assert "/new" not in text(page, "#tree")


def test_the_language_changes_in_place(page: Any) -> None:
    page.find_element("css selector", "#language").click()

    assert page.execute_script("return document.documentElement.lang") == "zh"
    assert text(page, "#h-layers") == "层"


@pytest.mark.parametrize("width", [500, 800, 1600])
def test_nothing_is_wider_than_the_window(page: Any, width: int) -> None:
    page.set_window_size(width, 900)

    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
