"""One file, directory, symlink, device, fifo or socket of a layer.

Inodes are changed only through ``journal.put`` and ``journal.assign``. They are small on purpose (a large
image has hundreds of thousands): slots, shared defaults, a dict of names only for directories.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Never

from unionfs_sim.nodes.content import EMPTY, Content
from unionfs_sim.nodes.kinds import CHARACTER_DEVICE, DIRECTORY, EXECUTABLE, EXECUTE, TYPE

if TYPE_CHECKING:
    from unionfs_sim.nodes.caller import Caller

NO_XATTRS: Final[Mapping[str, bytes]] = MappingProxyType({})
NO_CHILDREN: Final[Mapping[str, Never]] = MappingProxyType({})
DEAD: Final[Mapping[str, Never]] = MappingProxyType({})
"""The children of a directory that was removed: nothing can be made in it any more."""

WHITEOUT_RDEV: Final = 0


class Node:
    """What a path walk sees of an inode: of a layer's or a union's."""

    __slots__ = ("children", "gid", "mode", "parent", "uid")

    mode: int
    uid: int
    gid: int
    children: Mapping[str, Node | None]
    parent: Node

    @property
    def is_dir(self) -> bool:
        """Whether it is a directory."""
        return self.mode & TYPE == DIRECTORY

    def permits(self, caller: Caller, wanted: int) -> bool:
        """Whether the permission bits (or being root) allow ``wanted`` (READ | WRITE | EXECUTE)."""
        mode = self.mode
        if caller.uid == 0:
            # CAP_DAC_OVERRIDE: everything, but a file nobody may execute.
            return not wanted & EXECUTE or mode & EXECUTABLE != 0 or mode & TYPE == DIRECTORY
        if caller.uid == self.uid:
            mode >>= 6
        elif self.gid == caller.gid or self.gid in caller.groups:
            mode >>= 3
        return mode & wanted == wanted


class Inode(Node):
    """A file of a layer: attributes, and a body that depends on its type.

    ``body``: a ``Content`` (regular file), the target (symlink), the device number (device), else None.
    ``children``: the names of a directory; empty and unchangeable for everything else. ``nlink`` is what
    stat(2) shows.
    """

    __slots__ = ("atime_ns", "body", "ctime_ns", "ino", "mtime_ns", "nlink", "xattrs")

    children: dict[str, Inode]
    parent: Inode

    def __init__(
        self,
        ino: int,
        mode: int,
        uid: int,
        gid: int,
        *,
        now_ns: int = 0,
        body: Content | str | int | None = None,
    ) -> None:
        self.ino = ino
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.atime_ns = self.mtime_ns = self.ctime_ns = now_ns
        self.xattrs: Mapping[str, bytes] = NO_XATTRS
        if mode & TYPE == DIRECTORY:
            self.nlink = 2
            self.children = {}
            self.body = None
        else:
            self.nlink = 1
            self.children = NO_CHILDREN  # type: ignore[assignment] # nothing is ever put there
            self.body = body

    def adopt(self, name: str, child: Inode) -> None:
        """Let ``name`` be ``child`` in a tree nobody sees yet: no times move, nothing is to be undone."""
        self.children[name] = child
        if child.mode & TYPE == DIRECTORY:
            child.parent = self
            self.nlink += 1

    def take_attributes(self, other: Inode) -> None:
        """Be as ``other`` is, but for the bytes, the names and the number; for a tree nobody sees yet."""
        self.mode, self.uid, self.gid, self.xattrs = other.mode, other.uid, other.gid, other.xattrs
        self.atime_ns, self.mtime_ns, self.ctime_ns = other.atime_ns, other.mtime_ns, other.ctime_ns

    @property
    def content(self) -> Content:
        """The bytes of a regular file; empty for everything else."""
        return self.body if isinstance(self.body, Content) else EMPTY

    @property
    def target(self) -> str:
        """Where a symlink points, as stored; "" for everything else."""
        return self.body if isinstance(self.body, str) else ""

    @property
    def rdev(self) -> int:
        """The device number of a device; 0 for everything else."""
        return self.body if isinstance(self.body, int) else 0

    @property
    def size(self) -> int:
        """st_size, in bytes, as tmpfs tells it: a directory counts 20 a name."""
        body = self.body
        if isinstance(body, Content):
            return body.size
        if isinstance(body, str):
            return len(body.encode("utf-8", "surrogateescape"))
        return 40 + 20 * len(self.children) if self.is_dir else 0

    @property
    def is_whiteout(self) -> bool:
        """Whether it says "this name is deleted": a character device 0:0."""
        return self.body == WHITEOUT_RDEV and self.mode & TYPE == CHARACTER_DEVICE

    def __repr__(self) -> str:
        return f"Inode({stat.filemode(self.mode)} {self.uid}:{self.gid})"


class Volume:
    """A file system that layers lie on: its device number, and the inode numbers it gave out.

    Layers on one volume show one ``st_dev`` in a union ("samefs"). Layers that were made without a
    volume get a private one each, and a union takes those for parts of one file system.
    """

    __slots__ = ("dev", "is_private", "last_ino")

    def __init__(self, dev: int = 1, *, is_private: bool = False) -> None:
        self.dev = dev
        self.is_private = is_private
        self.last_ino = 0

    def next_ino(self) -> int:
        """A number no other inode of this volume has."""
        self.last_ino += 1
        return self.last_ino
