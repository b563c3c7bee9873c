"""A picture as shapes with coordinates: laid out once, then drawn by SVG or by matplotlib.

Origin top left, x to the right, y down, in pixels. Layout is done without a font engine, so a test can
ask whether two texts overlap, and every renderer draws the same thing.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from course.figures import palette
from course.figures.lettering import Face, width


class Anchor(enum.Enum):
    """Which point of a text its x names."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


class Stroke(enum.Enum):
    """How a line is broken."""

    SOLID = "solid"
    DASHED = "dashed"
    DOTTED = "dotted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle. ``tip``: what a pointer resting on it is told."""

    x: float
    y: float
    w: float
    h: float
    fill: str = palette.WHITE
    line: str = palette.LINE
    line_width: float = 1.5
    stroke: Stroke = Stroke.SOLID
    hatched: bool = False
    radius: float = 5
    tip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One line of text; ``y`` is its baseline. ``halo``: the colour behind it, where it crosses a pattern."""

    x: float
    y: float
    text: str
    size: float = 12
    face: Face = Face.REGULAR
    anchor: Anchor = Anchor.START
    fill: str = palette.TEXT
    halo: str = ""
    tip: str = ""

    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom, in pixels."""
        wide = width(self.text, self.size, self.face)
        shift = {Anchor.START: 0.0, Anchor.MIDDLE: wide / 2, Anchor.END: wide}[self.anchor]
        return (self.x - shift, self.y - 0.76 * self.size, self.x - shift + wide, self.y + 0.24 * self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A polyline, or a cubic Bézier curve if ``curved`` (four points)."""

    points: tuple[tuple[float, float], ...]
    line: str = palette.TEXT
    line_width: float = 2
    stroke: Stroke = Stroke.SOLID
    arrow: bool = False
    curved: bool = False


Shape: TypeAlias = Box | Text | Line


@dataclass(slots=True)
class Scene:
    """A picture being laid out. ``describe``: what it says, for those who cannot see it."""

    title: str
    describe: str
    width: float
    height: float
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        """Put ``shapes`` on top of those already there."""
        self.shapes.extend(shapes)

    def texts(self) -> Iterator[Text]:
        """All texts, in drawing order."""
        return (shape for shape in self.shapes if isinstance(shape, Text))
