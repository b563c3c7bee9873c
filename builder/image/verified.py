"""Bytes held against their digest: while they are stored, and while they are read."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO, Final

from builder.errors import StoreError
from builder.image.digest import Digest, hex_of
from builder.image.oci import Descriptor

OCTETS: Final = "application/octet-stream"
"""The media type of a blob of which nothing is said but its bytes."""


class Incoming:
    """Counts and digests the pieces of a blob on their way into a store.

    StoreError as soon as they are more than ``expected`` says, or at the end if they are others.
    """

    def __init__(self, expected: Descriptor | None) -> None:
        self._expected = expected
        self._hasher = hashlib.sha256()
        self._size = 0

    def seen(self, piece: bytes) -> bytes:
        """The same piece, which now counts."""
        self._hasher.update(piece)
        self._size += len(piece)
        if self._expected is not None and self._size > self._expected.size:
            raise self._refused(
                self._expected, f"more than the {self._expected.size} bytes that were announced"
            )
        return piece

    def end(self) -> Descriptor:
        """The digest and size of what was seen."""
        digest = Digest("sha256:" + self._hasher.hexdigest())
        if self._expected is not None:
            if self._size != self._expected.size:
                what = f"{self._size} bytes came, {self._expected.size} were announced"
                raise self._refused(self._expected, what)
            if digest != self._expected.digest:
                raise self._refused(self._expected, f"the bytes that came have the digest {digest}")
        return Descriptor(OCTETS, digest, self._size)

    def _refused(self, expected: Descriptor, what: str) -> StoreError:
        return StoreError(
            what, where=expected.digest, fix="fetch it again; if it stays so, its source is damaged"
        )


class Verified(io.RawIOBase):
    """A raw file that compares the digest when it has been read to its end without a jump."""

    def __init__(self, file: BinaryIO | io.FileIO, digest: Digest) -> None:
        self._file = file
        self._digest = digest
        self._hasher = hashlib.sha256()
        self._hashed = 0
        self._place = 0

    @classmethod
    def over(cls, file: BinaryIO | io.FileIO, digest: Digest) -> BinaryIO:
        """``file``, which is at its beginning, as a verified and buffered one."""
        return io.BufferedReader(cls(file, digest), buffer_size=1 << 16)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes; but who jumps forward is not told about damage."""
        return True

    def fileno(self) -> int:
        """The descriptor, for slices of the blob."""
        return self._file.fileno()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """The new position."""
        self._place = self._file.seek(offset, whence)
        return self._place

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """How many bytes were read; StoreError at the end if they are not what the digest says."""
        piece = self._file.read(len(buffer)) or b""
        count = len(piece)
        buffer[:count] = piece
        if self._place == self._hashed:
            self._hasher.update(piece)
            self._hashed += count
            if count == 0 and len(buffer) and hex_of(self._digest) != self._hasher.hexdigest():
                raise StoreError(
                    "the blob is damaged: its bytes have another digest",
                    where=self._digest,
                    fix="layerlab image check --repair removes it and says what to build, load or pull again",
                )
        self._place += count
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
