"""What a layer and a union must each be able to do with their inodes; everything else is written once.

The split is the kernel's own: path walk, permissions, open flags and the order of errors belong to every
file system and stand in ``walk.py``, ``opening.py`` and ``posix.py``; an implementation supplies the
operations on inodes below. They are called after the checks, so they check no permission of the caller.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.caller import Caller, Clock
from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.inode import Node
from unionfs_sim.nodes.journal import Journal

NodeT = TypeVar("NodeT", bound=Node)


class Prefixes(dict[str, Any]):
    """Directories by the path that led there; shared by the views of one caller, gone with the last."""


class Tree(abc.ABC, Generic[NodeT]):
    """The operations on inodes that a path walk and the os-like verbs stand on."""

    root: NodeT
    read_only: bool
    is_union: bool
    is_watched: bool
    mounts: tuple[Any, ...]
    journal: Journal | None
    clock: Clock

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.watch(None, ())
        self.read_only = False
        self.is_union = False
        self.running: dict[Any, int] = {}
        self._prefixes: WeakValueDictionary[tuple[Any, ...], Prefixes] = WeakValueDictionary()

    def prefixes(self, key: tuple[Any, ...]) -> Prefixes:
        """Directories that callers of one kind have reached by path: the fast way of a path walk."""
        return self._prefixes.setdefault(key, Prefixes())

    def forget_paths(self) -> None:
        """A directory moved, went or changed its permissions: walk anew, also once that is taken back."""
        self.clear_prefixes()
        if self.journal is not None:
            self.journal.append((_forget_again, self, None, None))

    def clear_prefixes(self) -> None:
        """Walk every path anew."""
        for table in self._prefixes.values():
            table.clear()

    def begin(self) -> None:
        """A verb that may change the tree was called: one step for undo, and news for unions above."""
        if self.journal is not None:
            self.journal.begin()
        for mounted in self.mounts:
            mounted.drop_caches()

    def run(self, node: NodeT) -> None:
        """A program starts: until ``end`` its file cannot be opened for writing (ETXTBSY)."""
        self.running[node] = self.running.get(node, 0) + 1

    def end(self, node: NodeT) -> None:
        """A program that ``run`` was told of has ended."""
        self.running[node] -= 1
        if not self.running[node]:
            del self.running[node]

    def real(self, node: NodeT) -> Any:
        """The inode that has the bytes of a regular file now, as a mapping of it holds on to."""
        return node

    def watch(self, journal: Journal | None, mounts: tuple[Any, ...]) -> None:
        """Record inverses in ``journal`` from now on, and tell ``mounts`` when a verb changes this tree."""
        self.journal = journal
        self.mounts = mounts
        self.is_watched = journal is not None or bool(mounts)

    @abc.abstractmethod
    def lookup(self, directory: NodeT, name: str) -> NodeT | None:
        """The inode that ``name`` is, or None."""

    @abc.abstractmethod
    def entries(self, directory: NodeT) -> list[str]:
        """The names in a directory."""

    def hold_listing(self, directory: NodeT) -> object:
        """Something that keeps what is known of a listing while an open directory holds it."""
        del directory
        return None

    @abc.abstractmethod
    def typed_entries(self, directory: NodeT) -> list[tuple[str, bool]]:
        """The names in a directory, and whether each is a directory."""

    @abc.abstractmethod
    def stat(self, node: NodeT) -> Stat:
        """The attributes, as a stat call tells them."""

    def is_unlinked(self, node: NodeT) -> bool:
        """Whether no name is left, so that no other can be made."""
        return self.stat(node).st_nlink == 0

    @abc.abstractmethod
    def make(
        self, directory: NodeT, name: str, mode: int, caller: Caller, body: Content | str | int | None
    ) -> NodeT:
        """Make a file of any type; ``mode`` has the type and is what it shall be (umask applied)."""

    @abc.abstractmethod
    def make_unnamed(self, directory: NodeT, mode: int, caller: Caller) -> NodeT:
        """Make a regular file without a name (O_TMPFILE)."""

    @abc.abstractmethod
    def link(self, node: NodeT, directory: NodeT, name: str) -> None:
        """Give ``node`` another name."""

    @abc.abstractmethod
    def unlink(self, directory: NodeT, name: str, node: NodeT) -> None:
        """Take a name away that is not a directory."""

    @abc.abstractmethod
    def rmdir(self, directory: NodeT, name: str, node: NodeT) -> None:
        """Take an empty directory away; ENOTEMPTY if it is not."""

    @abc.abstractmethod
    def rename(
        self,
        source: tuple[NodeT, str, NodeT],
        destination: tuple[NodeT, str, NodeT | None],
        flags: int,
    ) -> None:
        """Move a name (directory, name, inode) onto another; ``flags`` as renameat2(2) has them."""

    @abc.abstractmethod
    def change(self, node: NodeT, values: Mapping[str, int]) -> None:
        """Set attributes, by the names of ``Inode``; ``size`` cuts or extends a file."""

    @abc.abstractmethod
    def before_open(self, node: NodeT, *, writing: bool, truncating: bool) -> None:
        """A regular file is being opened, after the checks."""

    @abc.abstractmethod
    def content(self, node: NodeT) -> Content:
        """The bytes of a regular file, now."""

    @abc.abstractmethod
    def write(self, node: NodeT, offset: int, piece: bytes) -> None:
        """Write bytes of a regular file; ``before_open`` was called."""

    @abc.abstractmethod
    def target(self, node: NodeT) -> str:
        """Where a symlink points."""

    @abc.abstractmethod
    def accessed(self, node: NodeT) -> None:
        """Somebody read it: the access time moves as with the mount option relatime."""

    @abc.abstractmethod
    def getxattr(self, node: NodeT, name: str) -> bytes | None:
        """An extended attribute, or None."""

    @abc.abstractmethod
    def setxattr(self, node: NodeT, name: str, value: bytes | None, flags: int) -> None:
        """Set an extended attribute (XATTR_CREATE, XATTR_REPLACE); a value of None removes it."""

    @abc.abstractmethod
    def listxattr(self, node: NodeT) -> list[str]:
        """The names of all extended attributes that may be listed by root."""


def _forget_again(journal: Journal, tree: Tree[Any], _: None, __: None) -> None:
    """Undo of a change to a directory: what was reached through it since is no longer true."""
    tree.clear_prefixes()
    journal.append((_forget_again, tree, None, None))
