"""Copying a file of a lower layer into the upper, when it is about to change (fs/overlayfs/copy_up.c).

Parents first, attributes and mtime kept; the mtime of the parent does not move. The kernel makes the copy
in the workdir and renames it into place, so a crash leaves the upper as it was.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from unionfs_sim.events import CopiedUp
from unionfs_sim.nodes.content import EMPTY
from unionfs_sim.nodes.inode import DEAD, NO_XATTRS, Inode
from unionfs_sim.nodes.journal import assign, put
from unionfs_sim.overlay import index, metacopy
from unionfs_sim.overlay.copying import copied_up
from unionfs_sim.overlay.node import ALIASED, CONST_INO, METACOPY, WHITEOUTS, UnionNode
from unionfs_sim.vfs.permission import fail

if TYPE_CHECKING:
    from unionfs_sim.overlay.union import UnionTree

REGULAR = 0o100000
DIRECTORY = 0o040000


def copy_up(union: UnionTree, node: UnionNode, *, truncating: bool = False, with_data: bool = False) -> Inode:
    """The upper inode of ``node``, made now if there is none.

    ``truncating``: the bytes are not needed. ``with_data``: a metacopy gets its bytes as well.
    """
    union.find_data(node)
    upper = node.upper
    if upper is None:
        return _copy(union, node, truncating=truncating, with_data=with_data)
    if node.alias is not None and not node.alias.in_upper:
        _link_alias(union, node, upper)
    if node.flags & METACOPY and (with_data or truncating):
        metacopy.fill(union, node, truncating=truncating)
    return upper


def _parents(union: UnionTree, node: UnionNode) -> None:
    """Copy up the directories that lead to ``node``, the outermost first."""
    missing = []
    parent = node.parent
    while parent.upper is None:
        missing.append(parent)
        parent = parent.parent
    for directory in reversed(missing):
        _copy(union, directory)


def _copy(union: UnionTree, node: UnionNode, *, truncating: bool = False, with_data: bool = False) -> Inode:
    parent = node.parent
    if parent.upper is None:
        _parents(union, node)
    tree, target = union.upper, parent.upper
    assert tree is not None
    assert target is not None
    part = node.lowers[0]
    lower = part.inode
    indexed = union.options.index and index.needs_index(union, node)
    keeps_origin = node.is_dir or indexed or union.nlink_of(part) == 1
    only_attributes = metacopy.wanted(union, node, truncating=truncating, with_data=with_data)
    upper, size = _clone(union, node, truncating=truncating, only_attributes=only_attributes)
    if keeps_origin and union.can_hold_xattrs(upper):
        kept = dict(upper.xattrs)
        kept[union.xattr_origin] = index.handle(union, part)
        upper.xattrs = kept
    index.set_impure(union, parent)
    _check_place(target, node)
    before = target.mtime_ns, target.atime_ns
    journal = union.journal
    tree.attach(target, node.name, upper)
    assign(journal, target, "mtime_ns", before[0])
    assign(journal, target, "atime_ns", before[1])
    assign(journal, node, "upper", upper)
    if node.alias is not None:
        assign(journal, node.alias, "in_upper", value=True)
    if node.flags & ALIASED and not node.flags & CONST_INO:
        put(journal, union.shared, upper, node)
    if indexed:
        _enter_index(union, node, upper, lower)
    if node.is_dir:
        assign(journal, node, "flags", node.flags | WHITEOUTS)
        node.listing = None
    elif only_attributes:
        assign(journal, node, "flags", node.flags | METACOPY)
        assign(journal, node, "data", node.data if node.data is not None else lower)
    else:
        assign(journal, node, "data", None)
    if union.events.listeners:
        union.events.tell(CopiedUp(union.path_of(parent, node.name), node.mode, size))
    return upper


def _check_place(target: Inode, node: UnionNode) -> None:
    """An open file whose name was removed cannot be copied up: what took its place is in the way."""
    if target.children is DEAD:
        fail(errno.ENOENT)
    if node.name in target.children:
        fail(errno.ENOTDIR if node.is_dir else errno.EEXIST)


def _clone(
    union: UnionTree, node: UnionNode, *, truncating: bool, only_attributes: bool
) -> tuple[Inode, int]:
    """A copy of the lower inode without a name, and the bytes that it took."""
    assert union.upper is not None
    lower = node.lowers[0].inode
    mode = lower.mode
    body: Any = lower.body
    size = 0
    if mode & 0o170000 == REGULAR:
        source = node.content
        if truncating:
            body = EMPTY
        elif only_attributes:
            body = metacopy.hole_of(lower.size)
        else:
            body = copied_up(source, lower.size)
            size = lower.size
    upper = Inode(union.upper.volume.next_ino(), mode, lower.uid, lower.gid, body=body)
    upper.atime_ns, upper.mtime_ns = lower.atime_ns, lower.mtime_ns
    upper.ctime_ns = union.clock()
    if lower.xattrs:
        xattrs = union.xattrs_in(*node.lowers[0])
        kept = {name: value for name, value in xattrs.items() if union.copies_xattr(name)}
        upper.xattrs = kept or NO_XATTRS
    if only_attributes:
        upper.xattrs = {**upper.xattrs, union.xattr_metacopy: b""}
    return upper, size


def _enter_index(union: UnionTree, node: UnionNode, upper: Inode, lower: Any) -> None:
    """An indexed copy: the index has a name of it too, and its names below are still counted."""
    assign(union.journal, upper, "nlink", upper.nlink + 1)
    index.add(union, node, upper)
    assign(union.journal, node, "nlink", union.nlink_of(node.lowers[0]))
    index.store_nlink(union, node, against_upper=True)
    put(union.journal, union.shared, lower, node)


def _link_alias(union: UnionTree, node: UnionNode, upper: Inode) -> None:
    """Another name of an indexed file: link it into the upper (ovl_link_up)."""
    parent = node.parent
    if parent.upper is None:
        _parents(union, node)
    tree, target = union.upper, parent.upper
    assert tree is not None
    assert target is not None
    index.set_impure(union, parent)
    _check_place(target, node)
    before = target.mtime_ns, target.atime_ns
    index.store_nlink(union, node, against_upper=False)
    tree.link(upper, target, node.name)
    assign(union.journal, target, "mtime_ns", before[0])
    assign(union.journal, target, "atime_ns", before[1])
    assign(union.journal, node.alias, "in_upper", value=True)
    index.store_nlink(union, node, against_upper=True)
