"""Where everything of F4 stands: a row a step, a column a kind of inputs, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from course.catalogue import Catalogue
from course.figures import palette
from course.figures.lettering import Face, fit, width
from course.figures.scene import Anchor, Box, Line, Scene, Stroke, Text
from course.figures.words import words

PAGE: Final = 880
LEFT: Final = 20
TEXT: Final = 300
KIND: Final = 92
ROW: Final = 44
TOP: Final = 84


def told_why(row: Mapping[str, Any], say: Catalogue) -> str:
    """What changed first, in a few words."""
    if row["is_new"]:
        return say("figures.cache.new")
    if row["first"] == "the layers below":
        return say("figures.cache.above")
    return say("figures.cache.changed", name=row["first"]) if row["first"] else say("figures.cache.gone")


def lay_out(spec: Mapping[str, Any], described: str) -> Scene:
    """The figure laid out; ``described``: the same facts in words."""
    say, rows = words(spec), spec["steps"]
    timed = bool(spec["saved"] or spec["spent"])
    height = TOP + ROW * max(len(rows), 1) + (30 if timed else 0) + 48
    drawn = Scene(say("figures.cache.title"), described, PAGE, height)
    drawn.add(Text(x=LEFT, y=34, text=say("figures.cache.title"), size=18, face=Face.BOLD))
    for number, kind in enumerate(("below", "instruction", "environment", "files")):
        drawn.add(
            Text(
                x=LEFT + TEXT + (number + 0.5) * KIND,
                y=TOP - 12,
                text=fit(say(f"figures.cache.kinds.{kind}"), KIND - 6, 11.5, Face.BOLD),
                size=11.5,
                face=Face.BOLD,
                anchor=Anchor.MIDDLE,
            )
        )
    for number, row in enumerate(rows):
        _row(drawn, row, TOP + number * ROW, say, timed=timed)
    if not rows:
        drawn.add(Text(x=LEFT, y=TOP + 20, text=say("figures.cache.none"), fill=palette.MUTED))
    if timed:
        told = say("figures.cache.sum", saved=spec["saved"], spent=spec["spent"])
        drawn.add(Text(x=LEFT, y=height - 54, text=told, size=13, face=Face.BOLD))
    _legend(drawn, say, height - 18)
    return drawn


def _row(drawn: Scene, row: Mapping[str, Any], y: float, say: Catalogue, *, timed: bool) -> None:
    colour = palette.GREEN if row["cached"] else palette.VERMILION
    stroke = Stroke.SOLID if row["cached"] else Stroke.DASHED
    drawn.add(
        Box(x=LEFT, y=y, w=TEXT - 12, h=ROW - 8, line=colour, line_width=2.2, stroke=stroke, tip=row["text"]),
        Text(
            x=LEFT + 8,
            y=y + 22,
            text=fit(row["text"], TEXT - 30, 11.5, Face.MONO),
            size=11.5,
            face=Face.MONO,
            tip=row["was"],
        ),
    )
    for number, (kind, state) in enumerate(row["inputs"].items()):
        _cell(drawn, LEFT + TEXT + number * KIND, y, state, tip=say(f"figures.cache.kinds.{kind}"))
    x = LEFT + TEXT + 4 * KIND + 10
    room = PAGE - x - 8
    hit, miss = say("figures.stages.hit"), say("figures.stages.miss")
    seconds = f"  {row['seconds']:g} s" if timed else ""
    told = f"✓ {hit}{seconds}" if row["cached"] else f"✗ {miss}{seconds}"
    drawn.add(
        Text(x=x, y=y + 15, text=fit(told, room, 11.5, Face.BOLD), size=11.5, face=Face.BOLD, fill=colour)
    )
    if not row["cached"]:
        why = told_why(row, say)
        drawn.add(Text(x=x, y=y + 31, text=fit(why, room, 10.5), size=10.5, tip=why))


def _cell(drawn: Scene, x: float, y: float, state: str, *, tip: str) -> None:
    if state == "none":
        return
    wins = state == "first"
    other = state in ("first", "changed")
    drawn.add(
        Box(
            x=x + 14,
            y=y + 4,
            w=KIND - 28,
            h=ROW - 16,
            fill=palette.VERMILION if wins else palette.WHITE,
            line=palette.VERMILION if other else palette.LINE,
            line_width=2.2 if other else 1,
            hatched=state == "changed",
            tip=tip,
        ),
        Text(
            x=x + KIND / 2,
            y=y + 23,
            text="≠" if other else "=",
            size=14,
            face=Face.BOLD if other else Face.REGULAR,
            anchor=Anchor.MIDDLE,
            fill=palette.WHITE if wins else palette.TEXT,
            halo=palette.WHITE if state == "changed" else "",
        ),
    )


def _legend(drawn: Scene, say: Catalogue, y: float) -> None:
    x = float(LEFT)
    for state in ("first", "changed", "same"):
        drawn.add(
            Box(
                x=x,
                y=y - 13,
                w=26,
                h=16,
                fill=palette.VERMILION if state == "first" else palette.WHITE,
                line=palette.LINE if state == "same" else palette.VERMILION,
                hatched=state == "changed",
                line_width=1 if state == "same" else 2.2,
            )
        )
        told = say(f"figures.cache.legend.{state}")
        drawn.add(Text(x=x + 34, y=y, text=told, size=11.5))
        x += 34 + width(told, 11.5) + 22
    drawn.add(Line(points=((x, y - 4), (x + 26, y - 4)), line=palette.VERMILION, stroke=Stroke.DASHED))
    drawn.add(Text(x=x + 34, y=y, text=say("figures.cache.legend.miss"), size=11.5))
