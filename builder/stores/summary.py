"""What a list of images says of each, kept beside the names: to list a thousand, no blob is opened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from builder.image.digest import Digest
from unionfs_sim.nodes.record import Record

if TYPE_CHECKING:
    from builder.image.image import Image


class Summary(Record):
    """One image in a list. ``id``: the digest of its config; ``size``: of all layers' tars, in bytes.

    ``scale``: see ``Image.scale``.
    """

    id: Digest
    layers: int
    size: int
    created: str | None
    platform: str
    scale: int = 1

    @classmethod
    def of(cls, image: Image) -> Summary:
        """What a list says of ``image``."""
        return cls(image.id, len(image.layers), image.size, image.created, str(image.platform), image.scale)

    def to_json(self) -> str:
        """The summary as text."""
        return json.dumps([self.id, self.layers, self.size, self.created, self.platform, self.scale])

    @classmethod
    def parse(cls, written: str) -> Summary:
        """The summary that ``to_json`` wrote."""
        return cls(*json.loads(written))
