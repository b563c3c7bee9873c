"""Copying names from one tree to another with all their attributes, through ``Filesystem`` alone."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Final

from builder.context.paths import lstat
from unionfs_sim.filesystem import Attributes, Filesystem, Stat
from unionfs_sim.trees import copy_bytes, walk

_SPELLING: Final = ("trusted.overlay.", "user.overlay.")
"""How a layer spells an opaque directory and its kin: not content."""


def content_xattrs(xattrs: dict[str, bytes]) -> dict[str, bytes | None]:
    """Those of the file itself."""
    return {name: value for name, value in xattrs.items() if not name.startswith(_SPELLING)}


class Transfer:
    """Copies names from ``source`` to ``target`` at the same paths; hard links stay hard links.

    ``xattrs``: which extended attributes are copied.
    """

    def __init__(
        self,
        source: Filesystem,
        target: Filesystem,
        *,
        time: Callable[[int], int],
        xattrs: Callable[[dict[str, bytes]], dict[str, bytes | None]] = content_xattrs,
    ) -> None:
        self._source = source
        self._target = target
        self._time = time
        self._xattrs = xattrs
        self._links: dict[tuple[int, int], str] = {}

    def parents(self, path: str) -> None:
        """Copy the directories on the way to ``path`` that the target lacks."""
        for parent in reversed(PurePosixPath(path).parents):
            if lstat(self._target, str(parent)) is None:
                self.one(str(parent), self._source.lstat(str(parent)))

    def one(self, path: str, status: Stat) -> None:
        """Copy the name itself, without what lies below; a directory that is there takes the attributes."""
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFDIR:
            if lstat(self._target, path) is None:
                self._target.mkdir(path, 0o755)
        else:
            inode = (status.st_dev, status.st_ino)
            if status.st_nlink > 1 and inode in self._links:
                self._target.link(self._links[inode], path)
                return
            self._make(path, kind, status)
            if status.st_nlink > 1:
                self._links[inode] = path
        attributes = Attributes(
            mode=None if kind == stat.S_IFLNK else stat.S_IMODE(status.st_mode),
            uid=status.st_uid,
            gid=status.st_gid,
            mtime_ns=self._time(status.st_mtime_ns),
            xattrs=self._xattrs(self._source.xattrs(path)) or None,
        )
        self._target.setattr(path, attributes)

    def tree(self, path: str) -> None:
        """Copy ``path`` and all that lies below it, parents first."""
        visited = []
        for here, status in walk(self._source, path):
            visited.append((here, status))
            self.one(here, status)
        self.times(visited)

    def times(self, visited: Iterable[tuple[str, Stat]]) -> None:
        """Give directories the times they had before names were made in them."""
        for path, status in visited:
            if stat.S_ISDIR(status.st_mode):
                self._target.setattr(path, Attributes(mtime_ns=self._time(status.st_mtime_ns)))

    def _make(self, path: str, kind: int, status: Stat) -> None:
        if kind == stat.S_IFLNK:
            self._target.symlink(self._source.readlink(path), path)
        elif kind == stat.S_IFREG:
            self._bytes(path, status)
        else:
            self._target.mknod(path, kind | 0o600, status.st_rdev)

    def _bytes(self, path: str, status: Stat) -> None:  # noqa: ARG002 - for those who need no copy
        """Make the regular file."""
        copy_bytes(self._source, self._target, path)
