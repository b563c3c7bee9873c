"""Names for bytes: the three kinds of digest, which never stand in for one another."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Final, NewType

from builder.errors import ImageFormatError

Digest = NewType("Digest", str)
"""``sha256:<hex>`` of the bytes as stored, compressed or not (OCI image-spec descriptor.md, "Digests")."""

DiffID = NewType("DiffID", str)
"""``sha256:<hex>`` of a layer's uncompressed tar (OCI image-spec config.md, "Layer DiffID")."""

ChainID = NewType("ChainID", str)
"""``sha256:<hex>`` that names a stack of layers (OCI image-spec config.md, "Layer ChainID")."""

_SHA256: Final = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of(content: bytes) -> Digest:
    """The digest of ``content``.

    >>> digest_of(b"")[:19]
    'sha256:e3b0c44298fc'
    """
    return Digest("sha256:" + hashlib.sha256(content).hexdigest())


def parse_digest(text: object, *, where: str | None = None) -> Digest:
    """``text`` as a digest; ImageFormatError unless it is ``sha256:`` and 64 lower-case hex digits.

    >>> parse_digest("sha256:" + "0" * 64)[:12]
    'sha256:00000'
    """
    if not isinstance(text, str) or _SHA256.fullmatch(text) is None:
        shown = repr(text)[:100]
        raise ImageFormatError(
            f"not a digest that can be used here: {shown}", where=where, fix="write sha256: and 64 hex digits"
        )
    return Digest(text)


def hex_of(digest: str) -> str:
    """The part after ``sha256:``.

    >>> hex_of("sha256:abc")
    'abc'
    """
    return digest.partition(":")[2]


def short(digest: str) -> str:
    """The first twelve hex digits, as docker prints an id."""
    return hex_of(digest)[:12]


def chain_ids(diff_ids: Iterable[DiffID]) -> Iterator[ChainID]:
    """The names of the stacks that a stack of layers is built on, its own last; ``diff_ids``: base first."""
    chain: ChainID | None = None
    for diff_id in diff_ids:
        chain = chained(chain, diff_id)
        yield chain


def chain_id(diff_ids: Iterable[DiffID]) -> ChainID | None:
    """The name of a stack of layers, ``diff_ids`` base first; None for the empty stack.

    OCI image-spec config.md, "Layer ChainID": the first layer is its own chain, every other is
    the digest of the chain below, a space and the DiffID.
    """
    return next(reversed(tuple(chain_ids(diff_ids))), None)


def chained(below: ChainID | None, diff_id: DiffID) -> ChainID:
    """The name of the stack that has one layer more than ``below``."""
    return ChainID(diff_id if below is None else digest_of(f"{below} {diff_id}".encode()))
