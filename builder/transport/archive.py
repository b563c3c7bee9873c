"""The medium of ``docker save`` and of OCI archives: an image layout, or docker's older list, in a tar."""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from builder.errors import ImageFormatError, StoreError
from builder.files.partial import replacing, told
from builder.image.compression import Limits, decompress, pieces
from unionfs_sim.nodes.content import Slice
from unionfs_sim.tar.header import (
    DIRECTORY,
    END_OF_ARCHIVE,
    HARDLINK,
    REGULAR,
    SYMLINK,
    LayerFormatError,
    TarHeader,
    encode,
    padding,
)
from unionfs_sim.tar.reader import TarReader

ARCHIVE_NAMES = frozenset(["oci-layout", "index.json", "manifest.json", "blobs/"])
"""What an image archive begins with; a file that begins otherwise is not ours to replace."""
WHAT_TO_LOAD: Final = "load what docker save, skopeo copy or layerlab save wrote"
_MAX_FILES: Final = 100_000
_MAX_LINKS: Final = 8


@contextmanager
def opened_archive(
    path: str, *, stdin: BinaryIO | None = None, limits: Limits | None = None
) -> Iterator[ArchiveSource]:
    """The archive at ``path``, compressed or plain; ``-`` is ``stdin``. StoreError if it cannot be read.

    ``limits``: what it may unpack to.
    """
    with told("cannot read", path):
        stream = stdin if path == "-" and stdin is not None else open(path, "rb")  # noqa: SIM115 - see below
    with stream, _spooled(decompress(pieces(stream), where=path, limits=limits)) as file:
        yield ArchiveSource(file, path)


@contextmanager
def _spooled(content: Iterable[bytes]) -> Iterator[BinaryIO]:
    """The bytes in a file on disk that has no name and is gone after the block."""
    with tempfile.TemporaryFile() as spool:
        with told("cannot keep it", tempfile.gettempdir()):
            spool.writelines(content)
        spool.seek(0)
        yield spool


class ArchiveSource:
    """A tar on disk, by name. Symlinks are followed inside it: old ``docker save`` shares layers so."""

    def __init__(self, file: BinaryIO, where: str) -> None:
        self._file = file
        self._places: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        try:
            self._list(TarReader(file))
        except LayerFormatError as error:
            if not self._places and not self._links:
                raise ImageFormatError("this is no tar archive", where=where, fix=WHAT_TO_LOAD) from None
            raise ImageFormatError(str(error).replace("layer", "archive", 1), where=where) from None

    def _list(self, reader: TarReader) -> None:
        for header in reader:
            path = _clean(header.name)
            if header.kind == REGULAR:
                self._places[path] = (reader.offset, header.size)
            elif header.kind == SYMLINK:
                self._links[path] = _clean(posixpath.join(posixpath.dirname(path), header.link))
            elif header.kind == HARDLINK:
                self._links[path] = _clean(header.link)
            if len(self._places) + len(self._links) > _MAX_FILES:
                raise LayerFormatError(f"more than {_MAX_FILES} files", header.name)

    def open(self, path: str, /) -> BinaryIO:
        """A file of the archive."""
        name = _clean(path)
        for _ in range(_MAX_LINKS):
            if name in self._places:
                return Slice(self._file, *self._places[name]).open()
            if name not in self._links:
                break
            name = self._links[name]
        raise FileNotFoundError(path)


def _clean(name: str) -> str:
    return posixpath.normpath("/" + name).lstrip("/")


class TarSink:
    """Writes the files into a tar; times and owners are zero, so equal files give equal bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._directories: set[str] = set()

    def add(self, path: str, size: int, content: Iterable[bytes], /) -> None:
        """Append one file."""
        parents = path.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            directory = "/".join(parents[:depth]) + "/"
            if directory not in self._directories:
                self._directories.add(directory)
                self._stream.write(encode(TarHeader(directory, DIRECTORY, 0o755)))
        self._stream.write(encode(TarHeader(path, REGULAR, 0o644, size=size)))
        for piece in content:
            self._stream.write(piece)
        self._stream.write(padding(size))

    def finish(self) -> None:
        """Write the end of the archive."""
        self._stream.write(END_OF_ARCHIVE)


@contextmanager
def new_file(path: str) -> Iterator[BinaryIO]:
    """A file to write that becomes ``path`` at the end; StoreError if something else is there."""
    if os.path.lexists(path) and not _is_archive(path):
        raise StoreError(
            "the destination exists and is no image archive",
            where=path,
            fix="remove it, or choose another name",
        )
    with replacing(path) as stream:
        yield stream


def _is_archive(path: str) -> bool:
    """Whether a file is empty or looks like an image archive that may be replaced."""
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    with told("cannot read", path), open(path, "rb") as stream:
        try:
            first = next(iter(TarReader(stream)), None)
        except ValueError:
            return False
    return os.path.getsize(path) == 0 if first is None else first.name in ARCHIVE_NAMES
