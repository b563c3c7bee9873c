"""Where everything of F3 stands: a panel an image, a row a layer that begins where the one below it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from course.catalogue import Catalogue
from course.figures import palette
from course.figures.lettering import Face, fit, width
from course.figures.scene import Box, Line, Scene, Text
from course.figures.stage_graph_layout import bytes_text
from course.figures.words import words

PAGE: Final = 880
LEFT: Final = 20
TEXT: Final = 330
BAR: Final = PAGE - LEFT - TEXT - 90
ROW: Final = 26
HEAD: Final = 36
TOP: Final = 56


def told(image: Mapping[str, Any]) -> dict[str, str]:
    """The sums of an image, as people read them."""
    return {
        "all": bytes_text(image["bytes"]),
        "seen": bytes_text(image["bytes"] - image["dead"]),
        "dead": bytes_text(image["dead"]),
    }


def lay_out(spec: Mapping[str, Any], described: str) -> Scene:
    """The figure laid out; ``described``: the same facts in words."""
    say, images = words(spec), spec["images"]
    rows = sum(len(image["layers"]) + 1 for image in images)
    title = say("figures.sizes.title")
    drawn = Scene(title, described, PAGE, TOP + rows * ROW + len(images) * (HEAD + 12) + 44)
    drawn.add(Text(x=LEFT, y=34, text=title, size=18, face=Face.BOLD))
    most = max((image["bytes"] for image in images), default=0)
    y = float(TOP)
    for image in images:
        y = _image(drawn, image, y, BAR / most if most else 0.0, say)
    if not images:
        drawn.add(Text(x=LEFT, y=TOP + 20, text=say("figures.sizes.none"), fill=palette.MUTED))
    _legend(drawn, say, drawn.height - 18)
    return drawn


def _image(drawn: Scene, image: Mapping[str, Any], top: float, scale: float, say: Catalogue) -> float:
    """One panel; the y where the next begins. ``scale``: pixels a byte."""
    heading = fit(
        say("figures.sizes.sum", name=image["name"], **told(image)), PAGE - 2 * LEFT, 13.5, Face.BOLD
    )
    drawn.add(Text(x=LEFT, y=top + 22, text=heading, size=13.5, face=Face.BOLD))
    y = top + HEAD
    for layer in image["layers"]:
        _bar(drawn, layer["text"], layer["below"], layer["bytes"], layer["dead"], y, scale, face=Face.MONO)
        end = LEFT + TEXT + (layer["below"] + layer["bytes"]) * scale
        drawn.add(Line(points=((end, y + ROW - 6), (end, y + ROW + 2)), line=palette.GREYED, line_width=1))
        y += ROW
    total = say("figures.sizes.shipped")
    _bar(drawn, total, 0, image["bytes"], image["dead"], y, scale, face=Face.BOLD)
    return y + ROW + 12


def _bar(
    drawn: Scene, text: str, below: int, size: int, dead: int, y: float, scale: float, *, face: Face
) -> None:
    x = LEFT + TEXT + below * scale
    live, gone = (size - dead) * scale, dead * scale
    drawn.add(Text(x=LEFT, y=y + 15, text=fit(text, TEXT - 14, 11.5, face), size=11.5, face=face, tip=text))
    if live >= 0.5:
        drawn.add(
            Box(x=x, y=y, w=live, h=ROW - 6, fill=palette.BLUE, line=palette.BLUE, radius=0, line_width=1)
        )
    if gone >= 0.5:
        drawn.add(
            Box(x=x + live, y=y, w=gone, h=ROW - 6, line=palette.GREYED, hatched=True, radius=0, line_width=1)
        )
    drawn.add(Text(x=x + live + gone + 7, y=y + 15, text=bytes_text(size), size=11))


def _legend(drawn: Scene, say: Catalogue, y: float) -> None:
    x = float(LEFT)
    for part, hatched in (("seen", False), ("dead", True)):
        meaning = say(f"figures.sizes.legend.{part}")
        drawn.add(
            Box(
                x=x,
                y=y - 13,
                w=26,
                h=16,
                fill=palette.WHITE if hatched else palette.BLUE,
                line=palette.GREYED if hatched else palette.BLUE,
                hatched=hatched,
                radius=0,
            ),
            Text(x=x + 34, y=y, text=meaning, size=11.5),
        )
        x += 34 + width(meaning, 11.5) + 24
