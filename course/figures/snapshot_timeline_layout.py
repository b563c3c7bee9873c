"""Where everything of F6 stands: a row a step, a column a mode of the scan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from course.catalogue import Catalogue
from course.figures import palette
from course.figures.lettering import Face, fit, width
from course.figures.scene import Box, Scene, Text
from course.figures.stage_graph_layout import bytes_text
from course.figures.words import words

PAGE: Final = 880
LEFT: Final = 20
TEXT: Final = 240
ROW: Final = 78
TOP: Final = 86


def walked(step: Mapping[str, Any], say: Catalogue) -> str:
    """What looking cost, in words."""
    if not step["looks"]:
        return say("figures.snapshots.known")
    told = say("figures.snapshots.walked", n=f"{step['walked']:,}", bytes=bytes_text(step["hashed"]))
    return f"{told} ({step['looks']}×)" if step["looks"] > 1 else told


def found(step: Mapping[str, Any], say: Catalogue) -> str:
    """What was found, in words."""
    return say("figures.snapshots.found", changed=len(step["changed"]), whiteouts=len(step["whiteouts"]))


def lay_out(spec: Mapping[str, Any], described: str) -> Scene:
    """The figure laid out; ``described``: the same facts in words."""
    say, modes = words(spec), spec["modes"]
    texts = [step["text"] for step in modes[0]["steps"]] if modes else []
    title = say("figures.snapshots.title")
    drawn = Scene(title, described, PAGE, TOP + max(len(texts), 1) * ROW + 44)
    drawn.add(Text(x=LEFT, y=34, text=title, size=18, face=Face.BOLD))
    column = (PAGE - LEFT - TEXT - 10) / max(len(modes), 1)
    most = {
        cost: max((step[cost] for mode in modes for step in mode["steps"]), default=0)
        for cost in ("walked", "hashed")
    }
    for number, text in enumerate(texts):
        y = TOP + number * ROW
        drawn.add(
            Box(x=LEFT, y=y, w=TEXT - 16, h=ROW - 18, line=palette.GREYED, line_width=2, tip=text),
            Text(
                x=LEFT + 8,
                y=y + 35,
                text=fit(text, TEXT - 34, 11.5, Face.MONO),
                size=11.5,
                face=Face.MONO,
                tip=text,
            ),
        )
    for place, mode in enumerate(modes):
        x = LEFT + TEXT + place * column
        told = fit(say("figures.snapshots.mode", mode=mode["mode"]), column - 10, 13, Face.BOLD)
        drawn.add(Text(x=x, y=TOP - 14, text=told, size=13, face=Face.BOLD))
        for number, step in enumerate(mode["steps"]):
            _cell(drawn, step, x, TOP + number * ROW, column - 12, most, say)
    if not texts:
        drawn.add(Text(x=LEFT, y=TOP + 20, text=say("figures.snapshots.none"), fill=palette.MUTED))
    _legend(drawn, say, drawn.height - 18)
    return drawn


def _cell(
    drawn: Scene,
    step: Mapping[str, Any],
    x: float,
    y: float,
    room: float,
    most: Mapping[str, int],
    say: Catalogue,
) -> None:
    """What one mode did after one step: two bars (linear, one scale for all modes), and what was found."""
    bars = (("walked", palette.ORANGE, False), ("hashed", palette.BLUE, True))
    for line, (cost, colour, hatched) in enumerate(bars):
        long = room * step[cost] / most[cost] if most[cost] else 0.0
        if long >= 0.5:
            drawn.add(
                Box(
                    x=x,
                    y=y + 11 * line,
                    w=long,
                    h=9,
                    fill=palette.WHITE if hatched else colour,
                    line=colour,
                    hatched=hatched,
                    radius=0,
                    line_width=1,
                )
            )
    drawn.add(
        Text(x=x, y=y + 35, text=fit(walked(step, say), room, 10.5), size=10.5),
        Text(x=x, y=y + 49, text=fit(found(step, say), room, 10.5), size=10.5),
    )
    if step["missed"]:
        told = "✗ " + say("figures.snapshots.missed", paths=", ".join(step["missed"]))
        drawn.add(
            Text(
                x=x,
                y=y + 64,
                text=fit(told, room, 11, Face.BOLD),
                size=11,
                face=Face.BOLD,
                fill=palette.VERMILION,
                tip=told,
            )
        )


def _legend(drawn: Scene, say: Catalogue, y: float) -> None:
    x = float(LEFT)
    for part, colour, hatched in (("walked", palette.ORANGE, False), ("hashed", palette.BLUE, True)):
        told = say(f"figures.snapshots.legend.{part}")
        drawn.add(
            Box(
                x=x,
                y=y - 10,
                w=26,
                h=10,
                fill=palette.WHITE if hatched else colour,
                line=colour,
                hatched=hatched,
                radius=0,
            ),
            Text(x=x + 34, y=y, text=told, size=11.5),
        )
        x += 34 + width(told, 11.5) + 24
