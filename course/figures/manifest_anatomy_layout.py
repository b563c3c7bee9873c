"""Where everything of F7 stands: documents in a row, layers below them, a column for each of their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from builder.image.digest import short
from course.catalogue import Catalogue
from course.figures import palette
from course.figures.lettering import Face, fit
from course.figures.scene import Anchor, Box, Line, Scene, Stroke, Text
from course.figures.stage_graph_layout import bytes_text
from course.figures.words import words

PAGE: Final = 880
LEFT: Final = 20
TOP: Final = 66
BOX: Final = 250
HIGH: Final = 78
GAP: Final = 45
HEAD: Final = 250
ROW: Final = 50
NAMES: Final = {"digest": 318, "diff_id": 508, "chain_id": 698}
"""Where the columns of a layer's names begin."""
NAME: Final = 160


def lay_out(spec: Mapping[str, Any], described: str) -> Scene:
    """The figure laid out; ``described``: the same facts in words."""
    say, layers = words(spec), spec["layers"]
    title = say("figures.anatomy.title", name=spec["reference"])
    drawn = Scene(title, described, PAGE, HEAD + ROW * max(len(layers), 1) + 66)
    drawn.add(Text(x=LEFT, y=34, text=fit(title, PAGE - 40, 18, Face.BOLD), size=18, face=Face.BOLD))
    for number, name in enumerate(("index", "manifest", "config")):
        _document(drawn, say(f"figures.anatomy.{name}"), spec[name], LEFT + number * (BOX + GAP))
        if number:
            x = LEFT + number * (BOX + GAP)
            y = TOP + HIGH / 2
            drawn.add(Line(points=((x - GAP, y), (x - 3, y)), line=palette.BLUE, line_width=2.5, arrow=True))
    for name, x in NAMES.items():
        drawn.add(
            Text(
                x=x + NAME / 2,
                y=HEAD - 34,
                text=name,
                size=12.5,
                face=Face.BOLD,
                anchor=Anchor.MIDDLE,
            ),
            Text(
                x=x + NAME / 2,
                y=HEAD - 17,
                text=fit(say(f"figures.anatomy.of.{name}"), NAME + 24, 10.5),
                size=10.5,
                anchor=Anchor.MIDDLE,
                fill=palette.MUTED,
            ),
        )
    _pointers(drawn)
    for number, layer in enumerate(layers):
        _layer(drawn, number, layer, HEAD + number * ROW, say)
    if not layers:
        drawn.add(Text(x=LEFT, y=HEAD + 20, text=say("figures.anatomy.none"), fill=palette.MUTED))
    drawn.add(
        Text(x=LEFT, y=drawn.height - 38, text=say("figures.anatomy.arrow"), size=11.5, fill=palette.MUTED),
        Text(x=LEFT, y=drawn.height - 18, text=say("figures.anatomy.chain"), size=11.5, fill=palette.MUTED),
    )
    return drawn


def _document(drawn: Scene, name: str, document: Mapping[str, Any], x: float) -> None:
    heading = f"{name}, {bytes_text(document['bytes'])}"
    drawn.add(
        Box(x=x, y=TOP, w=BOX, h=HIGH, line=palette.BLUE, line_width=2, tip=document["digest"]),
        Text(
            x=x + 12,
            y=TOP + 24,
            text=fit(heading, BOX - 20, 13, Face.BOLD),
            size=13,
            face=Face.BOLD,
        ),
        Text(x=x + 12, y=TOP + 44, text=short(document["digest"]), size=12, face=Face.MONO),
        Text(
            x=x + 12,
            y=TOP + 63,
            text=fit(document["media"].removeprefix("application/"), BOX - 20, 10.5),
            size=10.5,
            fill=palette.MUTED,
            tip=document["media"],
        ),
    )


def _pointers(drawn: Scene) -> None:
    """The manifest writes digests down, the configuration diff_ids; nobody writes a chain_id."""
    for document, name, stroke in ((1, "digest", Stroke.SOLID), (2, "diff_id", Stroke.DASHED)):
        x = LEFT + document * (BOX + GAP) + (40 if document == 1 else 20)
        to = NAMES[name] + NAME / 2 + (0 if document == 1 else 62)
        drawn.add(
            Line(
                points=((x, TOP + HIGH), (x, TOP + HIGH + 24), (to, TOP + HIGH + 24), (to, HEAD - 50)),
                line=palette.BLUE,
                line_width=2.5,
                stroke=stroke,
                arrow=True,
            )
        )


def _layer(drawn: Scene, number: int, layer: Mapping[str, Any], y: float, say: Catalogue) -> None:
    heading = f"{say('figures.anatomy.layer')} {number}, {bytes_text(layer['bytes'])}"
    drawn.add(
        Text(x=LEFT, y=y + 17, text=fit(heading, 280, 12.5, Face.BOLD), size=12.5, face=Face.BOLD),
        Text(
            x=LEFT,
            y=y + 34,
            text=fit(layer["text"], 286, 11, Face.MONO),
            size=11,
            face=Face.MONO,
            fill=palette.MUTED,
            tip=layer["text"],
        ),
    )
    plain = layer["digest"] == layer["diff_id"]
    for name, x in NAMES.items():
        stack = name == "chain_id"
        drawn.add(
            Box(
                x=x,
                y=y,
                w=NAME,
                h=ROW - 14,
                fill=palette.UPPER_PANEL if stack else palette.PANEL if name == "diff_id" else palette.WHITE,
                line=palette.ORANGE if stack else palette.BLUE,
                stroke=Stroke.DASHED if stack else Stroke.SOLID,
                tip=layer[name],
            ),
            Text(
                x=x + NAME / 2,
                y=y + 23,
                text=short(layer[name]),
                size=12,
                face=Face.MONO,
                anchor=Anchor.MIDDLE,
                tip=layer[name],
            ),
        )
    between = (NAMES["digest"] + NAME + NAMES["diff_id"]) / 2
    drawn.add(Text(x=between, y=y + 23, text="=" if plain else "≠", size=14, anchor=Anchor.MIDDLE))
    if number:
        down = NAMES["chain_id"] + NAME / 2
        drawn.add(Line(points=((down, y - 14), (down, y - 2)), line=palette.ORANGE, line_width=2, arrow=True))
    x = NAMES["chain_id"]
    middle = y + (ROW - 14) / 2
    drawn.add(
        Line(
            points=((NAMES["diff_id"] + NAME, middle), (x - 2, middle)),
            line=palette.ORANGE,
            line_width=2,
            arrow=True,
        )
    )
