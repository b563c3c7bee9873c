"""Where everything of F1 stands: rows are layers with the base lowest, columns are paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from course.catalogue import Catalogue
from course.figures import palette
from course.figures.lettering import Face, fit, width
from course.figures.scene import Anchor, Box, Line, Scene, Stroke, Text
from course.figures.words import words

LEFT: Final = 196
TOP: Final = 68
VIEW_HEIGHT: Final = 64
PAGE: Final = 880
"""What up to seven columns fit into."""


def lay_out(spec: Mapping[str, Any], described: str) -> Scene:
    """The figure laid out; ``described``: the same facts in words."""
    layers, paths, say = spec["layers"], spec["paths"], words(spec)
    grid = _Grid(len(layers), len(paths))
    title, subtitle = (say(f"figures.overlay.{part}") for part in ("title", "subtitle"))
    drawn = Scene(title, described, grid.width, grid.height)
    drawn.add(
        Text(x=20, y=26, text=fit(title, grid.width - 40, 17, Face.BOLD), size=17, face=Face.BOLD),
        Text(x=20, y=48, text=fit(subtitle, grid.width - 40, 12.5), size=12.5, fill=palette.MUTED),
    )
    _panels(drawn, grid, layers, say)
    for number, column in enumerate(paths):
        _column(drawn, grid, number, column, say)
    if not paths:
        empty = say("figures.overlay.empty")
        drawn.add(Text(x=LEFT + 20, y=TOP + 38, text=empty, fill=palette.MUTED))
    _legend(drawn, grid, say)
    return drawn


class _Grid:
    """Where rows and columns lie. Row 0 is the base, drawn lowest."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.pitch = 128.0 if rows <= 5 else 92.0
        self.panel = self.pitch - 28
        self.step = max(94.0, min(137.0, (PAGE - LEFT - 24) / max(columns, 1)))
        self.box = self.step - min(42.0, max(16.0, self.step - 95))
        self.first = TOP + VIEW_HEIGHT + 64
        self.bottom = self.first + max(rows, 1) * self.pitch
        self.width = max(LEFT + columns * self.step + 24, PAGE)
        self.height = self.bottom + 84

    def x(self, column: int) -> float:
        """The middle of a column."""
        return LEFT + (column + 0.5) * self.step

    def y(self, layer: int) -> float:
        """The top of a layer's panel."""
        return self.first + (self.rows - 1 - layer) * self.pitch

    def cell(self, column: int, layer: int) -> tuple[float, float, float, float]:
        """x, y, width, height of a cell's box."""
        high = min(self.panel - 20, 64.0)
        return (self.x(column) - self.box / 2, self.y(layer) + (self.panel - high) / 2, self.box, high)


def _panels(drawn: Scene, grid: _Grid, layers: Sequence[Mapping[str, Any]], say: Catalogue) -> None:
    room = LEFT - 30
    drawn.add(
        Text(
            x=LEFT - 14,
            y=TOP + 34,
            text=say("figures.overlay.view"),
            size=15,
            face=Face.BOLD,
            anchor=Anchor.END,
        ),
        Text(
            x=LEFT - 14,
            y=TOP + 56,
            text=say("figures.overlay.view-is"),
            size=11.5,
            anchor=Anchor.END,
            fill=palette.MUTED,
        ),
    )
    for number, layer in enumerate(layers):
        top, upper = grid.y(number), layer["role"] == "upper"
        face = Face.BOLD if upper else Face.REGULAR
        drawn.add(
            Box(
                x=LEFT,
                y=top,
                w=grid.width - LEFT - 20,
                h=grid.panel,
                fill=palette.UPPER_PANEL if upper else palette.PANEL,
                line=palette.ORANGE if upper else palette.LINE,
                line_width=2.5 if upper else 1.5,
                stroke=Stroke.DASHED if upper else Stroke.SOLID,
            ),
            Text(
                x=LEFT - 14,
                y=top + grid.panel / 2 - 2,
                text=fit(layer["name"], room, 14, face),
                size=14,
                face=face,
                anchor=Anchor.END,
                tip=layer["name"],
            ),
            Text(
                x=LEFT - 14,
                y=top + grid.panel / 2 + 18,
                text=say("figures.overlay.read-write" if upper else "figures.overlay.read-only"),
                size=11.5,
                anchor=Anchor.END,
                fill=palette.MUTED,
            ),
        )


def _column(drawn: Scene, grid: _Grid, number: int, column: Mapping[str, Any], say: Catalogue) -> None:
    x, visible, reached = grid.x(number), column["visible"], column["reached"]
    colour = palette.GREEN if visible else palette.VERMILION
    cells = {cell["layer"]: cell for cell in column["cells"]}
    if reached is not None:
        _, top, _, _ = grid.cell(number, reached)
        drawn.add(
            Line(
                points=((x, TOP + VIEW_HEIGHT + 5), (x, top - 3)),
                line=colour,
                line_width=2.5,
                stroke=Stroke.SOLID if visible else Stroke.DASHED,
                arrow=True,
            )
        )
        below = min(cells, default=reached)
        if below < reached:
            _, start, _, high = grid.cell(number, reached)
            _, end, _, _ = grid.cell(number, below)
            drawn.add(
                Line(
                    points=((x, start + high), (x, end)),
                    line=palette.GREYED,
                    line_width=1.3,
                    stroke=Stroke.DOTTED,
                )
            )
    for cell in column["cells"]:
        _cell(drawn, grid, number, cell, column["path"], say)
    if column["copied_up_from"] is not None and reached is not None:
        _copy_up(drawn, grid, number, column["copied_up_from"], reached)
    _view(drawn, grid, number, column)


def _view(drawn: Scene, grid: _Grid, number: int, column: Mapping[str, Any]) -> None:
    """The box of the merged view: the name and its directory, or the error."""
    left, wide = grid.x(number) - grid.box / 2 - 4, grid.box + 8
    visible = column["visible"]
    above, _, leaf = column["path"].rpartition("/")
    colour = palette.GREEN if visible else palette.VERMILION
    drawn.add(
        Box(
            x=left,
            y=TOP,
            w=wide,
            h=VIEW_HEIGHT,
            fill=palette.VISIBLE_PANEL if visible else palette.WHITE,
            line=colour,
            line_width=2.5,
            stroke=Stroke.SOLID if visible else Stroke.DOTTED,
            tip=column["path"],
        ),
        Text(
            x=grid.x(number),
            y=TOP + 25,
            text=fit(leaf or "/", wide - 10, 13, Face.BOLD),
            size=13,
            face=Face.BOLD if visible else Face.REGULAR,
            anchor=Anchor.MIDDLE,
            fill=palette.BLACK if visible else palette.MUTED,
        ),
        Text(
            x=grid.x(number),
            y=TOP + 41,
            text=fit(above or "/", wide - 10, 10.5),
            size=10.5,
            anchor=Anchor.MIDDLE,
            fill=palette.MUTED,
        ),
    )
    if not visible:
        drawn.add(
            Text(
                x=grid.x(number),
                y=TOP + 57,
                text="✗ ENOENT",
                size=11,
                face=Face.BOLD,
                anchor=Anchor.MIDDLE,
                fill=palette.VERMILION,
            )
        )


def _cell(drawn: Scene, grid: _Grid, number: int, cell: Mapping[str, Any], path: str, say: Catalogue) -> None:
    x, y, wide, high = grid.cell(number, cell["layer"])
    state = cell["state"]
    fill, line, ink, halo = {
        "wins": (palette.BLUE, palette.BLUE, palette.WHITE, ""),
        "copied-up": (palette.BLUE, palette.BLUE, palette.WHITE, ""),
        "merged": (palette.BLUE, palette.BLUE, palette.WHITE, ""),
        "shadowed": (palette.WHITE, palette.GREYED, palette.TEXT, palette.WHITE),
        "whiteout": (palette.WHITE, palette.VERMILION, palette.VERMILION, ""),
        "opaque": (palette.VERMILION, palette.VERMILION, palette.WHITE, ""),
    }[state]
    named = say(f"figures.overlay.states.{state}")
    word = f"✗ {named}" if state == "whiteout" else named
    detail = cell["detail"]
    middle = y + high / 2 + 4
    drawn.add(
        Box(
            x=x,
            y=y,
            w=wide,
            h=high,
            fill=fill,
            line=line,
            line_width=3 if state == "whiteout" else 1.5,
            hatched=state == "shadowed",
            radius=0 if state in ("whiteout", "opaque") else 6,
            tip=f"{path}: {named}{', ' + detail if detail else ''}",
        ),
        Text(
            x=grid.x(number),
            y=middle - (8 if detail else 0),
            text=fit(word, wide - 6, 11.5, Face.BOLD),
            size=11.5,
            face=Face.REGULAR if state == "shadowed" else Face.BOLD,
            anchor=Anchor.MIDDLE,
            fill=ink,
            halo=halo,
        ),
    )
    if detail:
        drawn.add(
            Text(
                x=grid.x(number),
                y=middle + 9,
                text=fit(detail, wide - 6, 10.5),
                size=10.5,
                anchor=Anchor.MIDDLE,
                fill=ink,
                halo=halo,
            )
        )


def _copy_up(drawn: Scene, grid: _Grid, number: int, source: int, target: int) -> None:
    left, top, wide, high = grid.cell(number, target)
    _, bottom, _, from_high = grid.cell(number, source)
    edge, out = left + wide, min(20.0, grid.step - grid.box - 6)
    start, end = (edge, bottom + from_high / 2), (edge, top + high / 2)
    drawn.add(
        Line(
            points=(start, (edge + out, start[1] - 10), (edge + out, end[1] + 20), end),
            line=palette.ORANGE,
            line_width=3.5,
            arrow=True,
            curved=True,
        )
    )


def _legend(drawn: Scene, grid: _Grid, say: Catalogue) -> None:
    y, x = grid.bottom + 14, 20.0
    boxes = (
        (
            say("figures.overlay.legend.answers"),
            Box(x=0, y=0, w=20, h=16, fill=palette.BLUE, line=palette.BLUE),
        ),
        (
            say("figures.overlay.legend.shadowed"),
            Box(x=0, y=0, w=20, h=16, hatched=True, line=palette.GREYED),
        ),
        (
            say("figures.overlay.legend.whiteout"),
            Box(x=0, y=0, w=20, h=16, line=palette.VERMILION, line_width=3, radius=0),
        ),
        (
            say("figures.overlay.legend.opaque"),
            Box(x=0, y=0, w=20, h=16, fill=palette.VERMILION, line=palette.VERMILION, radius=0),
        ),
    )
    for told, sample in boxes:
        drawn.add(
            Box(
                x=x,
                y=y,
                w=20,
                h=16,
                fill=sample.fill,
                line=sample.line,
                line_width=sample.line_width,
                hatched=sample.hatched,
                radius=sample.radius,
            ),
            Text(x=x + 28, y=y + 13, text=told, size=11.5),
        )
        x += 28 + width(told, 11.5) + 26
    y, x = y + 30, 20.0
    strokes = (
        (say("figures.overlay.legend.found"), palette.GREEN, Stroke.SOLID),
        (say("figures.overlay.legend.stopped"), palette.VERMILION, Stroke.DASHED),
        (say("figures.overlay.legend.copy-up"), palette.ORANGE, Stroke.SOLID),
    )
    for told, colour, stroke in strokes:
        drawn.add(
            Line(points=((x, y + 8), (x + 30, y + 8)), line=colour, line_width=3, stroke=stroke, arrow=True),
            Text(x=x + 40, y=y + 12, text=told, size=11.5),
        )
        x += 40 + width(told, 11.5) + 26
