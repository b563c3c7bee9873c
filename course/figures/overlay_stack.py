"""F1: which layer answers each path. Rows are layers, columns paths, an arrow a search from the top."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from course.figures import mpl, palette, svg
from course.figures.lettering import Face, fit, width
from course.figures.picture import Picture
from course.figures.scene import Anchor, Box, Line, Scene, Stroke, Text
from unionfs_sim.explain import Answer, Explanation, Says, explain
from unionfs_sim.layer import Layer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unionfs_sim.union import Union

Spec: TypeAlias = Mapping[str, Any]

TITLE: Final = (
    "Which layer answers the lookup? Search starts at the top and stops at the first file or whiteout"
)
MOST_PATHS: Final = 16
LEFT: Final = 196
TOP: Final = 68
VIEW_HEIGHT: Final = 64
WORDS: Final = {
    "wins": "WINS",
    "merged": "merged",
    "shadowed": "shadowed",
    "whiteout": "whiteout",
    "opaque": "opaque",
    "copied-up": "copy-up",
}


def of(union: Union, paths: Sequence[str] = (), names: Sequence[str] = ()) -> Picture:
    """The figure of a union. ``paths``: the columns (default: what its layers tell, at most ``MOST_PATHS``).

    ``names``: what to call the lowers, base first.
    """
    return Picture(sys.modules[__name__], spec(union, paths, names))


def spec(union: Union, paths: Sequence[str] = (), names: Sequence[str] = ()) -> dict[str, Any]:
    """The facts of the figure: for every path what each layer says, as ``Union.explain`` tells it."""
    titles = [*names, *(f"L{number}" for number in range(len(names), len(union.lowers)))]
    layers = [{"name": title, "role": "lower"} for title in titles]
    if union.upper is not None:
        layers.append({"name": "upper", "role": "upper"})
    chosen = list(paths) or _telling_paths(union)
    return {
        "figure": "overlay-stack",
        "title": TITLE,
        "layers": layers,
        "paths": [_column_of(explain(union, path, titles), union) for path in chosen],
    }


def _telling_paths(union: Union) -> list[str]:
    """Paths worth a column: those that upper layers touched first, then what the base has.

    Directories count only where they are empty, opaque or deleted: the others just lead somewhere.
    """
    layers = [layer for layer in (*union.lowers, union.upper) if isinstance(layer, Layer)]
    held: dict[str, int] = {}
    for number, layer in enumerate(layers):
        for path, inode in layer.inodes():
            if path != "/" and not inode.children:
                held[path] = max(number, held.get(path, 0))
    chosen = sorted(held, key=lambda path: (held[path] == 0, path))[:MOST_PATHS]
    return sorted(chosen)


def _column_of(explanation: Explanation, union: Union) -> dict[str, Any]:
    cells = [_cell_of(answer, explanation) for answer in explanation.answers]
    upper = len(union.lowers) if union.upper is not None else None
    below = [each.layer for each in explanation.answers if each.kind and each.layer != upper]
    copied = (
        explanation.answered_by == upper and upper is not None and bool(below) and not _is_new(explanation)
    )
    reached = explanation.answered_by if explanation.is_visible else explanation.stopped_by
    made = [cell for cell in cells if cell is not None]
    if copied:
        made[0]["state"] = "copied-up"
    return {
        "path": explanation.path,
        "visible": explanation.is_visible,
        "reached": reached,
        "copied_up_from": max(below) if copied else None,
        "cells": made,
    }


def _is_new(explanation: Explanation) -> bool:
    """Whether the upper's entry replaced the lower one instead of being copied from it."""
    top, below = explanation.answers[0], [each for each in explanation.answers[1:] if each.kind]
    return top.kind != below[0].kind or top.says is Says.OPAQUE


def _cell_of(answer: Answer, explanation: Explanation) -> dict[str, Any] | None:
    """How a layer's answer is drawn; None where there is nothing to draw."""
    leaf = answer.at.rpartition("/")[2]
    match answer.says:
        case Says.WHITEOUT:
            return {"layer": answer.layer, "state": "whiteout", "detail": f".wh.{leaf}"}
        case Says.BLOCKED:
            return {"layer": answer.layer, "state": "whiteout", "detail": f"{leaf} is a file"}
        case Says.OPAQUE if not answer.kind or answer.at == explanation.path:
            return {"layer": answer.layer, "state": "opaque", "detail": f"{leaf}/"}
        case Says.ANSWERS | Says.OPAQUE:
            return {"layer": answer.layer, "state": "wins", "detail": ""}
        case Says.MERGED:
            return {"layer": answer.layer, "state": "merged", "detail": ""}
        case Says.SHADOWED:
            return {"layer": answer.layer, "state": "shadowed", "detail": ""}
        case Says.NOTHING:
            return None


def draw(spec: Spec, *, ax: Axes | None = None) -> Axes:
    """The figure on matplotlib axes (new ones if ``ax`` is None)."""
    return mpl.render(scene(spec), ax=ax)


def as_svg(spec: Spec, *, prefix: str = "f1") -> str:
    """The figure as an SVG element."""
    return svg.render(scene(spec), prefix=prefix)


def as_text(spec: Spec) -> str:
    """The figure as lines of text: a row for each path, from the answer down to what it hides.

    Whoever cannot see the picture reads the same facts here.
    """
    return "\n".join(_sentence(spec, column) for column in spec["paths"]) or "no paths"


def scene(spec: Spec) -> Scene:
    """The figure laid out."""
    layers, paths = spec["layers"], spec["paths"]
    grid = _Grid(len(layers), len(paths))
    described = as_text(spec)
    drawn = Scene(spec["title"], described, grid.width, grid.height)
    drawn.add(
        Text(x=20, y=34, text=fit(spec["title"], grid.width - 40, 18, Face.BOLD), size=18, face=Face.BOLD)
    )
    _panels(drawn, grid, layers)
    for number, column in enumerate(paths):
        _column(drawn, grid, number, column)
    if not paths:
        drawn.add(
            Text(x=LEFT + 20, y=TOP + 38, text="the union is empty: no path to look up", fill=palette.MUTED)
        )
    _legend(drawn, grid)
    return drawn


class _Grid:
    """Where rows and columns lie. Row 0 is the base, drawn lowest."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.pitch = 128.0 if rows <= 5 else 92.0
        self.panel = self.pitch - 28
        self.step = 137.0 if columns <= 7 else 112.0 if columns <= 14 else 92.0
        self.box = self.step - 42 if columns <= 7 else self.step - 16
        self.first = TOP + VIEW_HEIGHT + 64
        self.bottom = self.first + max(rows, 1) * self.pitch
        self.width = max(LEFT + columns * self.step + 24, 1040.0)
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


def _panels(drawn: Scene, grid: _Grid, layers: Sequence[Mapping[str, Any]]) -> None:
    room = LEFT - 30
    drawn.add(
        Text(x=LEFT - 14, y=TOP + 34, text="merged view", size=15, face=Face.BOLD, anchor=Anchor.END),
        Text(x=LEFT - 14, y=TOP + 56, text="what ls shows", size=11.5, anchor=Anchor.END, fill=palette.MUTED),
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
                text="read-write" if upper else "read-only",
                size=11.5,
                anchor=Anchor.END,
                fill=palette.MUTED,
            ),
        )


def _column(drawn: Scene, grid: _Grid, number: int, column: Mapping[str, Any]) -> None:
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
                    points=((x, start + high), (x, end)), line="#888888", line_width=1.3, stroke=Stroke.DOTTED
                )
            )
    for cell in column["cells"]:
        _cell(drawn, grid, number, cell, column["path"])
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


def _cell(drawn: Scene, grid: _Grid, number: int, cell: Mapping[str, Any], path: str) -> None:
    x, y, wide, high = grid.cell(number, cell["layer"])
    state = cell["state"]
    fill, line, ink, halo = {
        "wins": (palette.BLUE, palette.BLUE, palette.WHITE, ""),
        "copied-up": (palette.BLUE, palette.BLUE, palette.WHITE, ""),
        "merged": (palette.BLUE, palette.BLUE, palette.WHITE, ""),
        "shadowed": (palette.WHITE, "#888888", palette.TEXT, palette.WHITE),
        "whiteout": (palette.WHITE, palette.VERMILION, palette.VERMILION, ""),
        "opaque": (palette.VERMILION, palette.VERMILION, palette.WHITE, ""),
    }[state]
    word = f"✗ {WORDS[state]}" if state == "whiteout" else WORDS[state]
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
            tip=f"{path}: {WORDS[state]}{', ' + detail if detail else ''}",
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


def _legend(drawn: Scene, grid: _Grid) -> None:
    y, x = grid.bottom + 14, 60.0
    boxes = (
        ("answers (visible)", Box(x=0, y=0, w=20, h=16, fill=palette.BLUE, line=palette.BLUE)),
        ("shadowed: in the image, in no view", Box(x=0, y=0, w=20, h=16, hatched=True, line="#888888")),
        (
            "whiteout: hides one name",
            Box(x=0, y=0, w=20, h=16, line=palette.VERMILION, line_width=3, radius=0),
        ),
        (
            "opaque: hides all below",
            Box(x=0, y=0, w=20, h=16, fill=palette.VERMILION, line=palette.VERMILION, radius=0),
        ),
    )
    for words, sample in boxes:
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
            Text(x=x + 28, y=y + 13, text=words, size=11.5),
        )
        x += 28 + width(words, 11.5) + 26
    y, x = y + 30, 60.0
    strokes = (
        ("lookup: found", palette.GREEN, Stroke.SOLID),
        ("lookup: stopped", palette.VERMILION, Stroke.DASHED),
        ("copy-up on write", palette.ORANGE, Stroke.SOLID),
    )
    for words, colour, stroke in strokes:
        drawn.add(
            Line(points=((x, y + 8), (x + 30, y + 8)), line=colour, line_width=3, stroke=stroke, arrow=True),
            Text(x=x + 40, y=y + 12, text=words, size=11.5),
        )
        x += 40 + width(words, 11.5) + 26


def _sentence(spec: Spec, column: Mapping[str, Any]) -> str:
    """One path in words."""
    names = [layer["name"] for layer in spec["layers"]]
    parts = [f"{WORDS[cell['state']].lower()} in {names[cell['layer']]}" for cell in column["cells"]]
    ending = "visible" if column["visible"] else "ENOENT"
    copied = column["copied_up_from"]
    return (
        f"{column['path']}: {ending}; "
        + ", ".join(_or_nothing(parts))
        + (f"; copied up from {names[copied]}" if copied is not None else "")
    )


def _or_nothing(parts: Sequence[str]) -> Iterable[str]:
    return parts or ("in no layer",)
