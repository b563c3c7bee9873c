"""What an image ships and nobody can see, in few words: which file, in which layer, and what hid it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from unionfs_sim.nodes.record import Record

if TYPE_CHECKING:
    from builder.image.analysis import ImageTree

_NAMED: Final = 3
_CACHES: Final = (
    "/var/cache/apk/",
    "/var/cache/apt/",
    "/var/cache/dnf/",
    "/var/cache/yum/",
    "/var/lib/apt/lists/",
    "/root/.cache/",
    "/root/.npm/",
    "/usr/local/share/.cache/",
)
"""Where package managers keep what they fetched."""


class HiddenFile(Record):
    """A file that is in ``layer`` and that ``by`` hides; both counted from the base, which is 0."""

    path: str
    size_bytes: int
    layer: int
    by: int


class Waste(Record):
    """The bytes of an image's files, and those of them that no view shows.

    ``largest``: the files that waste most. ``hides``: bytes of lower layers that each layer hides;
    ``caches``: bytes that each layer holds where package managers keep what they fetched.
    """

    size_bytes: int
    wasted_bytes: int
    largest: tuple[HiddenFile, ...]
    hides: Mapping[int, int]
    caches: Mapping[int, int]

    @classmethod
    def of(cls, tree: ImageTree) -> Waste:
        """What ``tree`` wastes."""
        hidden = []
        hides: dict[int, int] = {}
        caches: dict[int, int] = {}
        for path, record in tree.paths.items():
            is_cache = path.startswith(_CACHES)
            for held in record.held:
                if held.hidden_by is not None:
                    hidden.append(HiddenFile(path, held.size_bytes, held.layer, held.hidden_by))
                    hides[held.hidden_by] = hides.get(held.hidden_by, 0) + held.size_bytes
                if is_cache and held.size_bytes:
                    caches[held.layer] = caches.get(held.layer, 0) + held.size_bytes
        largest = sorted((each for each in hidden if each.size_bytes), key=lambda each: -each.size_bytes)
        return cls(tree.size_bytes, tree.wasted_bytes, tuple(largest[:_NAMED]), hides, caches)

    def record(self) -> dict[str, Any]:
        """What ``read`` makes it of again, as JSON has it."""
        return {
            "bytes": [self.size_bytes, self.wasted_bytes],
            "largest": [[each.path, each.size_bytes, each.layer, each.by] for each in self.largest],
            "hides": sorted(self.hides.items()),
            "caches": sorted(self.caches.items()),
        }

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Waste:
        """The waste that ``record`` tells of."""
        size, wasted = record["bytes"]
        largest = tuple(HiddenFile(*each) for each in record["largest"])
        return cls(size, wasted, largest, _pairs(record["hides"]), _pairs(record["caches"]))


def _pairs(written: Iterable[Sequence[int]]) -> dict[int, int]:
    return {each[0]: each[1] for each in written}
