"""What each way of building paid to learn what a step had changed: a bar for each cost and way."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from course.figures import mpl, palette, svg
from course.figures.lettering import Face
from course.figures.picture import Picture
from course.figures.scene import Anchor, Box, Scene, Text
from course.figures.stage_graph_layout import bytes_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from builder.comparison import Comparison

Spec: TypeAlias = Mapping[str, Any]

LEFT: Final = 150
BAR: Final = 460
COLOURS: Final = (palette.BLUE, palette.ORANGE, palette.GREEN, palette.PURPLE, palette.VERMILION)
COSTS: Final = ("entries looked at", "bytes hashed", "bytes copied up")


def of(comparison: Comparison) -> Picture:
    """The figure of one comparison."""
    return Picture(sys.modules[__name__], spec(comparison))


def spec(comparison: Comparison) -> dict[str, Any]:
    """The costs of every way that was tried, in the order of the comparison."""
    return {
        "figure": "build-cost",
        "title": "What it cost to learn what each step had changed",
        "ways": [
            {
                "name": outcome.strategy.value,
                "entries looked at": outcome.entries_scanned,
                "bytes hashed": outcome.bytes_hashed,
                "bytes copied up": outcome.bytes_copied_up,
            }
            for outcome in comparison.outcomes
        ],
    }


def draw(spec: Spec, *, ax: Axes | None = None) -> Axes:
    """The figure on matplotlib axes (new ones if ``ax`` is None)."""
    return mpl.render(scene(spec), ax=ax)


def as_svg(spec: Spec, *, prefix: str = "cost") -> str:
    """The figure as an SVG element."""
    return svg.render(scene(spec), prefix=prefix)


def as_text(spec: Spec) -> str:
    """A line for each way."""
    return "\n".join(
        f"{way['name']}: " + ", ".join(f"{_told(cost, way[cost])} {cost}" for cost in COSTS)
        for way in spec["ways"]
    )


def scene(spec: Spec) -> Scene:
    """The figure laid out: a group of bars for each cost, all bars of a group on one scale."""
    ways = spec["ways"]
    group = 34 + 30 * len(ways)
    drawn = Scene(spec["title"], as_text(spec), LEFT + BAR + 140, 60 + group * len(COSTS))
    drawn.add(Text(x=20, y=32, text=spec["title"], size=16, face=Face.BOLD))
    for number, cost in enumerate(COSTS):
        top = 56 + number * group
        most = max((way[cost] for way in ways), default=0)
        drawn.add(Text(x=20, y=top + 14, text=cost, size=13, face=Face.BOLD))
        for place, way in enumerate(ways):
            y = top + 24 + 30 * place
            long = BAR * way[cost] / most if most else 0
            drawn.add(
                Text(x=LEFT - 10, y=y + 15, text=way["name"], size=12, anchor=Anchor.END),
                Box(
                    x=LEFT,
                    y=y,
                    w=max(long, 1),
                    h=20,
                    fill=palette.WHITE if place % 2 else COLOURS[place % len(COLOURS)],
                    line=COLOURS[place % len(COLOURS)],
                    hatched=place % 2 == 1 and long > 1,
                    radius=0,
                ),
                Text(x=LEFT + max(long, 1) + 8, y=y + 15, text=_told(cost, way[cost]), size=12),
            )
    return drawn


def _told(cost: str, amount: int) -> str:
    return bytes_text(amount) if cost.startswith("bytes") else f"{amount:,}"
