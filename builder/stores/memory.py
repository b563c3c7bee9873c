"""A store in memory, for tests, lessons and the browser."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, Final

from builder.errors import StoreError
from builder.image.digest import Digest
from builder.image.oci import Descriptor
from builder.image.reference import Reference

OCTETS: Final = "application/octet-stream"
"""The media type of a blob of which nothing is said but its bytes."""


class MemoryStore:
    """Blobs and names in two dictionaries. Implements ``builder.protocols.Store``."""

    def __init__(self) -> None:
        self._blobs: dict[Digest, bytes] = {}
        self._tags: dict[Reference, Descriptor] = {}
        self._records: dict[str, Mapping[str, Any]] = {}

    def put(self, blob: Iterable[bytes], /) -> Descriptor:
        """Store the bytes; returns their digest and size. Idempotent."""
        pieces = []
        hasher = hashlib.sha256()
        for piece in blob:
            hasher.update(piece)
            pieces.append(bytes(piece))
        digest = Digest("sha256:" + hasher.hexdigest())
        stored = self._blobs.setdefault(digest, b"".join(pieces))
        return Descriptor(OCTETS, digest, len(stored))

    def open(self, digest: Digest, /) -> BinaryIO:
        """The bytes; StoreError if absent."""
        try:
            return io.BytesIO(self._blobs[digest])
        except KeyError:
            raise StoreError("no such blob in the store", where=digest) from None

    def has(self, digest: Digest, /) -> bool:
        """Whether the blob is here."""
        return digest in self._blobs

    def tag(self, reference: Reference, manifest: Descriptor, /) -> None:
        """Let ``reference`` name ``manifest`` from now on; StoreError if that blob is not here."""
        if manifest.digest not in self._blobs:
            raise StoreError(f"cannot tag {reference.familiar}: no such blob", where=manifest.digest)
        self._tags[reference] = manifest

    def resolve(self, reference: Reference, /) -> Descriptor | None:
        """The manifest that ``reference`` names, or None."""
        return self._tags.get(reference)

    def recall(self, key: str, /) -> Mapping[str, Any] | None:
        """The cache record under ``key``, or None."""
        return self._records.get(key)

    def remember(self, key: str, record: Mapping[str, Any], /) -> None:
        """Keep a cache record: a JSON object."""
        self._records[key] = dict(record)
