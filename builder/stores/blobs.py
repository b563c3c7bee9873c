"""Blobs as files: written under a temporary name, renamed when whole, verified when read or found."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable
from typing import BinaryIO, Final, NamedTuple, Protocol

from builder.errors import StoreError
from builder.files.partial import discard, new_file, told
from builder.image.digest import Digest, hex_of
from builder.image.oci import Descriptor
from builder.image.verified import OCTETS, Incoming, Verified

_ALWAYS_READ_BYTES: Final = 1 << 20
"""A blob up to this size is read whenever it is found: that costs no more than asking whether to."""

_PIECE: Final = 1 << 18


class Identity(NamedTuple):
    """What changes when a file's bytes may have changed: nobody can set ``ctime_ns``."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """The identity of the file with these attributes."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class Seen(Protocol):
    """Remembers which files held what their names say, from process to process."""

    def seen(self, digest: Digest, /) -> Identity | None:
        """The file that was read and found whole, or None."""
        ...

    def see(self, digest: Digest, identity: Identity, /) -> None:
        """This file is whole."""
        ...


class BlobDirectory:
    """The ``blobs/sha256`` directory of an OCI image layout (image-layout.md, "Blobs"). Safe for threads."""

    def __init__(self, root: str) -> None:
        self.root = os.path.join(root, "blobs", "sha256")
        self.scratch = os.path.join(root, "scratch")
        self._whole: dict[Digest, Identity] = {}
        self._lock = threading.Lock()

    def path(self, digest: str) -> str:
        """Where the blob of that digest lies, or would."""
        return os.path.join(self.root, hex_of(digest))

    def put(self, blob: Iterable[bytes], seen: Seen, *, expected: Descriptor | None = None) -> Descriptor:
        """Store the bytes; returns their digest and size. Idempotent; a damaged blob is healed.

        StoreError, and nothing stored, if they are not as ``expected``.
        """
        incoming = Incoming(expected)
        descriptor, temporary = self._temporary()
        try:
            with told("cannot store a blob", self.root):
                with open(descriptor, "wb", buffering=_PIECE) as stream:
                    for piece in blob:
                        stream.write(incoming.seen(piece))
                stored = incoming.end()
                os.replace(temporary, self.path(stored.digest))
                self._see(stored.digest, Identity.of(os.stat(self.path(stored.digest))), seen)
        except BaseException:
            discard(temporary)
            raise
        return stored

    def _temporary(self) -> tuple[int, str]:
        with told("cannot store a blob", self.scratch):
            return new_file(self.scratch)

    def open(self, digest: Digest) -> BinaryIO:
        """The bytes; read from the beginning to the end, they are verified."""
        try:
            file = open(self.path(digest), "rb", buffering=0)  # noqa: SIM115 - the caller closes it
        except FileNotFoundError:
            raise StoreError("no such blob in the store", where=digest) from None
        except OSError as error:
            raise StoreError(f"cannot read the blob: {error.strerror}", where=digest) from None
        return Verified.over(file, digest)

    def find(self, digest: Digest, seen: Seen) -> Descriptor | None:
        """The digest and size of a blob that is here and whole; None if it is not.

        Its bytes are read unless they are many and the file is the one that was read, or written, before.
        """
        try:
            identity = Identity.of(os.stat(self.path(digest)))
            with self._lock:
                known = self._whole.get(digest)
            if identity != known:
                large = identity.size > _ALWAYS_READ_BYTES
                if not (large and seen.seen(digest) == identity) and not self.is_whole(digest):
                    return None
                self._see(digest, identity, seen)
        except OSError:
            return None
        return Descriptor(OCTETS, digest, identity.size)

    def is_whole(self, digest: Digest) -> bool:
        """Whether the file holds what its name says; reads all of it. OSError if it cannot be read."""
        hasher = hashlib.sha256()
        with open(self.path(digest), "rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                hasher.update(piece)
        return hasher.hexdigest() == hex_of(digest)

    def _see(self, digest: Digest, identity: Identity, seen: Seen) -> None:
        with self._lock:
            self._whole[digest] = identity
        if identity.size > _ALWAYS_READ_BYTES:
            seen.see(digest, identity)

    def sizes(self) -> dict[Digest, int]:
        """All blobs that are here, with their sizes in bytes."""
        with told("cannot list the blobs", self.root), os.scandir(self.root) as found:
            return {Digest(f"sha256:{entry.name}"): entry.stat().st_size for entry in found}

    def remove(self, digest: Digest) -> None:
        """Take the blob away, if it is here."""
        with self._lock:
            self._whole.pop(digest, None)
        discard(self.path(digest))

    def sweep_scratch(self) -> None:
        """Remove what killed writers left behind; only for who is alone in the store."""
        with os.scandir(self.scratch) as found:
            for entry in list(found):
                os.unlink(entry.path)
