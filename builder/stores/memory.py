"""A store in memory, for tests, lessons and the browser."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO

from builder.errors import StoreError
from builder.image.digest import Digest
from builder.image.oci import Descriptor
from builder.image.reference import Reference
from builder.image.verified import OCTETS, Incoming
from builder.protocols import Usage


class MemoryStore:
    """Blobs and names in two dictionaries. Implements ``builder.protocols.Store``."""

    def __init__(self) -> None:
        self._blobs: dict[Digest, bytes] = {}
        self._tags: dict[Reference, Descriptor] = {}
        self._records: dict[str, Mapping[str, Any]] = {}

    def put(self, blob: Iterable[bytes], /, *, expected: Descriptor | None = None) -> Descriptor:
        """Store the bytes; returns their digest and size. Idempotent. StoreError if not as ``expected``."""
        incoming = Incoming(expected)
        content = b"".join(map(incoming.seen, blob))
        descriptor = incoming.end()
        self._blobs.setdefault(descriptor.digest, content)
        return descriptor

    def open(self, digest: Digest, /) -> BinaryIO:
        """The bytes; StoreError if absent."""
        try:
            return io.BytesIO(self._blobs[digest])
        except KeyError:
            raise StoreError("no such blob in the store", where=digest) from None

    def find(self, digest: Digest, /) -> Descriptor | None:
        """The digest and size of a blob that is here; None if it is not."""
        blob = self._blobs.get(digest)
        return None if blob is None else Descriptor(OCTETS, digest, len(blob))

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

    def lease(self) -> AbstractContextManager[object]:
        """Nothing is ever collected here."""
        return nullcontext()

    def usage(self) -> Usage:
        """What all blobs take."""
        return Usage(sum(map(len, self._blobs.values())), len(self._blobs))
