"""``os.scandir`` on a union, and its entries."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import AnyStr, Generic

from unionfs_sim.fakefs.spelling import named
from unionfs_sim.filesystem import Stat
from unionfs_sim.vfs.posix import Posix
from unionfs_sim.vfs.walk import PathLike


class DirEntry(Generic[AnyStr]):
    """One name of a directory, as ``os.DirEntry``: its type and inode number are known from the listing."""

    __slots__ = ("_look", "_stats", "_told", "name", "path")

    def __init__(
        self, name: AnyStr, path: AnyStr, listed: Stat | None, look: Callable[[bool], os.stat_result]
    ) -> None:
        self._told = listed
        self._look = look
        self._stats: dict[bool, os.stat_result] = {}
        self.name: AnyStr = name
        self.path: AnyStr = path

    def __fspath__(self) -> AnyStr:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"

    def inode(self) -> int:
        """The inode number of the name."""
        return self._told.st_ino if self._told is not None else self.stat(follow_symlinks=False).st_ino

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """The attributes, asked for once."""
        follows = follow_symlinks and self.is_symlink()
        known = self._stats.get(follows)
        if known is None:
            known = self._stats[follows] = named(self.path, lambda: self._look(follows))
        return known

    def _is(self, kind: int, *, follow_symlinks: bool) -> bool:
        if self._told is not None and not (follow_symlinks and self.is_symlink()):
            return stat.S_IFMT(self._told.st_mode) == kind
        try:
            return stat.S_IFMT(self.stat(follow_symlinks=follow_symlinks).st_mode) == kind
        except FileNotFoundError:
            return False

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a directory."""
        return self._is(stat.S_IFDIR, follow_symlinks=follow_symlinks)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a regular file."""
        return self._is(stat.S_IFREG, follow_symlinks=follow_symlinks)

    def is_symlink(self) -> bool:
        """Whether it is a symlink."""
        return self._told is not None and stat.S_ISLNK(self._told.st_mode)

    def is_junction(self) -> bool:
        """Never: only Windows has junctions."""
        return False


class Scan(Generic[AnyStr]):
    """What ``os.scandir`` returns: an iterator that can be closed."""

    def __init__(self, entries: Iterator[DirEntry[AnyStr]]) -> None:
        self._entries: Iterator[DirEntry[AnyStr]] = entries

    def __iter__(self) -> Scan[AnyStr]:
        return self

    def __next__(self) -> DirEntry[AnyStr]:
        return next(self._entries)

    def __enter__(self) -> Scan[AnyStr]:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration."""
        self._entries = iter(())


def stat_result(view: Posix, path: PathLike, *, follow_symlinks: bool) -> os.stat_result:
    """What ``os.stat`` returns for something of the union."""
    return told(view.stat(path, follow_symlinks=follow_symlinks))


def told(s: Stat) -> os.stat_result:
    """A ``Stat`` as ``os.stat_result``: seconds as int and as float, nanoseconds as int."""
    times = (s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns)
    plain = (s.st_mode, s.st_ino, s.st_dev, s.st_nlink, s.st_uid, s.st_gid, s.st_size)
    whole = tuple(time // 10**9 for time in times)
    floating = tuple(time / 10**9 for time in times)
    return os.stat_result((*plain, *whole, *floating, *times, 4096, s.st_blocks, s.st_rdev))
