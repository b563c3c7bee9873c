"""One directory of a tree, seen as a tree of its own."""

from __future__ import annotations

from typing import AnyStr, overload

from builder.context.content import content_of
from unionfs_sim.filesystem import Attributes, Filesystem, OpenFile, Stat
from unionfs_sim.nodes.content import Content


class Subtree:
    """The tree below ``top`` of another one. Implements ``unionfs_sim.filesystem.Filesystem``.

    It renames paths and confines nobody: whoever uses it resolves symlinks (``paths.resolve``) first.
    """

    def __init__(self, fs: Filesystem, top: str) -> None:
        self._fs = fs
        self._top = top.rstrip("/")

    @overload
    def _below(self, path: str) -> str: ...
    @overload
    def _below(self, path: bytes) -> bytes: ...
    @overload
    def _below(self, path: str | bytes) -> str | bytes: ...

    def _below(self, path: str | bytes) -> str | bytes:
        if isinstance(path, bytes):
            return self._top.encode("utf-8", "surrogateescape") + b"/" + path.lstrip(b"/")
        return f"{self._top}/{path.lstrip('/')}"

    def lstat(self, path: str | bytes, /) -> Stat:
        """The attributes of the name itself."""
        return self._fs.lstat(self._below(path))

    def listdir(self, path: AnyStr, /) -> list[AnyStr]:
        """The names in a directory."""
        return self._fs.listdir(self._below(path))

    def readlink(self, path: AnyStr, /) -> AnyStr:
        """The target of a symlink, as stored: relative to the tree's own root if absolute."""
        return self._fs.readlink(self._below(path))

    def xattrs(self, path: str | bytes, /) -> dict[str, bytes]:
        """All extended attributes."""
        return self._fs.xattrs(self._below(path))

    def open(self, path: str | bytes, flags: int = 0, mode: int = 0o666, /) -> OpenFile:
        """An open file."""
        return self._fs.open(self._below(path), flags, mode)

    def content(self, path: str, /) -> Content:
        """The bytes of the regular file at ``path``."""
        below = self._below(path)
        return content_of(self._fs, below, self._fs.lstat(below))

    def mkdir(self, path: str | bytes, mode: int = 0o777, /) -> None:
        """Make a directory."""
        self._fs.mkdir(self._below(path), mode)

    def mknod(self, path: str | bytes, mode: int = 0o600, rdev: int = 0, /) -> None:
        """Make a file, fifo, socket or device."""
        self._fs.mknod(self._below(path), mode, rdev)

    def symlink(self, target: str | bytes, path: str | bytes, /) -> None:
        """Make a symlink; its target is kept as given."""
        self._fs.symlink(target, self._below(path))

    def link(self, source: str | bytes, path: str | bytes, /) -> None:
        """Give a file a second name."""
        self._fs.link(self._below(source), self._below(path))

    def remove(self, path: str | bytes, /) -> None:
        """Take a name away."""
        self._fs.remove(self._below(path))

    def setattr(self, path: str | bytes, change: Attributes, /) -> None:
        """Change the attributes of the name itself."""
        self._fs.setattr(self._below(path), change)
