"""What a store knows that cannot be written to: the names in its ``index.json``, and no records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from builder.errors import StoreError
from builder.image.digest import Digest
from builder.image.oci import Descriptor
from builder.image.reference import Reference
from builder.stores.blobs import Identity
from builder.stores.pruning import Record
from builder.stores.summary import Summary


def refused(path: str) -> StoreError:
    """The error for whoever wants to change a store that cannot be written to."""
    return StoreError("the store is read-only", where=path, fix="use another --state directory")


class Listing:
    """The names, in the place of a ``Database``. What is to be remembered is forgotten at once."""

    is_new = False

    def __init__(self, path: str, names: Mapping[Reference, Descriptor]) -> None:
        self._path = path
        self._names = dict(sorted(names.items(), key=lambda named: str(named[0])))

    def changing(self) -> AbstractContextManager[None]:
        """StoreError: nothing can be changed."""
        raise refused(self._path)

    def complete(self) -> None:
        """StoreError: nothing can be changed."""
        raise refused(self._path)

    def tag(self, reference: Reference, manifest: Descriptor) -> None:  # noqa: ARG002 - nothing is taken
        """StoreError: nothing can be changed."""
        raise refused(self._path)

    def untag(self, reference: Reference) -> None:  # noqa: ARG002 - nothing is taken
        """StoreError: nothing can be changed."""
        raise refused(self._path)

    def resolve(self, reference: Reference) -> Descriptor | None:
        """The manifest that ``reference`` names, or None."""
        return self._names.get(reference)

    def tags(self) -> dict[Reference, Descriptor]:
        """All names, in order."""
        return dict(self._names)

    def listed(self) -> list[tuple[Reference, Digest]]:
        """All names, in order, and the digests of their manifests."""
        return [(reference, manifest.digest) for reference, manifest in self._names.items()]

    def recall(self, key: str) -> Mapping[str, Any] | None:  # noqa: ARG002 - none is known
        """None."""
        return None

    def remember(self, key: str, record: Mapping[str, Any]) -> None:
        """Nothing: a record only saves doing something again."""

    def forget(self, keys: Iterable[str] | None = None) -> None:
        """Nothing is known."""

    def records(self) -> list[Record]:
        """None."""
        return []

    def summaries(self) -> dict[Digest, Summary]:
        """None."""
        return {}

    def summarize(self, summaries: Mapping[Digest, Summary]) -> None:
        """Nothing: a summary only saves opening an image again."""

    def forget_summaries(self, digests: Iterable[Digest]) -> None:
        """Nothing is known."""

    def seen(self, digest: Digest, /) -> Identity | None:  # noqa: ARG002 - none is known
        """None: every blob is read."""
        return None

    def see(self, digest: Digest, identity: Identity, /) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing is open."""
