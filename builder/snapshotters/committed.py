"""A layer's tree, kept while its tar is written: what reading the tar back would give, without reading it."""

from __future__ import annotations

import os
from typing import BinaryIO, Final

from unionfs_sim.filesystem import Filesystem
from unionfs_sim.layers.layer import Layer
from unionfs_sim.nodes.content import CHUNK, EMPTY, Content, read_at
from unionfs_sim.tar.header import REGULAR
from unionfs_sim.tar.pack import Entry
from unionfs_sim.tar.unpack import INLINE_BYTES, LayerAssembly

_NOWHERE: Final = -1


class Blob:
    """A stored tar that contents are parts of; known when it has been stored."""

    def __init__(self) -> None:
        self._descriptor = _NOWHERE
        self._bytes = memoryview(b"")

    def bind(self, stream: BinaryIO) -> None:
        """Let it be the blob that ``stream`` reads, on disk or in memory; the stream may be closed."""
        try:
            self._descriptor = os.dup(stream.fileno())
        except OSError:
            self._bytes = memoryview(stream.read())

    def read(self, place: int, size: int) -> bytes:
        """The bytes from ``place`` on."""
        if self._descriptor == _NOWHERE:
            return bytes(self._bytes[place : place + size])
        return read_at(self._descriptor, size, place)

    def __del__(self) -> None:
        if self._descriptor != _NOWHERE:
            os.close(self._descriptor)


class Part(Content):
    """A part of a blob: read when asked for, never kept."""

    __slots__ = ("_blob", "_offset", "_size")

    def __init__(self, blob: Blob, offset: int, size: int) -> None:
        super().__init__()
        self._blob = blob
        self._offset = offset
        self._size = size

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        """At most ``size`` bytes from ``offset`` on; -1: to the end."""
        end = self._size if size < 0 else min(offset + size, self._size)
        pieces = []
        while offset < end and (piece := self._blob.read(self._offset + offset, min(end - offset, CHUNK))):
            pieces.append(piece)
            offset += len(piece)
        return b"".join(pieces)


class Committed:
    """The entries of one layer as they are written. ``below``: the merged view under it."""

    def __init__(self, below: Filesystem) -> None:
        self._assembly = LayerAssembly(below)
        self._blob = Blob()

    def add(self, entry: Entry, place: int) -> None:
        """One entry more, whose bytes begin at ``place`` of the tar."""
        header, content = entry
        if header.kind != REGULAR or not header.size:
            kept = EMPTY
        elif header.size > INLINE_BYTES:
            kept = Part(self._blob, place, header.size)
        else:
            kept = Content.of(content.read())
        self._assembly.add(header, kept)

    def tree(self, stream: BinaryIO) -> Layer:
        """The frozen layer; ``stream`` reads the tar, which is stored now."""
        self._blob.bind(stream)
        return self._assembly.finish().freeze()
