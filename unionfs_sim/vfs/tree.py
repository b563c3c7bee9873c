"""What a layer and a union must each be able to do with their inodes; everything else is written once.

The split is the kernel's own: path walk, permissions, open flags and the order of errors belong to every
file system and stand in the modules beside this one; an implementation supplies the operations on inodes
below. They are called after the checks, so they check no permission of the caller.
"""

from __future__ import annotations

import abc
from collections.abc import Hashable, Mapping
from typing import Generic, NamedTuple, Protocol, TypeVar, cast
from weakref import WeakValueDictionary

from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.caller import Caller, Clock
from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.inode import Inode, Node
from unionfs_sim.nodes.journal import Journal

NodeT = TypeVar("NodeT", bound=Node)
DirectoryT = TypeVar("DirectoryT", bound=Node)
"""What directories are; a union's files can be of other types than its directories."""


class Prefixes(dict[str, Node]):
    """Directories by the path that led there; shared by the views of one caller, gone with the last."""


class Dentry(NamedTuple, Generic[DirectoryT, NodeT]):
    """A name in a directory, and what it is: None if it is nothing (yet)."""

    directory: DirectoryT
    name: str
    node: NodeT | None


class Change(NamedTuple):
    """A change of attributes (struct iattr); None leaves an attribute as it is.

    ``size``: cut or extend. ``dropped``: mode bits that go, unless ``mode`` says otherwise.
    ``is_modification``: the mtime moves to now, even if the size stays.
    """

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    atime_ns: int | None = None
    mtime_ns: int | None = None
    size: int | None = None
    dropped: int = 0
    is_modification: bool = False


class Mounted(Protocol):
    """What stands on a tree and is told when the tree changes by itself."""

    def drop_caches(self) -> None:
        """Forget what was looked up."""
        ...

    def heed_freeze(self, tree: object) -> None:
        """``tree`` cannot change any more."""
        ...


class Place(Protocol):
    """One of several names of a file, by which it was opened."""

    def use(self) -> object:
        """What is done to the file next, is done by this name."""
        ...


class Tree(abc.ABC, Generic[DirectoryT, NodeT]):
    """The operations on inodes that a path walk and the os-like verbs stand on."""

    root: DirectoryT
    read_only: bool
    is_union: bool
    is_watched: bool
    mounts: tuple[Mounted, ...]
    journal: Journal | None
    clock: Clock

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.watch(None, ())
        self.read_only = False
        self.is_union = False
        self.running: dict[NodeT, int] = {}
        self.open_files = 0
        self._prefixes: WeakValueDictionary[Hashable, Prefixes] = WeakValueDictionary()

    def prefixes(self, key: Hashable) -> Prefixes:
        """Directories that callers of one kind have reached by path: the fast way of a path walk."""
        return self._prefixes.setdefault(key, Prefixes())

    def for_views(self) -> Tree[Node, Node]:
        """This tree as views hold it: they hand it no other nodes than those that it gave out."""
        return cast("Tree[Node, Node]", self)

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

    def freeze(self) -> None:
        """From now on nothing changes here, nor through what stands on it; writing raises EROFS."""
        self.read_only = True
        for mounted in self.mounts:
            mounted.heed_freeze(self)

    def run(self, node: NodeT) -> None:
        """A program starts: until ``end`` its file cannot be opened for writing (ETXTBSY)."""
        self.running[node] = self.running.get(node, 0) + 1

    def end(self, node: NodeT) -> None:
        """A program that ``run`` was told of has ended."""
        self.running[node] -= 1
        if not self.running[node]:
            del self.running[node]

    def opened_by(self, node: NodeT) -> Place | None:
        """By which of its names a file is being opened, where that matters later."""
        del node
        return None

    def freshen(self, node: NodeT) -> None:
        """Bytes are about to be written: what is remembered of the permissions is taken anew."""
        del node

    @abc.abstractmethod
    def real(self, node: NodeT) -> Inode:
        """The inode that has the bytes of a regular file now, as a mapping of it holds on to."""

    def watch(self, journal: Journal | None, mounts: tuple[Mounted, ...]) -> None:
        """Record inverses in ``journal`` from now on, and tell ``mounts`` when a verb changes this tree."""
        self.journal = journal
        self.mounts = mounts
        self.is_watched = journal is not None or bool(mounts)

    @abc.abstractmethod
    def lookup(self, directory: DirectoryT, name: str) -> NodeT | None:
        """The inode that ``name`` is, or None."""

    @abc.abstractmethod
    def entries(self, directory: DirectoryT) -> list[str]:
        """The names in a directory."""

    def hold_listing(self, directory: DirectoryT) -> object:
        """Something that keeps what is known of a listing while an open directory holds it."""
        del directory
        return None

    @abc.abstractmethod
    def typed_entries(self, directory: DirectoryT) -> list[tuple[str, bool]]:
        """The names in a directory, and whether each is a directory."""

    @abc.abstractmethod
    def stat(self, node: NodeT) -> Stat:
        """The attributes, as a stat call tells them."""

    def is_unlinked(self, node: NodeT) -> bool:
        """Whether no name is left, so that no other can be made."""
        return self.stat(node).st_nlink == 0

    @abc.abstractmethod
    def make(
        self, directory: DirectoryT, name: str, mode: int, caller: Caller, body: Content | str | int | None
    ) -> NodeT:
        """Make a file of any type; ``mode`` has the type and is what it shall be (umask applied)."""

    @abc.abstractmethod
    def make_unnamed(self, directory: DirectoryT, mode: int, caller: Caller) -> NodeT:
        """Make a regular file without a name (O_TMPFILE)."""

    @abc.abstractmethod
    def link(self, node: NodeT, directory: DirectoryT, name: str) -> None:
        """Give ``node`` another name."""

    @abc.abstractmethod
    def unlink(self, directory: DirectoryT, name: str, node: NodeT) -> None:
        """Take a name away that is not a directory."""

    @abc.abstractmethod
    def rmdir(self, directory: DirectoryT, name: str, node: NodeT) -> None:
        """Take an empty directory away; ENOTEMPTY if it is not."""

    @abc.abstractmethod
    def rename(
        self,
        source: Dentry[DirectoryT, NodeT],
        destination: Dentry[DirectoryT, NodeT],
        flags: int,
    ) -> None:
        """Move a name onto another; ``flags`` as renameat2(2) has them."""

    @abc.abstractmethod
    def change(self, node: NodeT, change: Change) -> None:
        """Set attributes."""

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

    def listed(self, directory: DirectoryT) -> None:
        """Somebody read the names in it."""
        del directory

    @abc.abstractmethod
    def getxattr(self, node: NodeT, name: str) -> bytes | None:
        """An extended attribute, or None."""

    @abc.abstractmethod
    def setxattr(self, node: NodeT, name: str, value: bytes | None, flags: int) -> None:
        """Set an extended attribute (XATTR_CREATE, XATTR_REPLACE); a value of None removes it."""

    @abc.abstractmethod
    def visible_xattrs(self, node: NodeT) -> Mapping[str, bytes]:
        """All extended attributes that may be listed by root."""


def _forget_again(journal: Journal, tree: object, _: object, __: object) -> None:
    """Undo of a change to a directory: what was reached through it since is no longer true."""
    assert isinstance(tree, Tree)
    tree.clear_prefixes()
    journal.append((_forget_again, tree, None, None))
