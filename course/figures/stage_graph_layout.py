"""Where everything of F2 stands: a column for a stage, a row for a step, lanes below for what crosses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from course.figures import palette
from course.figures.lettering import Face, fit, width
from course.figures.scene import Box, Line, Scene, Stroke, Text

BOX_WIDTH: Final = 244
BOX_HEIGHT: Final = 56
PITCH: Final = 82
LANE: Final = 424
BAR: Final = 84
LEFT: Final = 40
TOP: Final = 96


def bytes_text(size: int) -> str:
    """A size for people, in powers of 1000 as docker prints it.

    >>> bytes_text(0), bytes_text(2_200_000)
    ('0 B', '2.2 MB')
    """
    amount, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" or amount >= 100 else f"{amount:.1f} {units[0]}"


def lay_out(spec: Mapping[str, Any], described: str) -> Scene:
    """The figure laid out: stages side by side, each pushed down so that what it copies lies above it."""
    stages, edges = spec["stages"], spec["edges"]
    tops = _tops(stages, edges)
    bottom = max((tops[n] + len(stage["steps"]) for n, stage in enumerate(stages)), default=1)
    lanes = len(edges)
    floor = TOP + bottom * PITCH
    size = (max(LEFT * 2 + len(stages) * LANE, 980), floor + 44 * lanes + 76)
    drawn = Scene(spec["title"], described, *size)
    drawn.add(Text(x=20, y=34, text=fit(spec["title"], size[0] - 40, 18, Face.BOLD), size=18, face=Face.BOLD))
    largest = max((step["bytes"] for stage in stages for step in stage["steps"]), default=0)
    for number, stage in enumerate(stages):
        _stage(drawn, number, tops[number], stage, largest)
    for lane, edge in enumerate(edges):
        _crossing(drawn, tops, stages, edge, floor + 24 + 44 * lane, lane)
    if not stages:
        drawn.add(Text(x=LEFT, y=TOP, text="no stages", fill=palette.MUTED))
    _legend(drawn, size[1] - 30)
    return drawn


def _tops(stages: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> list[int]:
    """The row in which each stage begins."""
    tops = [0] * len(stages)
    for number in range(len(stages)):
        for edge in edges:
            if edge["to"] == number:
                ready = tops[edge["from"]] + len(stages[edge["from"]]["steps"]) - 2 - edge["step"]
                tops[number] = max(tops[number], ready, 0)
    return tops


def _stage(drawn: Scene, number: int, top: int, stage: Mapping[str, Any], largest: int) -> None:
    left, y = LEFT + number * LANE, TOP + top * PITCH
    fate = "shipped" if stage["shipped"] else "left behind"
    heading = f"{stage['name']}  {bytes_text(stage['bytes'])}, {fate}"
    drawn.add(
        Text(
            x=left,
            y=y - 14,
            text=fit(heading, LANE - 30, 15, Face.BOLD),
            size=15,
            face=Face.BOLD,
            tip=heading,
        )
    )
    for index, step in enumerate(stage["steps"]):
        place = y + index * PITCH
        _step(drawn, left, place, step, "base image" if index == 0 else "config only, no layer")
        _bar(drawn, left + BOX_WIDTH + 8, place, step["bytes"], largest, stage)
        if index:
            middle = left + BOX_WIDTH / 2
            points = ((middle, place - PITCH + BOX_HEIGHT), (middle, place - 2))
            drawn.add(Line(points=points, line="#555555", line_width=1.5, arrow=True))


def _step(drawn: Scene, left: float, y: float, step: Mapping[str, Any], neither: str) -> None:
    cached = step["cached"]
    colour = {True: palette.GREEN, False: palette.VERMILION, None: "#888888"}[cached]
    seconds = "" if step["seconds"] is None or cached else f"  {step['seconds']:.2f} s"
    words = {True: "✓ cache hit", False: f"✗ cache miss{seconds}", None: neither}[cached]
    drawn.add(
        Box(
            x=left,
            y=y,
            w=BOX_WIDTH,
            h=BOX_HEIGHT,
            line=colour,
            line_width=2.8,
            stroke=Stroke.DASHED if cached is False else Stroke.SOLID,
            tip=step["text"],
        ),
        Text(
            x=left + 12,
            y=y + 24,
            text=fit(step["text"], BOX_WIDTH - 24, 11.5, Face.MONO),
            size=11.5,
            face=Face.MONO,
        ),
        Text(x=left + 12, y=y + 43, text=words, size=11.5, face=Face.BOLD, fill=colour),
    )


def _bar(drawn: Scene, left: float, y: float, size: int, largest: int, stage: Mapping[str, Any]) -> None:
    """Length as the square root of the bytes, so that small layers can be seen beside a base image."""
    long = max(BAR * (size / largest) ** 0.5 if largest else 0, 1)
    colour = palette.BLUE if stage["shipped"] else "#888888"
    drawn.add(
        Box(
            x=left,
            y=y + 17,
            w=long,
            h=22,
            fill=palette.BLUE if stage["shipped"] else palette.WHITE,
            line=colour,
            hatched=not stage["shipped"] and long > 1,
            radius=0,
            line_width=1,
        ),
        Text(x=left + long + 7, y=y + 33, text=bytes_text(size), size=11),
    )


def _crossing(
    drawn: Scene,
    tops: Sequence[int],
    stages: Sequence[Mapping[str, Any]],
    edge: Mapping[str, Any],
    floor: float,
    lane: int,
) -> None:
    """An edge: down from the source's last step, along its own lane, up to the step that copies."""
    source, target = edge["from"], edge["to"]
    start = LEFT + source * LANE + 24 + 14 * lane
    leave = TOP + (tops[source] + len(stages[source]["steps"]) - 1) * PITCH + BOX_HEIGHT
    turn = LEFT + target * LANE - 24 - 8 * (lane % 3)
    arrive = TOP + (tops[target] + edge["step"]) * PITCH + BOX_HEIGHT / 2
    what = "COPY --from" if edge["step"] else "FROM"
    words = f"{what}: {bytes_text(edge['bytes'])} of {bytes_text(edge['of'])} crosses"
    drawn.add(
        Line(
            points=(
                (start, leave),
                (start, floor),
                (turn, floor),
                (turn, arrive),
                (LEFT + target * LANE - 2, arrive),
            ),
            line=palette.PURPLE,
            line_width=3.5,
            arrow=True,
        ),
        Text(
            x=start + 12,
            y=floor + 18,
            text=fit(words, LANE - 60, 11.5, Face.BOLD),
            size=11.5,
            face=Face.BOLD,
            fill=palette.DARK_PURPLE,
        ),
    )


def _legend(drawn: Scene, y: float) -> None:
    x = float(LEFT)
    for words, colour, stroke in (
        ("✓ cache hit", palette.GREEN, Stroke.SOLID),
        ("✗ cache miss", palette.VERMILION, Stroke.DASHED),
    ):
        drawn.add(
            Line(points=((x, y - 4), (x + 30, y - 4)), line=colour, line_width=3, stroke=stroke),
            Text(x=x + 38, y=y, text=words, size=11.5),
        )
        x += 38 + width(words, 11.5) + 26
    for words, hatched in (("shipped in the image", False), ("left behind (bar length ∝ √bytes)", True)):
        drawn.add(
            Box(
                x=x,
                y=y - 14,
                w=26,
                h=16,
                fill=palette.WHITE if hatched else palette.BLUE,
                line="#888888" if hatched else palette.BLUE,
                hatched=hatched,
                radius=0,
            ),
            Text(x=x + 34, y=y, text=words, size=11.5),
        )
        x += 34 + width(words, 11.5) + 26
