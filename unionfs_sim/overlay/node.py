"""What a union remembers of a file that it shows: where its parts lie.

A non-directory that lies in the upper alone needs no memory of its own: there the upper's ``Inode`` is
the union's node as well.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from unionfs_sim.nodes.content import EMPTY, Content
from unionfs_sim.nodes.inode import NO_CHILDREN, Inode, Node


class Part(NamedTuple):
    """An inode in a lower layer; ``layer``: 1 is the top lower, as in the kernel's ``lowerdir`` string."""

    layer: int
    inode: Any


class LeftOut(set[str]):
    """Names of a directory that a listing leaves out, while some open directory remembers them."""


class UnionNode(Node):
    """A directory of the union, or a file of which a part lies in a lower layer.

    ``lowers``: top first. A non-directory in the upper keeps its copy-up origin there, and one that is a
    metacopy also where its bytes are (``data``: the inode, or a path in the data-only layers).
    ``children``: names looked up so far; None says "not there". ``aliases``: names looked up so far of
    files that have other names as well. ``alias``: the name by which such a file was found last; a copy-up
    puts the file there.
    """

    __slots__ = (
        "alias",
        "aliases",
        "data",
        "flags",
        "ino",
        "left_out",
        "listing",
        "lowers",
        "name",
        "nlink",
        "redirect",
        "times",
        "upper",
    )

    upper: Inode | None
    lowers: tuple[Part, ...]
    parent: UnionNode

    def __init__(
        self, upper: Inode | None, lowers: tuple[Part, ...], parent: UnionNode | None, name: str
    ) -> None:
        self.upper = upper
        self.lowers = lowers
        self.parent = parent if parent is not None else self
        self.name = name
        self.flags = 0
        self.ino = 0
        self.nlink = 0
        self.redirect: str | None = None
        self.listing: dict[str, bool] | None = None
        self.left_out: weakref.ref[LeftOut] | None = None
        self.times: tuple[int, int, int] | None = None
        self.data: Any = None
        self.aliases: dict[str, Alias] | None = None
        self.alias: Alias | None = None
        real = upper if upper is not None else lowers[0].inode
        self.mode: int = real.mode
        self.uid: int = real.uid
        self.gid: int = real.gid
        self.children: dict[str, Any] = {} if self.mode & 0o170000 == 0o040000 else NO_CHILDREN

    @property
    def real(self) -> Any:
        """The inode whose attributes count: the upper's, else the topmost lower's."""
        return self.upper if self.upper is not None else self.lowers[0].inode

    def remember_times(self) -> None:
        """Take (atime, mtime, ctime) over from the upper, for the next decision about the access time."""
        upper = self.upper
        if self.flags & SPLIT and upper is not None:
            self.times = upper.atime_ns, upper.mtime_ns, upper.ctime_ns

    @property
    def real_part(self) -> tuple[int, Any]:
        """``real`` with its layer; the upper is layer 0."""
        return (0, self.upper) if self.upper is not None else self.lowers[0]

    # A union can be a lower layer of another union: then it is asked what an Inode is asked.

    @property
    def body(self) -> Any:
        """As ``Inode.body``."""
        return self.data.body if self.data is not None else self.real.body

    @property
    def content(self) -> Content:
        """The bytes of a regular file; empty for everything else."""
        body = self.body
        return body if isinstance(body, Content) else EMPTY

    @property
    def xattrs(self) -> Mapping[str, bytes]:
        """As ``Inode.xattrs``, as the layer has them (a union shows less: ``UnionTree.visible_xattrs``)."""
        return self.real.xattrs  # type: ignore[no-any-return]

    @property
    def is_whiteout(self) -> bool:
        """Never: a union shows no whiteouts."""
        return False

    @property
    def size(self) -> int:
        """As ``Inode.size``: what stat(2) shows."""
        return self.real.size  # type: ignore[no-any-return]

    @property
    def atime_ns(self) -> int:
        """When it was last read."""
        return self.real.atime_ns  # type: ignore[no-any-return]

    @property
    def mtime_ns(self) -> int:
        """When it was last written."""
        return self.real.mtime_ns  # type: ignore[no-any-return]


class Alias:
    """One of several names of a file (a dentry, to the kernel); it moves along with a rename.

    ``in_upper``: whether the upper has the file by this name too, or had when the name was removed.
    """

    __slots__ = ("in_upper", "name", "node", "parent")

    def __init__(self, node: UnionNode, parent: UnionNode, name: str) -> None:
        self.node = node
        self.in_upper = (
            node.upper is not None
            and parent.upper is not None
            and parent.upper.children.get(name) is node.upper
        )
        self.parent = parent
        self.name = name

    def use(self) -> UnionNode:
        """The node, which remembers that it was reached by this name."""
        node = self.node
        node.parent, node.name, node.alias = self.parent, self.name, self
        return node


AnyNode: TypeAlias = UnionNode | Inode

# Flags of a UnionNode.
OPAQUE = 1
"""The upper directory has the opaque attribute, or lies over nothing."""
IMPURE = 2
"""The upper directory is known to have the impure attribute."""
METACOPY = 4
"""The upper file has attributes only."""
INDEXED = 8
"""The upper file stands in the index: all names of the lower file lead to it."""
WHITEOUTS = 16
"""The directory may hold whiteouts, so that a listing has to look for them."""
XWHITEOUTS = 32
"""A lower directory has whiteouts that are files with an attribute."""
CONST_INO = 64
"""The lower part's inode number is shown, before and after copy-up; "has an origin", to the kernel."""
ALIASED = 128
"""Several names may lead to this non-directory; the name that was used last is remembered."""
UNLINKED = 256
"""The last name of the lower file is gone; only open files still lead to it."""
SPLIT = 512
"""Two nodes of the union stand for one upper inode; each keeps times and permissions of its own."""

Xattrs: TypeAlias = Mapping[str, bytes]
