"""The index, which keeps lower hard links together (mount option ``index=on``).

It is a directory in the workdir with one more name for every copied-up file that has several names below.
"""

from __future__ import annotations

from unionfs_sim.nodes.inode import Inode
from unionfs_sim.nodes.journal import assign, put
from unionfs_sim.overlay.state import INDEXED, AnyNode, State, UnionNode


def needs_index(union: State, node: UnionNode) -> bool:
    """Whether a copy-up of this file must go through the index (ovl_need_index)."""
    if not union.options.index or node.is_dir or not node.lowers:
        return False
    part = node.lowers[0]
    return union.inode_nlink(part) > 1


def lookup(union: State, lower: AnyNode) -> Inode | None:
    """The upper inode that the index has for a lower inode."""
    return union.work.index.get(lower)


def add(union: State, node: UnionNode, upper: Inode) -> None:
    """Put a copied-up file into the index: one more name for the upper inode."""
    put(union.journal, union.work.index, node.lowers[0].inode, upper)
    assign(union.journal, node, "flags", node.flags | INDEXED)


def nlink(union: State, node: UnionNode) -> int:
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


def store_nlink(union: State, node: UnionNode, *, against_upper: bool) -> None:
    """Write down how many names the union shows, relative to the upper's or the lower's link count."""
    assert node.upper is not None
    assert union.upper is not None
    part = node.lowers[0]
    if not union.can_hold_xattrs(node.upper):
        return
    real = node.upper.nlink if against_upper else union.nlink_of(part)
    letter = "U" if against_upper else "L"
    union.upper.store_xattr(node.upper, union.xattr_nlink, f"{letter}{node.nlink - real:+d}".encode())
