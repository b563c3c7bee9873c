"""Blobs as files: written under a temporary name, renamed when whole, verified when read."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from builder.errors import StoreError
from builder.image.digest import Digest, hex_of
from builder.image.oci import Descriptor
from builder.stores.verified import OCTETS, Incoming, Verified

TEMPORARY_PREFIX: Final = ".layerlab-"
_NO_ROOM: Final = frozenset([errno.ENOSPC, errno.EDQUOT, errno.EFBIG])


@contextmanager
def told(what: str, where: str) -> Iterator[None]:
    """Turn an OSError inside into a StoreError that says what could not be done, and what to do."""
    try:
        yield
    except OSError as error:
        fix = "make room there, or choose another place" if error.errno in _NO_ROOM else None
        raise StoreError(f"{what}: {error.strerror}", where=where, fix=fix) from error


@contextmanager
def replacing(path: str, *, scratch: str | None = None) -> Iterator[BinaryIO]:
    """A file to write that becomes ``path`` when all went well, and leaves nothing otherwise.

    ``scratch``: the directory of its temporary name, on the same file system; beside ``path`` if None.
    """
    with told("cannot write", path):
        descriptor, temporary = tempfile.mkstemp(
            prefix=TEMPORARY_PREFIX, dir=scratch or os.path.dirname(path) or "."
        )
        try:
            with open(descriptor, "wb", buffering=1 << 16) as stream:
                yield stream
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            _discard(temporary)
            raise


class BlobDirectory:
    """The ``blobs/sha256`` directory of an OCI image layout (image-layout.md, "Blobs")."""

    def __init__(self, root: str) -> None:
        self.root = os.path.join(root, "blobs", "sha256")
        self.scratch = os.path.join(root, "scratch")

    def path(self, digest: str) -> str:
        """Where the blob of that digest lies, or would."""
        return os.path.join(self.root, hex_of(digest))

    def put(self, blob: Iterable[bytes], *, expected: Descriptor | None = None) -> Descriptor:
        """Store the bytes; returns their digest and size. Idempotent; a damaged blob is healed.

        StoreError, and nothing stored, if they are not as ``expected``.
        """
        incoming = Incoming(expected)
        descriptor, temporary = self._temporary()
        try:
            with told("cannot store a blob", self.root):
                with open(descriptor, "wb", buffering=1 << 18) as stream:
                    for piece in blob:
                        stream.write(incoming.seen(piece))
                stored = incoming.end()
                os.replace(temporary, self.path(stored.digest))
        except BaseException:
            _discard(temporary)
            raise
        return stored

    def _temporary(self) -> tuple[int, str]:
        with told("cannot store a blob", self.scratch):
            return tempfile.mkstemp(dir=self.scratch)

    def open(self, digest: Digest) -> BinaryIO:
        """The bytes; read from the beginning to the end, they are verified."""
        try:
            file = open(self.path(digest), "rb", buffering=0)  # noqa: SIM115 - the caller closes it
        except FileNotFoundError:
            raise StoreError("no such blob in the store", where=digest) from None
        except OSError as error:
            raise StoreError(f"cannot read the blob: {error.strerror}", where=digest) from None
        return Verified.over(file, digest)

    def find(self, digest: Digest) -> Descriptor | None:
        """The digest and size of a blob that is here; None if it is not."""
        try:
            return Descriptor(OCTETS, digest, os.stat(self.path(digest)).st_size)
        except OSError:
            return None

    def sizes(self) -> dict[Digest, int]:
        """All blobs that are here, with their sizes in bytes."""
        with told("cannot list the blobs", self.root), os.scandir(self.root) as found:
            return {Digest(f"sha256:{entry.name}"): entry.stat().st_size for entry in found}

    def remove(self, digest: Digest) -> None:
        """Take the blob away, if it is here."""
        try:
            os.unlink(self.path(digest))
        except FileNotFoundError:
            pass

    def sweep_scratch(self) -> None:
        """Remove what killed writers left behind; only for who is alone in the store."""
        with os.scandir(self.scratch) as found:
            for entry in list(found):
                os.unlink(entry.path)


def _discard(path: str) -> None:
    """Remove a temporary file, also on the way out of Ctrl-C: nothing half-written stays behind."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass  # It was renamed already.


@contextmanager
def spooled(content: Iterable[bytes]) -> Iterator[BinaryIO]:
    """The bytes in a file on disk that has no name and is gone after the block."""
    with tempfile.TemporaryFile() as spool:
        with told("cannot keep it", tempfile.gettempdir()):
            spool.writelines(content)
        spool.seek(0)
        yield spool
