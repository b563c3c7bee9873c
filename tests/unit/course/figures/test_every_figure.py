"""What every figure of the documentation keeps to, in both languages."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from course.figures import palette
from course.figures.picture import Picture
from course.gallery import PICTURES

MOST_PIXELS = 900


@cache
def picture(name: str, language: str) -> Picture:
    made = PICTURES[name]()
    return replace(made, spec={**made.spec, "language": language})


every_figure = pytest.mark.parametrize("name", PICTURES)
both_languages = pytest.mark.parametrize("language", ["en", "zh"])


def scene(made: Picture) -> Any:
    return made.figure.scene(made.spec)  # type: ignore[attr-defined]


@every_figure
@both_languages
def test_no_text_overlaps_another_or_leaves_a_page_of_900_pixels(name: str, language: str) -> None:
    drawn = scene(picture(name, language))
    boxes = [(text.text, text.bounds()) for text in drawn.texts()]

    assert drawn.width <= MOST_PIXELS
    assert [
        (one, other)
        for (one, a), (other, b) in combinations(boxes, 2)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ] == []
    assert [text for text, at in boxes if at[0] < 0 or at[2] > drawn.width or at[3] > drawn.height] == []


@every_figure
@both_languages
def test_its_text_is_its_description_and_has_nothing_that_cannot_be_read(name: str, language: str) -> None:
    made = picture(name, language)
    root = ET.fromstring(made._repr_svg_())
    described = root.findtext("{http://www.w3.org/2000/svg}desc")

    assert described == str(made)
    assert "\ufffd" not in str(made)
    assert len(str(made)) > 60


@every_figure
def test_its_words_are_those_of_the_language(name: str) -> None:
    english, chinese = (picture(name, language)._repr_svg_() for language in ("en", "zh"))

    assert not re.search("[一-鿿]", english)
    assert len(re.findall("[一-鿿]", chinese)) > 10


@every_figure
def test_on_a_dark_page_every_colour_has_a_dark_sister(name: str) -> None:
    drawn = picture(name, "en")._repr_svg_()
    style, _, rest = drawn.partition("</style>")
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', rest))

    assert used <= palette.DARK.keys()
    for colour in used:
        assert f'fill="{colour}"]{{fill:{palette.DARK[colour]}}}' in style


@every_figure
def test_matplotlib_draws_every_text_of_it(name: str) -> None:
    made = picture(name, "en")

    assert [text.get_text() for text in made.draw().texts] == [text.text for text in scene(made).texts()]


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("on", [palette.WHITE, palette.PANEL])
@pytest.mark.parametrize("ink", [palette.TEXT, palette.MUTED, palette.BLACK])
def test_text_can_be_read_on_light_and_on_dark_pages(ink: str, on: str) -> None:
    assert contrast(ink, on) >= 4.5
    assert contrast(palette.DARK[ink], palette.DARK[on]) >= 4.5
