"""What ``layerlab build --report`` hands to whoever draws it; the page itself is the course's business."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from builder.events import Event
from builder.image.image import Image
from unionfs_sim.nodes.record import Record

if TYPE_CHECKING:
    from unionfs_sim.layers.layer import Layer


class BuildReport(Record):
    """A build that is done. ``layers``: base first; ``sizes``: bytes of each layer's tar, by DiffID."""

    name: str
    image: Image
    layers: tuple[Layer, ...]
    events: tuple[Event, ...]
    sizes: Mapping[str, int]


Reporter: TypeAlias = Callable[[BuildReport, Path], None]
"""Writes a report to a path; BuildError where that is impossible."""
