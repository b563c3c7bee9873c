"""The explorer in a real browser: stacking, keys, history, languages, and nothing on the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.image.config import ImageConfig
from builder.image.image import Image
from course.figures import explorer
from unionfs_sim import WHITEOUT, Dir, File, Symlink, layer

pytestmark = pytest.mark.browser

CONFIG = ImageConfig(env={"GREETING": "good morning"}, cmd=("serve",))


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    layers = [
        layer({"/etc/motd": "hello", "/etc/hosts": "h"}),
        layer({"/etc/motd": WHITEOUT}),
        layer({"/new": "n", "/etc/hosts": File("hosts", mode=0o600, uid=33), "/to": Symlink("new")}),
    ]
    file = tmp_path / "page.html"
    file.write_text(explorer.page("web", Image(config=CONFIG), layers), encoding="utf-8")
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
    assert text(page, "#h-path") == "/to"
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


def changes(page: Any) -> list[list[str]]:
    rows = page.find_elements("css selector", "#changes tbody tr")
    return [[cell.text for cell in row.find_elements("css selector", "td")] for row in rows]


def test_what_a_layer_added_and_changed_is_told_with_modes_owners_and_targets(page: Any) -> None:
    assert text(page, "#h-changes") == "What layer 2 changed"
    assert changes(page) == [
        ["~", "/etc/hosts", "file", "0644 → 0600 0:0 → 33:0", "1 B → 5 B"],
        ["+", "/new", "file", "0644 0:0", "1 B"],
        ["+", "/to → new", "symlink", "0777 0:0", ""],
    ]


def test_what_a_layer_removed_is_told_when_it_is_pressed(page: Any) -> None:
    page.find_elements("css selector", "#stack button")[1].click()

    assert text(page, "#h-changes") == "What layer 1 changed"
    assert changes(page) == [["−", "/etc/motd", "file", "0644 0:0", "5 B"]]
    assert "− 1 removed" in text(page, "#changes")


def test_a_directory_has_the_bytes_of_all_that_it_shows(page: Any) -> None:
    row = page.find_element("css selector", "[id='t/etc']")

    assert row.text.split()[-2:] == ["5", "B"]
    stack(page, 1)
    assert page.find_element("css selector", "[id='t/etc']").text.split()[-2:] == ["6", "B"]


def test_what_a_container_is_started_with_is_told(page: Any) -> None:
    assert "GREETING=good morning" in text(page, "#config")
    assert '["serve"]' in text(page, "#config")


def test_an_address_leads_to_a_path_and_a_depth_and_follows_what_is_chosen(page: Any) -> None:
    plain = page.current_url.partition("#")[0]
    page.get("about:blank")
    page.get(f"{plain}#1:/etc/motd")

    assert text(page, "#h-path") == "/etc/motd"
    assert "Layer 0 answers" in text(page, "#path .why")
    page.find_element("css selector", "[id='t/etc/hosts']").click()
    assert page.current_url.endswith("#1:/etc/hosts")
    stack(page, 3)
    assert page.current_url.endswith("#/etc/hosts")


def test_an_address_that_leads_nowhere_opens_where_the_page_opens(page: Any) -> None:
    plain = page.current_url.partition("#")[0]
    for wrong in ("#/nowhere", "#%E0%A4%A", "#9:/etc/hosts"):
        page.get("about:blank")
        page.get(plain + wrong)
        assert text(page, "#h-path") in ("/etc/motd", "/etc/hosts")


def test_an_empty_directory_does_not_look_like_a_file(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "empty.html"
    file.write_text(explorer.page("e", Image(), [layer({"/empty": Dir(), "/file": "f"})]), encoding="utf-8")
    browser.get(file.as_uri())

    names = [each.text for each in browser.find_elements("css selector", ".row .name")]
    assert [name.strip() for name in names] == ["empty/", "file"]


def test_the_page_is_dark_where_the_system_is(page: Any) -> None:
    def paper() -> str:
        return str(page.execute_script("return getComputedStyle(document.body).backgroundColor"))

    light = paper()
    try:
        wish = [{"name": "prefers-color-scheme", "value": "dark"}]
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wish})
        assert (light, paper()) == ("rgb(255, 255, 255)", "rgb(21, 24, 27)")
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_wide_window_is_used(page: Any) -> None:
    page.set_window_size(1600, 900)

    places = page.execute_script(
        "return [...document.querySelectorAll('main .column')].map(column => {"
        "const at = column.getBoundingClientRect(); return [at.top, at.right]; })"
    )

    assert len(places) == 3
    assert len({top for top, _ in places}) == 1
    assert max(right for _, right in places) > 1500
