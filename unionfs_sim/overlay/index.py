"""Where a copied-up file came from, and the index that keeps lower hard links together.

The origin attribute names the lower inode by a file handle. The index (mount option ``index=on``) is a
directory in the workdir with one more name for every copied-up file that has several names below.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from unionfs_sim.nodes.inode import Inode
from unionfs_sim.nodes.journal import assign, put
from unionfs_sim.overlay.node import IMPURE, INDEXED, Part, UnionNode

if TYPE_CHECKING:
    from unionfs_sim.overlay.union import UnionTree

HANDLE: Final = struct.Struct("<BBBBB16sQQ")
VERSION: Final = 0
MAGIC: Final = 0xFB


def handle(union: UnionTree, part: Part) -> bytes:
    """The file handle of a lower inode (struct ovl_fb)."""
    tree = union.stack[part.layer]
    if tree.is_union:
        return b""  # a union gives out no file handles
    stat = tree.stat(part.inode)
    volume = union.volume_number(part.layer)
    return HANDLE.pack(VERSION, MAGIC, HANDLE.size, 0, 1, b"\0" * 16, volume, stat.st_ino)


def origin_of(union: UnionTree, upper: Inode) -> Part | None:
    """The lower inode that the upper's origin attribute names, if a layer of this mount has it."""
    value = upper.xattrs.get(union.xattr_origin)
    if value is None or len(value) != HANDLE.size:
        return None
    *_, volume, ino = HANDLE.unpack(value)
    return union.decode(volume, ino)


def set_origin(union: UnionTree, upper: Inode, part: Part) -> None:
    """Write the origin attribute."""
    assert union.upper is not None
    union.upper.store_xattr(upper, union.xattr_origin, handle(union, part))


def fix_origin(union: UnionTree, directory: UnionNode, upper: Inode, part: Part) -> None:
    """A merged directory of an older upper gets its origin attribute when it is first met."""
    if union.upper is None or union.xattr_origin in upper.xattrs:
        return
    union.upper.note_xattr(upper, union.xattr_origin, handle(union, part))
    if directory.flags & IMPURE or directory.upper is None:
        return
    union.upper.note_xattr(directory.upper, union.xattr_impure, b"y")
    assign(None, directory, "flags", directory.flags | IMPURE)
    directory.listing = None


def set_impure(union: UnionTree, directory: UnionNode) -> None:
    """Mark an upper directory that holds something with an origin."""
    if directory.flags & IMPURE or directory.upper is None or union.upper is None:
        return
    if union.xattr_impure not in directory.upper.xattrs:
        union.upper.store_xattr(directory.upper, union.xattr_impure, b"y")
    assign(union.journal, directory, "flags", directory.flags | IMPURE)
    directory.listing = None


def needs_index(union: UnionTree, node: UnionNode) -> bool:
    """Whether a copy-up of this file must go through the index (ovl_need_index)."""
    if not union.options.index or node.is_dir or not node.lowers:
        return False
    part = node.lowers[0]
    return union.inode_nlink(part) > 1


def lookup(union: UnionTree, lower: Any) -> Inode | None:
    """The upper inode that the index has for a lower inode."""
    found: Inode | None = union.work.index.get(lower)
    return found


def add(union: UnionTree, node: UnionNode, upper: Inode) -> None:
    """Put a copied-up file into the index: one more name for the upper inode."""
    put(union.journal, union.work.index, node.lowers[0].inode, upper)
    assign(union.journal, node, "flags", node.flags | INDEXED)


def nlink(union: UnionTree, node: UnionNode) -> int:
    """Names that the union shows of an indexed file: the upper's and the lower's not yet covered."""
    upper = node.upper
    assert upper is not None
    value = upper.xattrs.get(union.xattr_nlink, b"")
    part = node.lowers[0]
    if value[:1] == b"U":
        return upper.nlink + int(value[1:])
    if value[:1] == b"L":
        return union.nlink_of(part) + int(value[1:])
    return upper.nlink


def store_nlink(union: UnionTree, node: UnionNode, *, against_upper: bool) -> None:
    """Write down how many names the union shows, relative to the upper's or the lower's link count."""
    assert node.upper is not None
    assert union.upper is not None
    part = node.lowers[0]
    if not union.can_hold_xattrs(node.upper):
        return
    real = node.upper.nlink if against_upper else union.nlink_of(part)
    letter = "U" if against_upper else "L"
    union.upper.store_xattr(node.upper, union.xattr_nlink, f"{letter}{node.nlink - real:+d}".encode())
