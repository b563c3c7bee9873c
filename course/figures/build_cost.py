"""What each way of building paid to learn what a step had changed: a bar for each cost and way."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from course.figures import mpl, palette, svg
from course.figures.lettering import Face, fit
from course.figures.picture import Picture
from course.figures.scene import Anchor, Box, Scene, Text
from course.figures.stage_graph_layout import bytes_text
from course.figures.words import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from builder.comparison import Comparison

Spec: TypeAlias = Mapping[str, Any]

PAGE: Final = 880
LEFT: Final = 170
BAR: Final = 560
COLOURS: Final = (palette.BLUE, palette.ORANGE, palette.GREEN, palette.PURPLE, palette.VERMILION)
COSTS: Final = ("entries_scanned", "bytes_hashed", "bytes_copied_up")


def of(comparison: Comparison) -> Picture:
    """The figure of one comparison, in memory."""
    ways = [
        {
            "name": outcome.strategy.value,
            "entries_scanned": outcome.entries_scanned,
            "bytes_hashed": outcome.bytes_hashed,
            "bytes_copied_up": outcome.bytes_copied_up,
        }
        for outcome in comparison.outcomes
    ]
    return Picture(sys.modules[__name__], spec(ways))


def spec(ways: Sequence[Mapping[str, Any]], costs: Sequence[str] = COSTS) -> dict[str, Any]:
    """The facts of the figure: for each of ``ways``, by its name, the ``costs``, in the order given."""
    return {
        "figure": "build-cost",
        "costs": list(costs),
        "ways": [{"name": way["name"], **{cost: way[cost] for cost in costs}} for way in ways],
    }


def draw(spec: Spec, *, ax: Axes | None = None) -> Axes:
    """The figure on matplotlib axes (new ones if ``ax`` is None)."""
    return mpl.render(scene(spec), ax=ax)


def as_svg(spec: Spec, *, prefix: str = "cost") -> str:
    """The figure as an SVG element."""
    return svg.render(scene(spec), prefix=prefix)


def as_text(spec: Spec) -> str:
    """A line for each way."""
    say = words(spec)
    made = [
        f"{way['name']}: "
        + ", ".join(f"{say(f'figures.cost.{cost}')} {_told(cost, way[cost])}" for cost in spec["costs"])
        for way in spec["ways"]
    ]
    return "\n".join(made) or say("figures.cost.none")


def scene(spec: Spec) -> Scene:
    """The figure laid out: a group of bars for each cost, all bars of a group on one scale."""
    ways, say = spec["ways"], words(spec)
    group = 34 + 30 * len(ways)
    title = say("figures.cost.title")
    drawn = Scene(title, as_text(spec), PAGE, 60 + group * len(spec["costs"]))
    drawn.add(Text(x=20, y=34, text=title, size=18, face=Face.BOLD))
    for number, cost in enumerate(spec["costs"]):
        top = 56 + number * group
        most = max((way[cost] for way in ways), default=0)
        drawn.add(Text(x=20, y=top + 14, text=say(f"figures.cost.{cost}"), size=13, face=Face.BOLD))
        for place, way in enumerate(ways):
            y = top + 24 + 30 * place
            long = BAR * way[cost] / most if most else 0
            drawn.add(
                Text(x=LEFT - 10, y=y + 15, text=fit(way["name"], LEFT - 30, 12), size=12, anchor=Anchor.END),
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
