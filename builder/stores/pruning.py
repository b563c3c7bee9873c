"""What can be forgotten to make room: records of builds, by when they were last of use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from builder.image.digest import Digest
from unionfs_sim.nodes import record as nouns


class Record(nouns.Record):
    """One record: when it was last asked for or written, in seconds since 1970, and what it refers to."""

    key: str
    used: int
    digests: frozenset[Digest]


class Shares(nouns.Record):
    """Who needs which part of a store, in bytes. What an image needs counts as its own.

    ``images``, ``records``: how many there are.
    """

    images: int
    image_bytes: int
    records: int
    record_bytes: int
    unneeded_bytes: int


def shares(
    sizes: Mapping[Digest, int], images: int, named: Iterable[Digest], records: Iterable[Record]
) -> Shares:
    """How a store is divided. ``named``: everything that names lead to."""
    owned = set(named) & sizes.keys()
    listed = list(records)
    recorded = {digest for record in listed for digest in record.digests & sizes.keys()} - owned
    rest = sizes.keys() - owned - recorded

    def total(digests: Iterable[Digest]) -> int:
        return sum(sizes[digest] for digest in digests)

    return Shares(images, total(owned), len(listed), total(recorded), total(rest))


def forgettable(
    records: Iterable[Record],
    sizes: Mapping[Digest, int],
    named: Iterable[Digest],
    *,
    before: int | None = None,
    keep_bytes: int | None = None,
) -> Iterator[str]:
    """The keys of the records to forget: those not used since ``before``, then those used longest ago.

    ``keep_bytes``: what names and the remaining records may need together; names are never forgotten.
    """
    kept = set(named) & sizes.keys()
    needed = sum(sizes[digest] for digest in kept)
    for record in sorted(records, key=lambda record: (-record.used, record.key)):
        if before is not None and record.used < before:
            yield record.key
            continue
        more = (record.digests & sizes.keys()) - kept
        costs = sum(sizes[digest] for digest in more)
        if keep_bytes is not None and costs and needed + costs > keep_bytes:
            yield record.key
            continue
        kept |= more
        needed += costs
