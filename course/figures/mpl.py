"""Draws a scene on matplotlib axes, with the same coordinates as the SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.errors import BuildError
from course.figures import palette
from course.figures.lettering import Face
from course.figures.scene import Anchor, Box, Line, Scene, Stroke, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PIXELS_PER_INCH = 100
_POINTS = 72 / PIXELS_PER_INCH
_STYLES = {Stroke.SOLID: "solid", Stroke.DASHED: (0, (4, 2.5)), Stroke.DOTTED: (0, (1.2, 1.8))}
_ANCHORS = {Anchor.START: "left", Anchor.MIDDLE: "center", Anchor.END: "right"}


def render(scene: Scene, *, ax: Axes | None = None) -> Axes:
    """The axes with the scene drawn on them; a figure of its own only if ``ax`` is None.

    Raises BuildError, naming the extra to install, where matplotlib is missing.
    """
    if ax is None:
        ax = _new_axes(scene)
    ax.set_xlim(0, scene.width)
    ax.set_ylim(scene.height, 0)
    ax.set_aspect("equal")
    ax.set_axis_off()
    for order, shape in enumerate(scene.shapes):
        match shape:
            case Box():
                _box(ax, shape, order)
            case Text():
                _text(ax, shape, order)
            case Line():
                _line(ax, shape, order)
    return ax


def _new_axes(scene: Scene) -> Axes:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise BuildError("matplotlib is not installed", fix="pip install 'layerlab[viz]'") from None
    figure = Figure(
        figsize=(scene.width / PIXELS_PER_INCH, scene.height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH
    )
    return figure.add_axes((0, 0, 1, 1))


def _box(ax: Axes, box: Box, order: int) -> None:
    from matplotlib.patches import FancyBboxPatch

    ax.add_patch(
        FancyBboxPatch(
            (box.x, box.y),
            box.w,
            box.h,
            boxstyle=f"round,pad=0,rounding_size={min(box.radius, box.w / 2, box.h / 2)}"
            if box.radius
            else "square,pad=0",
            facecolor=box.fill,
            edgecolor=palette.HATCH if box.hatched else box.line,
            linewidth=box.line_width * _POINTS,
            linestyle=_STYLES[box.stroke],
            hatch="////" if box.hatched else None,
            zorder=order,
        )
    )


def _text(ax: Axes, text: Text, order: int) -> None:
    from matplotlib.patheffects import withStroke

    ax.text(
        text.x,
        text.y,
        _drawable(text.text),
        fontsize=text.size * _POINTS,
        fontweight="bold" if text.face is Face.BOLD else "normal",
        family=["DejaVu Sans Mono"] if text.face is Face.MONO else ["DejaVu Sans"],
        color=text.fill,
        ha=_ANCHORS[text.anchor],
        va="baseline",
        zorder=order,
        path_effects=[withStroke(linewidth=4, foreground=text.halo)] if text.halo else None,
        parse_math=False,
    )


def _line(ax: Axes, line: Line, order: int) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    codes = [Path.MOVETO] + [Path.CURVE4 if line.curved else Path.LINETO] * (len(line.points) - 1)
    ax.add_patch(
        FancyArrowPatch(
            path=Path(line.points, codes),
            arrowstyle="-|>,head_width=3.2,head_length=6" if line.arrow else "-",
            shrinkA=0,
            shrinkB=0,
            color=line.line,
            linewidth=line.line_width * _POINTS,
            linestyle=_STYLES[line.stroke],
            zorder=order,
        )
    )


def _drawable(text: str) -> str:
    """Text that a font can draw: names of files may hold any byte."""
    shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in shown)
