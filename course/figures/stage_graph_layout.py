"""Where everything of F2 stands: a column for a stage, a row for a step, lanes below for what crosses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from course.catalogue import Catalogue
from course.figures import palette
from course.figures.lettering import Face, fit, lines, width
from course.figures.scene import Box, Line, Scene, Stroke, Text
from course.figures.words import words

BOX_HEIGHT: Final = 56
PITCH: Final = 84
LEFT: Final = 30
TOP: Final = 96
PAGE: Final = 880
WIDEST: Final = 410
NARROWEST: Final = 272


def bytes_text(size: int) -> str:
    """A size for people, in powers of 1000 as docker prints it.

    >>> bytes_text(0), bytes_text(2_200_000)
    ('0 B', '2.2 MB')
    """
    amount, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" or amount >= 100 else f"{amount:.1f} {units[0]}"


def name_of(stage: Mapping[str, Any], say: Catalogue) -> str:
    """What a stage is called; one without a name has its number."""
    return stage["name"] or say("figures.stages.stage", number=stage["number"])


def lay_out(spec: Mapping[str, Any], described: str) -> Scene:
    """The figure laid out: stages side by side, each pushed down so that what it copies lies above it."""
    stages, edges, say = spec["stages"], spec["edges"], words(spec)
    tops = _tops(stages, edges)
    bottom = max((tops[n] + len(stage["steps"]) for n, stage in enumerate(stages)), default=1)
    lane = min(WIDEST, max(NARROWEST, (PAGE - 2 * LEFT) / max(len(stages), 1)))
    place = _Place(say, lane, tops)
    floor = TOP + bottom * PITCH
    wide = max(LEFT * 2 + len(stages) * lane, PAGE)
    title = (
        say("figures.stages.title-of", name=spec["target"]) if spec["target"] else say("figures.stages.title")
    )
    drawn = Scene(title, described, wide, floor + 44 * len(edges) + 76)
    drawn.add(Text(x=20, y=34, text=fit(title, wide - 40, 18, Face.BOLD), size=18, face=Face.BOLD))
    largest = max((step["bytes"] for stage in stages for step in stage["steps"]), default=0)
    for number, stage in enumerate(stages):
        _stage(drawn, place, number, stage, largest)
    for row, edge in enumerate(edges):
        _crossing(drawn, place, stages, edge, floor + 24 + 44 * row, row)
    if not stages:
        drawn.add(Text(x=LEFT, y=TOP, text=say("figures.stages.none"), fill=palette.MUTED))
    _legend(drawn, say, drawn.height - 30)
    return drawn


@dataclass(frozen=True, slots=True)
class _Place:
    """Where stages stand. ``lane``: the width of a stage with its bars; ``tops``: the row where it begins."""

    say: Catalogue
    lane: float
    tops: Sequence[int]

    @property
    def box(self) -> float:
        """The width of a step's box."""
        return self.lane * 0.6

    @property
    def bar(self) -> float:
        """The length of the longest bar."""
        return self.lane - self.box - 8 - 7 - 62

    def left(self, stage: int) -> float:
        """Where a stage's boxes begin."""
        return LEFT + stage * self.lane

    def top(self, stage: int, step: int) -> float:
        """Where a step's box begins."""
        return TOP + (self.tops[stage] + step) * PITCH


def _tops(stages: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> list[int]:
    """The row in which each stage begins."""
    tops = [0] * len(stages)
    for number in range(len(stages)):
        for edge in edges:
            if edge["to"] == number:
                ready = tops[edge["from"]] + len(stages[edge["from"]]["steps"]) - 2 - edge["step"]
                tops[number] = max(tops[number], ready, 0)
    return tops


def _stage(drawn: Scene, place: _Place, number: int, stage: Mapping[str, Any], largest: int) -> None:
    left, say = place.left(number), place.say
    fate = say("figures.stages.shipped" if stage["shipped"] else "figures.stages.left")
    heading = f"{name_of(stage, say)}: {bytes_text(stage['bytes'])}, {fate}"
    room = place.lane - 20
    size = next((each for each in (15, 13) if width(heading, each, Face.BOLD) <= room), 12)
    drawn.add(
        Text(
            x=left,
            y=place.top(number, 0) - 14,
            text=fit(heading, room, size, Face.BOLD),
            size=size,
            face=Face.BOLD,
            tip=heading,
        )
    )
    middle = left + place.box / 2
    for index, step in enumerate(stage["steps"]):
        y = place.top(number, index)
        neither = "figures.stages.base" if index == 0 else "figures.stages.config"
        _step(drawn, place, left, y, step, say(neither))
        if step["bytes"]:
            _bar(drawn, left + place.box + 8, y, place.bar, step, largest, shipped=stage["shipped"])
        if index:
            points = ((middle, y - PITCH + BOX_HEIGHT), (middle, y - 2))
            drawn.add(Line(points=points, line=palette.INK, line_width=1.5, arrow=True))
        if stage["first_miss"] == index:
            _first_miss(drawn, middle + 10, y + BOX_HEIGHT, place.lane - place.box / 2 - 16, say)


def _first_miss(drawn: Scene, x: float, y: float, room: float, say: Catalogue) -> None:
    """What the first miss means, between two boxes: on one line, or on two small ones."""
    told = say("figures.stages.first-miss")
    size = 11.0 if width(told, 11) <= room else 9.5
    shown = lines(told, room, size)
    for number, line in enumerate(shown):
        base = y + 17 if len(shown) == 1 else y + 11 + 12 * number
        drawn.add(Text(x=x, y=base, text=line, size=size, fill=palette.VERMILION))


def _step(drawn: Scene, place: _Place, left: float, y: float, step: Mapping[str, Any], neither: str) -> None:
    cached, say = step["cached"], place.say
    colour = {True: palette.GREEN, False: palette.VERMILION, None: palette.GREYED}[cached]
    seconds = "" if step["seconds"] is None or cached else f"  {step['seconds']:.2f} s"
    hit, miss = say("figures.stages.hit"), say("figures.stages.miss")
    told = {True: f"✓ {hit}", False: f"✗ {miss}{seconds}", None: neither}[cached]
    drawn.add(
        Box(
            x=left,
            y=y,
            w=place.box,
            h=BOX_HEIGHT,
            line=colour,
            line_width=2.8,
            stroke=Stroke.DASHED if cached is False else Stroke.SOLID,
            tip=step["text"],
        ),
        Text(
            x=left + 12,
            y=y + 24,
            text=fit(step["text"], place.box - 24, 11.5, Face.MONO),
            size=11.5,
            face=Face.MONO,
        ),
        Text(
            x=left + 12,
            y=y + 43,
            text=fit(told, place.box - 24, 11.5, Face.BOLD),
            size=11.5,
            face=Face.BOLD,
            fill=colour,
        ),
    )


def _bar(
    drawn: Scene, left: float, y: float, room: float, step: Mapping[str, Any], largest: int, *, shipped: bool
) -> None:
    """Length as the square root of the bytes, so that small layers can be seen beside a base image."""
    long = max(room * (step["bytes"] / largest) ** 0.5, 1)
    dead = long * step["dead"] / step["bytes"] if shipped else long
    live = long - dead
    if live >= 1:
        drawn.add(
            Box(x=left, y=y + 17, w=live, h=22, fill=palette.BLUE, line=palette.BLUE, radius=0, line_width=1)
        )
    if dead >= 1:
        drawn.add(
            Box(
                x=left + live,
                y=y + 17,
                w=dead,
                h=22,
                line=palette.GREYED,
                hatched=True,
                radius=0,
                line_width=1,
            )
        )
    drawn.add(Text(x=left + long + 7, y=y + 33, text=bytes_text(step["bytes"]), size=11))


def _crossing(
    drawn: Scene,
    place: _Place,
    stages: Sequence[Mapping[str, Any]],
    edge: Mapping[str, Any],
    floor: float,
    row: int,
) -> None:
    """An edge: down from the source's last step, along its own row, up to the step that copies."""
    source, target = edge["from"], edge["to"]
    start = place.left(source) + 24 + 14 * row
    leave = place.top(source, len(stages[source]["steps"]) - 1) + BOX_HEIGHT
    turn = place.left(target) - 14 - 5 * (row % 3)
    arrive = place.top(target, edge["step"]) + BOX_HEIGHT / 2
    told = place.say(
        "figures.stages.crosses",
        what="COPY --from" if edge["step"] else "FROM",
        bytes=bytes_text(edge["bytes"]),
        of=bytes_text(edge["of"]),
    )
    drawn.add(
        Line(
            points=(
                (start, leave),
                (start, floor),
                (turn, floor),
                (turn, arrive),
                (place.left(target) - 2, arrive),
            ),
            line=palette.PURPLE,
            line_width=3.5,
            arrow=True,
        ),
        Text(
            x=start + 12,
            y=floor + 18,
            text=fit(told, max(place.lane - 60, 330), 11.5, Face.BOLD),
            size=11.5,
            face=Face.BOLD,
            fill=palette.DARK_PURPLE,
        ),
    )


def _legend(drawn: Scene, say: Catalogue, y: float) -> None:
    x = float(LEFT)
    for told, colour, stroke in (
        (f"✓ {say('figures.stages.hit')}", palette.GREEN, Stroke.SOLID),
        (f"✗ {say('figures.stages.miss')}", palette.VERMILION, Stroke.DASHED),
    ):
        drawn.add(
            Line(points=((x, y - 4), (x + 30, y - 4)), line=colour, line_width=3, stroke=stroke),
            Text(x=x + 38, y=y, text=told, size=11.5),
        )
        x += 38 + width(told, 11.5) + 22
    for told, hatched in (
        (say("figures.stages.legend-shipped"), False),
        (say("figures.stages.legend-hatched"), True),
    ):
        drawn.add(
            Box(
                x=x,
                y=y - 14,
                w=26,
                h=16,
                fill=palette.WHITE if hatched else palette.BLUE,
                line=palette.GREYED if hatched else palette.BLUE,
                hatched=hatched,
                radius=0,
            ),
            Text(x=x + 34, y=y, text=told, size=11.5),
        )
        x += 34 + width(told, 11.5) + 22
    drawn.add(Text(x=x, y=y, text=say("figures.stages.scale"), size=11.5, fill=palette.MUTED))
