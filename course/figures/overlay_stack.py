"""F1: which layer answers each path. Rows are layers, columns paths, an arrow a search from the top."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from course.figures import mpl, svg
from course.figures.overlay_stack_layout import lay_out
from course.figures.picture import Picture
from course.figures.scene import Scene
from course.figures.words import words
from unionfs_sim.layers.layer import Layer
from unionfs_sim.overlay.explain import Answer, Explanation, Says

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unionfs_sim.mounting import Union

Spec: TypeAlias = Mapping[str, Any]

MOST_PATHS: Final = 7
"""As many columns as a page has room for."""


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
        "layers": layers,
        "paths": [_column_of(union.explain(path, titles), union) for path in chosen],
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
        case Says.SHADOWED | Says.DATA:
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
    return "\n".join(_sentence(spec, column) for column in spec["paths"]) or words(spec)(
        "figures.overlay.empty"
    )


def scene(spec: Spec) -> Scene:
    """The figure laid out."""
    return lay_out(spec, as_text(spec))


def _sentence(spec: Spec, column: Mapping[str, Any]) -> str:
    """One path in words."""
    names = [layer["name"] for layer in spec["layers"]]
    say = words(spec)
    parts = [
        say(
            "figures.overlay.in-layer",
            state=say(f"figures.overlay.states.{cell['state']}").lower(),
            layer=names[cell["layer"]],
        )
        for cell in column["cells"]
    ] or [say("figures.overlay.in-none")]
    ending = say("figures.overlay.visible") if column["visible"] else "ENOENT"
    copied = column["copied_up_from"]
    tail = "" if copied is None else "; " + say("figures.overlay.copied-from", layer=names[copied])
    return f"{column['path']}: {ending}; {', '.join(parts)}{tail}"
