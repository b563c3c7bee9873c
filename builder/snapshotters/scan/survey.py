"""One look at a root, directory by directory: the two ways to get at names and what lstat tells of them.

A tree in memory is asked through the verbs of ``Filesystem``; a real directory through descriptors
(``held``), so that a look costs little more than the kernel's own work. What is made of it is the same code
for both (``known``).
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from typing import Final, Protocol, TypeAlias

from builder.context.content import content_of
from builder.context.paths import join
from builder.snapshotters.ignored import IgnoreList
from unionfs_sim.filesystem import Filesystem, Stat

CAPABILITY: Final = "security.capability"


class Status(Protocol):
    """As much of what lstat tells as a scan looks at: ``Stat`` has it, and ``os.stat_result``."""

    @property
    def st_mode(self) -> int:
        """Type and permissions."""
        ...

    @property
    def st_mtime_ns(self) -> int:
        """The time of the last change."""
        ...

    @property
    def st_size(self) -> int:
        """Length in bytes."""
        ...

    @property
    def st_uid(self) -> int:
        """The owner."""
        ...

    @property
    def st_gid(self) -> int:
        """The group."""
        ...


Names: TypeAlias = Sequence[tuple[str, Status]]


class Listing(Protocol):
    """One directory while it is looked at. ``path``: ``/`` or an absolute path; ``names``: what is in it."""

    path: str
    names: Names

    def content(self, name: str, /) -> tuple[bytes, bytes]:
        """A digest of the bytes of a regular file, and its capabilities."""
        ...

    def target(self, name: str, /) -> str:
        """Where a symlink points."""
        ...


class Survey(Protocol):
    """Every directory of a root, parents first, without what a list leaves alone."""

    def __call__(self, ignored: IgnoreList, /) -> Iterator[Listing]:
        """The listings; each may be asked until the next one is."""
        ...

    def one(self, path: str, ignored: IgnoreList, /) -> Listing:
        """One directory alone; it may be asked until the next one is."""
        ...


class _Asked:
    def __init__(self, fs: Filesystem, path: str, names: list[tuple[str, Stat]]) -> None:
        self.path = path
        self.names: Names = names
        self._fs = fs

    def content(self, name: str, /) -> tuple[bytes, bytes]:
        path = join(self.path, name)
        capability = self._fs.xattrs(path).get(CAPABILITY, b"")
        return content_of(self._fs, path, self._fs.lstat(path)).digest().encode(), capability

    def target(self, name: str, /) -> str:
        return self._fs.readlink(join(self.path, name))


class AskedSurvey:
    """A look at any tree, through its verbs."""

    def __init__(self, fs: Filesystem) -> None:
        self._fs = fs

    def __call__(self, ignored: IgnoreList, /) -> Iterator[Listing]:
        """Names in order; a directory is read once what was asked for before it is done with."""
        waiting = ["/"]
        while waiting:
            listing = self.one(waiting.pop(), ignored)
            yield listing
            waiting += [
                join(listing.path, name)
                for name, status in reversed(listing.names)
                if stat.S_ISDIR(status.st_mode)
            ]

    def one(self, path: str, ignored: IgnoreList, /) -> Listing:
        """One directory alone."""
        is_ignored = ignored.inside(path)
        names = [name for name in sorted(self._fs.listdir(path)) if not is_ignored(name)]
        return _Asked(self._fs, path, [(name, self._fs.lstat(join(path, name))) for name in names])
