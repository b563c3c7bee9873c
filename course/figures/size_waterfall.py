"""F3: where the bytes of an image come from, layer by layer, and which of them nobody can see."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from builder.image.analysis import ImageTree
from course.figures import mpl, svg
from course.figures.picture import Picture
from course.figures.scene import Scene
from course.figures.size_waterfall_layout import lay_out, told
from course.figures.stage_graph_layout import bytes_text
from course.figures.words import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Spec: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Weighed:
    """An image to be weighed: what made each of its layers, base first, and what they hold."""

    made_by: Sequence[str]
    tree: ImageTree


def of(images: Mapping[str, Weighed]) -> Picture:
    """The figure of some images, by name, below each other on one scale; see ``spec``."""
    return Picture(sys.modules[__name__], spec(images))


def spec(images: Mapping[str, Weighed]) -> dict[str, Any]:
    """The facts of the figure: for each layer its bytes of file contents, and how many are in no view.

    ``below``: the bytes of all layers below. Attributes, names and tar headers are not counted.
    """
    return {
        "figure": "size-waterfall",
        "images": [
            {
                "name": name,
                "bytes": image.tree.size_bytes,
                "dead": image.tree.wasted_bytes,
                "layers": list(_layers(image)),
            }
            for name, image in images.items()
        ],
    }


def _layers(image: Weighed) -> Iterator[dict[str, Any]]:
    below = 0
    for text, layer in zip(image.made_by, image.tree.layers, strict=True):
        yield {"text": text, "below": below, "bytes": layer.size_bytes, "dead": layer.hidden_bytes}
        below += layer.size_bytes


def draw(spec: Spec, *, ax: Axes | None = None) -> Axes:
    """The figure on matplotlib axes (new ones if ``ax`` is None)."""
    return mpl.render(scene(spec), ax=ax)


def as_svg(spec: Spec, *, prefix: str = "f3") -> str:
    """The figure as an SVG element."""
    return svg.render(scene(spec), prefix=prefix)


def as_text(spec: Spec) -> str:
    """The figure as lines: each image with its sum, then its layers."""
    say = words(spec)
    made: list[str] = []
    for image in spec["images"]:
        made.append(say("figures.sizes.sum", name=image["name"], **told(image)))
        for layer in image["layers"]:
            dead = (
                "  ▨ " + say("figures.stages.dead", bytes=bytes_text(layer["dead"])) if layer["dead"] else ""
            )
            made.append(f"  {bytes_text(layer['bytes']):>8}  {layer['text']}{dead}")
    return "\n".join(made) or say("figures.sizes.none")


def scene(spec: Spec) -> Scene:
    """The figure laid out."""
    return lay_out(spec, as_text(spec))
