"""Files and directories outside the store: whole under their final name, or not there at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from builder.errors import StoreError
from builder.stores.partial import replacing, replacing_directory, told
from unionfs_sim.tar.header import DIRECTORY, END_OF_ARCHIVE, REGULAR, TarHeader, encode, padding
from unionfs_sim.tar.reader import TarReader

ARCHIVE_NAMES = frozenset(["oci-layout", "index.json", "manifest.json", "blobs/"])
"""What an image archive begins with; a file that begins otherwise is not ours to replace."""


_ELSEWHERE = "remove it, or choose another name"


class Sink(Protocol):
    """Takes the files of an image layout, one after another."""

    def add(self, path: str, size: int, content: Iterable[bytes], /) -> None:
        """Write one file; directories that lead to it are made."""
        ...


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


class DirectorySink:
    """Writes the files below a directory, each whole or not at all."""

    def __init__(self, path: str) -> None:
        self._path = path

    def add(self, path: str, size: int, content: Iterable[bytes], /) -> None:  # noqa: ARG002 - a tar needs it
        """Write one file, in place of what was there."""
        final = os.path.join(self._path, *path.split("/"))
        with told("cannot write", final):
            os.makedirs(os.path.dirname(final), exist_ok=True)
        with replacing(final) as stream:
            stream.writelines(content)


@contextmanager
def new_file(path: str) -> Iterator[BinaryIO]:
    """A file to write that becomes ``path`` at the end; StoreError if something else is there."""
    if os.path.lexists(path) and not _is_archive(path):
        raise StoreError(
            "the destination exists and is no image archive",
            where=path,
            fix=_ELSEWHERE,
        )
    with replacing(path) as stream:
        yield stream


@contextmanager
def new_directory(path: str) -> Iterator[str]:
    """A directory to fill that becomes ``path`` at the end; StoreError if ``path`` holds anything."""
    with told("cannot write", path):
        if os.path.lexists(path) and (os.path.islink(path) or not os.path.isdir(path) or os.listdir(path)):
            raise StoreError("the destination exists and is not empty", where=path, fix=_ELSEWHERE)
    with replacing_directory(path) as temporary:
        yield temporary


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
