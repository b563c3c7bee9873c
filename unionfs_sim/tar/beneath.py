"""What lies under a layer that is being read, as far as somebody told."""

from __future__ import annotations

import stat
from types import MappingProxyType

from unionfs_sim.filesystem import Filesystem, Stat
from unionfs_sim.layers.markers import escaped
from unionfs_sim.nodes.inode import Inode


class Beneath:
    """The merged view below a layer; knows nothing if ``view`` is None.

    A layer's names are not resolved: ``c/a`` says nothing of what lies behind a symlink ``c``.
    """

    def __init__(self, view: Filesystem | None) -> None:
        self._view = view

    @property
    def is_known(self) -> bool:
        """Whether there is a view to ask."""
        return self._view is not None

    def names(self) -> list[str]:
        """The names in the root."""
        return [] if self._view is None else sorted(self._view.listdir("/"))

    def lstat(self, path: str) -> Stat | None:
        """What lies at ``path``, where only directories lead to it; None if nothing does."""
        if self._view is None:
            return None
        try:
            for at in range(1, len(path)):
                if path[at] == "/" and not stat.S_ISDIR(self._view.lstat(path[:at]).st_mode):
                    return None
            return self._view.lstat(path)
        except OSError:
            return None

    def describe(self, directory: Inode, path: str) -> None:
        """Give a directory that no entry describes the attributes that it has below."""
        status = self.lstat(path)
        if self._view is None or status is None or not stat.S_ISDIR(status.st_mode):
            return
        directory.mode, directory.uid, directory.gid = status.st_mode, status.st_uid, status.st_gid
        directory.atime_ns = directory.mtime_ns = directory.ctime_ns = status.st_mtime_ns
        if xattrs := self._view.xattrs(path):
            directory.xattrs = MappingProxyType({escaped(name): value for name, value in xattrs.items()})
