"""The bytes of a file in any tree, without copying them where the tree can hand them over."""

from __future__ import annotations

from collections.abc import Callable

from builder.errors import ContextError
from unionfs_sim.filesystem import Filesystem, Stat
from unionfs_sim.nodes.content import Content
from unionfs_sim.vfs import flags


class FileContent(Content):
    """The bytes of a file that is read when asked for; it must not change meanwhile."""

    __slots__ = ("_fs", "_path", "_size")

    def __init__(self, fs: Filesystem, path: str, size: int) -> None:
        super().__init__()
        self._fs = fs
        self._path = path
        self._size = size

    @property
    def size(self) -> int:
        """Length in bytes, as lstat told it."""
        return self._size

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        """At most ``size`` bytes from ``offset`` on; -1: to the end. ContextError if there are fewer."""
        wanted = self._size - offset if size < 0 else min(size, self._size - offset)
        pieces: list[bytes] = []
        file = self._fs.open(self._path, flags.RDONLY | flags.NOFOLLOW)
        try:
            file.seek(offset)
            while wanted > 0:
                piece = file.read(wanted)
                if not piece:
                    raise ContextError(
                        f"{self._path}: it became shorter while it was read",
                        fix="build again when nothing writes to it",
                    )
                pieces.append(piece)
                wanted -= len(piece)
        finally:
            file.close()
        return b"".join(pieces)


def content_of(fs: Filesystem, path: str, status: Stat) -> Content:
    """The bytes of the file at ``path``; unchanged bytes are the same object where ``fs`` holds them.

    A tree holds them if it has a method ``content``, as unions have, or ``content_with``, which is told
    the attributes as well. (Asked by name: ``isinstance`` of a protocol takes longer than reading a file.)
    """
    content_with: Callable[[str, Stat], Content] | None = getattr(fs, "content_with", None)
    if content_with is not None:
        return content_with(path, status)
    content: Callable[[str], Content] | None = getattr(fs, "content", None)
    return FileContent(fs, path, status.st_size) if content is None else content(path)
