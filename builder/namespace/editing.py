"""The edits of a step as they arrive inside, each followed by the bytes that it writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO, Final

from builder.context.edit import Edit
from builder.errors import BuildError
from builder.namespace import wire
from unionfs_sim.nodes.content import EMPTY, Content

_PIECE: Final = 1 << 20


def edits_from(descriptor: int) -> Iterator[Edit]:
    """The edits that come through a pipe, each followed by the bytes that it writes; closes it at the end."""
    with open(descriptor, "rb", buffering=_PIECE) as pipe:
        yield from _edits(pipe)


def _edits(pipe: BinaryIO) -> Iterator[Edit]:
    while head := pipe.read(4):
        told = json.loads(pipe.read(int.from_bytes(head, "big")))
        if told[0] != "file":
            yield wire.edit_of(told, EMPTY)
            continue
        content = Arriving(pipe, told[3])
        yield wire.edit_of(told, content)
        content.skip()


class Arriving(Content):
    """The bytes of a file as they come through a pipe: to be read once, from the beginning on."""

    __slots__ = ("_left", "_pipe", "_size")

    def __init__(self, pipe: BinaryIO, size: int) -> None:
        super().__init__()
        self._pipe = pipe
        self._size = self._left = size

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        """The next bytes; ``offset`` must be where the last ones ended."""
        if offset != self._size - self._left:
            raise BuildError("the bytes of a file come in order and once")
        piece = self._pipe.read(self._left if size < 0 else min(size, self._left))
        if not piece and self._left and size:
            raise BuildError("the builder ended amid a file")
        self._left -= len(piece)
        return piece

    def skip(self) -> None:
        """Read what is left, and forget it."""
        while self._left:
            self.read(self._size - self._left, _PIECE)
