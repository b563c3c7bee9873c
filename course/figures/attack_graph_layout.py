"""Where everything of F5 stands: panels alike, below each other; a column for what is equally far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, Final

from course.catalogue import Catalogue
from course.figures import palette
from course.figures.lettering import Face, fit, width
from course.figures.scene import Anchor, Box, Line, Scene, Stroke, Text
from course.figures.words import words

BOX_WIDTH: Final = 124
BOX_HEIGHT: Final = 30
COLUMN: Final = 145
ROW: Final = 58
MARGIN: Final = 16
HEAD: Final = 58
TOP: Final = 62
LEGEND: Final = 64

_FILLS: Final = {"dockerfile": palette.LIGHT_VERMILION, "job": palette.LIGHT_ORANGE, "nobody": palette.PANEL}
_LINES: Final = {"dockerfile": palette.VERMILION, "job": palette.ORANGE, "nobody": palette.LINE}
_SIGNS: Final = {"dockerfile": "◆ ", "job": "◇ ", "nobody": ""}

Place = tuple[float, float]
"""The left top corner of a node's box, from its panel's."""


def lay_out(spec: Mapping[str, Any], described: str) -> Scene:
    """The figure laid out."""
    places = _places(spec["nodes"], spec["panels"])
    wide = MARGIN * 2 + max((x for x, _ in places.values()), default=0) + BOX_WIDTH
    high = HEAD + max((y for _, y in places.values()), default=0) + BOX_HEIGHT + 26
    say = words(spec)
    title = spec["title"] or say("figures.attack.title")
    drawn = Scene(title, described, max(wide, 760), TOP + len(spec["panels"]) * high + LEGEND)
    room = drawn.width - 2 * MARGIN
    drawn.add(Text(x=MARGIN, y=34, text=fit(title, room, 18, Face.BOLD), size=18, face=Face.BOLD))
    for number, panel in enumerate(spec["panels"]):
        _panel(drawn, spec["nodes"], panel, places, TOP + number * high, wide, say)
    _legend(drawn, drawn.height - LEGEND + 26, say)
    return drawn


def label_of(node: str, say: Catalogue) -> str:
    """What a node is called in the picture."""
    return say(f"figures.attack.nodes.{node}")


def _places(nodes: Sequence[Mapping[str, Any]], panels: Sequence[Mapping[str, Any]]) -> dict[str, Place]:
    """Where each node stands: columns as given, rows so that neighbours stand near each other."""
    columns: dict[int, list[str]] = {}
    for node in nodes:
        columns.setdefault(node["column"], []).append(node["name"])
    steps = {(step["from"], step["to"]) for panel in panels for step in panel["steps"]}
    tallest = max(map(len, columns.values()), default=1)
    rows: dict[str, float] = {}
    for column in sorted(columns):
        names = columns[column]
        pulled = {name: _pull(name, steps, rows) for name in names}
        names.sort(key=pulled.__getitem__)  # stable: where nothing pulls, the order of the table stays
        first = (tallest - len(names)) / 2
        rows |= {name: first + index for index, name in enumerate(names)}
    return {name: (column * COLUMN, rows[name] * ROW) for column, names in columns.items() for name in names}


def _pull(name: str, steps: Set[tuple[str, str]], rows: Mapping[str, float]) -> float:
    """The mean row of those from which steps lead to ``name``."""
    before = [rows[source] for source, target in sorted(steps) if target == name and source in rows]
    return sum(before) / len(before) if before else 0.0


def _panel(
    drawn: Scene,
    nodes: Sequence[Mapping[str, Any]],
    panel: Mapping[str, Any],
    places: Mapping[str, Place],
    top: float,
    wide: float,
    say: Catalogue,
) -> None:
    drawn.add(
        Box(
            x=8,
            y=top,
            w=wide - 16,
            h=HEAD + max((y for _, y in places.values()), default=0) + BOX_HEIGHT + 14,
            fill=palette.WHITE,
            line_width=1,
        ),
        Text(
            x=MARGIN,
            y=top + 26,
            text=fit(f"{panel['name']}: {panel['builder']}", wide - 2 * MARGIN, 15, Face.BOLD),
            size=15,
            face=Face.BOLD,
            tip=panel["builder"],
        ),
    )
    corner = (MARGIN, top + HEAD)
    order = ("nobody", "job", "dockerfile")  # what is reached lies on top of what is cut
    for step in sorted(panel["steps"], key=lambda step: order.index(step["by"])):
        _step(drawn, step, places, corner, say)
    for node in nodes:
        x, y = (a + b for a, b in zip(places[node["name"]], corner, strict=True))
        who = panel["reached"][node["name"]]
        label = f"{_SIGNS[who]}{label_of(node['name'], say)}"
        drawn.add(
            Box(
                x=x,
                y=y,
                w=BOX_WIDTH,
                h=BOX_HEIGHT,
                fill=_FILLS[who],
                line=_LINES[who],
                line_width=1 if who == "nobody" else 2.5,
                stroke=Stroke.DASHED if who == "nobody" else Stroke.SOLID,
                hatched=who == "nobody",
                tip=node["meaning"],
            ),
            Text(
                x=x + BOX_WIDTH / 2,
                y=y + 19,
                text=fit(label, BOX_WIDTH - 8, 11),
                size=11,
                anchor=Anchor.MIDDLE,
                fill=palette.TEXT if who == "nobody" else palette.BLACK,
                halo=palette.WHITE if who == "nobody" else "",
                tip=node["meaning"],
            ),
        )


def _step(
    drawn: Scene, step: Mapping[str, Any], places: Mapping[str, Place], corner: Place, say: Catalogue
) -> None:
    (ax, ay), (bx, by) = (
        (x + corner[0], y + corner[1]) for x, y in (places[step["from"]], places[step["to"]])
    )
    if bx > ax:
        start, end = (ax + BOX_WIDTH, ay + BOX_HEIGHT / 2), (bx - 2, by + BOX_HEIGHT / 2)
        middle = (start[0] + end[0]) / 2
        points = (start, (middle, start[1]), (middle, end[1]), end)
    else:  # in one column, or back: from side to side around the boxes
        down = 1 if by > ay else -1
        start = (ax + BOX_WIDTH / 2, ay + (BOX_HEIGHT if down > 0 else 0))
        end = (bx + BOX_WIDTH / 2, by + (0 if down > 0 else BOX_HEIGHT))
        bend = 14 * down
        points = (start, (start[0], start[1] + bend), (end[0], end[1] - bend), end)
    cut = step["by"] == "nobody"
    drawn.add(
        Line(
            points=points,
            line=palette.LINE if cut else _LINES[step["by"]],
            line_width={"dockerfile": 3, "job": 2, "nobody": 1}[step["by"]],
            stroke=Stroke.DASHED if cut else Stroke.SOLID,
            arrow=not cut,
            curved=True,
        )
    )
    if step["needs"] and cut:
        x, y = (
            sum(weight * point[axis] for weight, point in zip((1, 3, 3, 1), points, strict=True)) / 8
            for axis in (0, 1)
        )
        drawn.add(
            Text(
                x=x,
                y=y + 4,
                text="✕",
                size=11,
                anchor=Anchor.MIDDLE,
                fill=palette.MUTED,
                halo=palette.WHITE,
                tip=say("figures.attack.needs", needs=step["needs"]),
            )
        )


def _legend(drawn: Scene, y: float, say: Catalogue) -> None:
    x: float = MARGIN
    for who, sign in (("dockerfile", "◆"), ("job", "◇"), ("nobody", "✕")):
        told = f"{sign} {say(f'figures.attack.legend.{who}')}"
        drawn.add(
            Line(
                points=((x, y), (x + 34, y)),
                line=_LINES[who],
                line_width={"dockerfile": 3, "job": 2, "nobody": 1}[who],
                stroke=Stroke.DASHED if who == "nobody" else Stroke.SOLID,
                arrow=who != "nobody",
            ),
            Text(x=x + 42, y=y + 4, text=told, size=11.5),
        )
        x += 42 + width(told, 11.5) + 18
