"""F1 at every shape: nothing overlaps, nothing leaves the picture, the same bytes every time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations
from typing import Any

import pytest

from course.figures import overlay_stack
from course.figures.scene import Box, Scene

SHAPES = [(2, 3), (4, 7), (5, 14), (12, 40), (1, 1), (3, 0)]
LONG = "/usr/share/an-application-with-a-name-of-just-about-sixty-characters.conf"


def made(rows: int, columns: int) -> dict[str, Any]:
    states = ["wins", "copied-up", "whiteout", "opaque", "merged"]
    paths = []
    for number in range(columns):
        top = number % rows
        state = states[number % len(states)]
        cells = [{"layer": top, "state": state, "detail": ".wh.name" if state == "whiteout" else ""}]
        cells += [{"layer": low, "state": "shadowed", "detail": ""} for low in range(top)]
        paths.append(
            {
                "path": LONG if number % 3 == 0 else f"/etc/file{number}",
                "visible": state not in ("whiteout", "opaque"),
                "reached": top,
                "copied_up_from": 0 if state == "copied-up" and top else None,
                "cells": cells,
            }
        )
    layers = [{"name": f"layer {n} RUN something rather long", "role": "lower"} for n in range(rows - 1)]
    layers.append({"name": "upper", "role": "upper"})
    return {"figure": "overlay-stack", "layers": layers, "paths": paths}


def overlapping(scene: Scene) -> list[tuple[str, str]]:
    found = []
    for one, other in combinations(scene.texts(), 2):
        a, b = one.bounds(), other.bounds()
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]:
            found.append((one.text, other.text))
    return found


def outside(scene: Scene) -> list[str]:
    return [
        text.text
        for text in scene.texts()
        if text.bounds()[0] < 0 or text.bounds()[2] > scene.width or text.bounds()[3] > scene.height
    ]


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_no_text_overlaps_another_or_leaves_the_picture(rows: int, columns: int) -> None:
    scene = overlay_stack.scene(made(rows, columns))

    assert overlapping(scene) == []
    assert outside(scene) == []


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_the_svg_is_well_formed_and_the_same_twice(rows: int, columns: int) -> None:
    first, second = (overlay_stack.as_svg(made(rows, columns)) for _ in range(2))

    assert first == second
    assert ET.fromstring(first).tag.endswith("svg")


def test_a_meaning_does_not_hang_on_colour_alone() -> None:
    scene = overlay_stack.scene(made(5, 14))
    boxes = [shape for shape in scene.shapes if isinstance(shape, Box) and ": " in shape.tip]

    looks = {box.tip.split(": ")[1].split(",")[0]: (box.hatched, box.radius, box.line_width) for box in boxes}

    assert looks["shadowed"] == (True, 6, 1.5)
    assert looks["whiteout"] == (False, 0, 3)
    assert looks["opaque"] == (False, 0, 1.5)
    assert looks["WINS"] == (False, 6, 1.5)


def test_matplotlib_draws_every_text_of_the_scene() -> None:
    spec = made(4, 7)

    ax = overlay_stack.draw(spec)

    drawn = [text.get_text() for text in ax.texts]
    assert drawn == [text.text for text in overlay_stack.scene(spec).texts()]


def test_the_text_form_says_what_the_picture_shows() -> None:
    lines = overlay_stack.as_text(made(3, 3)).splitlines()

    assert lines[1] == "/etc/file1: visible; copy-up in layer 1 RUN something rather long, shadowed in " + (
        "layer 0 RUN something rather long; copied up from layer 0 RUN something rather long"
    )
    assert lines[2].startswith("/etc/file2: ENOENT; whiteout in upper")


def test_a_name_of_any_bytes_can_be_drawn() -> None:
    spec = made(2, 1)
    spec["paths"][0]["path"] = "/a\udcff\x01<&>\"'"

    assert "\ufffd&lt;&amp;&gt;" in overlay_stack.as_svg(spec)
    assert overlay_stack.draw(spec).texts
