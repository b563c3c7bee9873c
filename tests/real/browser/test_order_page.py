"""Lines are put in order on a page, by keys alone, and what is saved is the file that is handed in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from course.catalogue import Catalogue
from course.exercise import Course
from course.grader.grade import grade_bytes
from course.grader.kind import Conditions, Isolation
from course.grader.kinds.parsons import in_order, shuffled
from course.learn.orderpage import order_page

pytestmark = pytest.mark.browser

EXERCISE = Course().find("5.1R")


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    file = tmp_path / "order.html"
    file.write_text(order_page(EXERCISE, "s", Catalogue.read("zh")), encoding="utf-8")
    browser.get(file.as_uri())
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def lines(page: Any, which: str) -> list[Any]:
    return list(page.find_elements("css selector", f"#{which} .line"))


def texts(page: Any, which: str) -> list[str]:
    return [line.find_element("css selector", "code").text for line in lines(page, which)]


def document(page: Any) -> str:
    return str(page.find_element("css selector", "#document").get_property("value"))


def take(page: Any, text: str) -> Any:
    from selenium.webdriver.common.keys import Keys

    lines(page, "left")[texts(page, "left").index(text)].send_keys(Keys.SPACE)
    return page.switch_to.active_element


def test_all_lines_are_there_and_none_is_in_order_yet(page: Any) -> None:
    assert texts(page, "left") == shuffled(EXERCISE, "s")
    assert json.loads(document(page)) == {"exercise": "5.1R", "seed": "s", "order": []}
    assert page.find_element("css selector", "html").get_attribute("lang") == "zh"
    assert "排列" in page.find_element("css selector", "#title").text


def test_an_order_made_by_keys_is_the_answer(page: Any) -> None:
    for line in in_order(EXERCISE, "s")[:8]:
        take(page, line)

    made = document(page).encode()
    result = grade_bytes(EXERCISE, made, seed="s", conditions=Conditions(Isolation.NONE, 10))

    assert result.passed


def test_keys_move_a_line_and_put_it_aside(page: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    one, two = in_order(EXERCISE, "s")[:2]
    take(page, one)
    take(page, two)

    ActionChains(page).key_down(Keys.ALT).send_keys(Keys.ARROW_UP).key_up(Keys.ALT).perform()
    assert texts(page, "chosen") == [two, one]

    page.switch_to.active_element.send_keys(Keys.DELETE)
    assert texts(page, "chosen") == [one]
    assert texts(page, "left")[-1] == two


def test_buttons_do_the_same(page: Any) -> None:
    for _ in range(2):
        page.find_element("css selector", "#left button").click()
    before = texts(page, "chosen")

    lines(page, "chosen")[1].find_elements("css selector", "button")[0].click()
    assert texts(page, "chosen") == before[::-1]

    lines(page, "chosen")[0].find_elements("css selector", "button")[2].click()
    assert texts(page, "chosen") == before[:1]
