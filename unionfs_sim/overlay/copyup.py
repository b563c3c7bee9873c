"""Copying a file of a lower layer into the upper, when it is about to change (fs/overlayfs/copy_up.c).

Parents first, attributes and mtime kept; the mtime of the parent does not move. The kernel makes the copy
in the workdir and renames it into place, so a crash leaves the upper as it was.
"""

from __future__ import annotations

import errno
from typing import NoReturn

from unionfs_sim.events import CopiedUp
from unionfs_sim.nodes.content import EMPTY, Content
from unionfs_sim.nodes.inode import DEAD, NO_XATTRS, Inode
from unionfs_sim.nodes.journal import assign, put
from unionfs_sim.nodes.kinds import DIRECTORY, REGULAR, TYPE
from unionfs_sim.overlay import index, metacopy
from unionfs_sim.overlay.copying import copied_up
from unionfs_sim.overlay.state import (
    ALIASED,
    CONST_INO,
    IMPURE,
    METACOPY,
    WHITEOUTS,
    Part,
    State,
    UnionNode,
)
from unionfs_sim.vfs.capability import CAPABILITY, shown_capability
from unionfs_sim.vfs.permission import fail


def copy_up(union: State, node: UnionNode, *, truncating: bool = False, with_data: bool = False) -> Inode:
    """The upper inode of ``node``, made now if there is none.

    ``truncating``: the bytes are not needed. ``with_data``: a metacopy gets its bytes as well.
    """
    if isinstance(node.data, str):
        union.find_data(node)
    upper = node.upper
    if upper is None:
        return _copy(union, node, truncating=truncating, with_data=with_data)
    if node.alias is not None and not node.alias.in_upper:
        _link_alias(union, node, upper)
    if node.flags & METACOPY and (with_data or truncating):
        metacopy.fill(union, node, truncating=truncating)
    return upper


def _parents(union: State, node: UnionNode) -> None:
    """Copy up the directories that lead to ``node``, the outermost first."""
    missing = []
    parent = node.parent
    while parent.upper is None:
        missing.append(parent)
        parent = parent.parent
    for directory in reversed(missing):
        _copy(union, directory)


def set_impure(union: State, directory: UnionNode) -> None:
    """Mark an upper directory that holds something with an origin."""
    if directory.flags & IMPURE or directory.upper is None or union.upper is None:
        return
    if union.xattr_impure not in directory.upper.xattrs:
        union.upper.store_xattr(directory.upper, union.xattr_impure, b"y")
    assign(union.journal, directory, "flags", directory.flags | IMPURE)
    directory.listing = None


def _copy(union: State, node: UnionNode, *, truncating: bool = False, with_data: bool = False) -> Inode:
    parent = node.parent
    if parent.upper is None:
        _parents(union, node)
    tree, target = union.upper, parent.upper
    assert tree is not None
    assert target is not None
    part = node.lowers[0]
    kind = node.mode & TYPE
    has_index = union.options.index and index.needs_index(union, node)
    keeps_origin = kind == DIRECTORY or has_index or union.nlink_of(part) == 1
    only_attributes = (
        union.options.metacopy and kind == REGULAR and not truncating and not with_data
    )  # ovl_need_meta_copy_up
    if not has_index:
        set_impure(union, parent)  # first, and it stays if the copy fails
    upper, size = _clone(union, node, truncating=truncating, only_attributes=only_attributes)
    if keeps_origin and (not union.options.userxattr or union.can_hold_xattrs(upper)):
        kept = dict(upper.xattrs)
        kept[union.xattr_origin] = union.file_handle(part)
        upper.xattrs = kept
    if has_index:
        set_impure(union, parent)
    if target.children is DEAD or node.name in target.children:
        _fail_in_place(target, node)
    times = target.mtime_ns, target.atime_ns
    journal = union.journal
    tree.attach(target, node.name, upper)
    assign(journal, target, "mtime_ns", times[0])
    assign(journal, target, "atime_ns", times[1])
    assign(journal, node, "upper", upper)
    if kind == DIRECTORY:
        assign(journal, node, "flags", node.flags | WHITEOUTS)
        node.listing = None
    elif only_attributes:
        assign(journal, node, "flags", node.flags | METACOPY)
        assign(journal, node, "data", node.data if node.data is not None else part.inode)
    else:
        assign(journal, node, "data", None)
    if node.alias is not None:
        assign(journal, node.alias, "in_upper", value=True)
    if node.flags & ALIASED and not node.flags & CONST_INO:
        put(journal, union.shared, upper, node)
    if has_index:
        _enter_index(union, node, upper, part)
    if union.events.listeners:
        union.events.tell(CopiedUp(union.path_of(parent, node.name), node.mode, size))
    return upper


def _fail_in_place(target: Inode, node: UnionNode) -> NoReturn:
    """An open file whose name was removed cannot be copied up: what took its place is in the way."""
    if target.children is DEAD:
        fail(errno.ENOENT)
    fail(errno.ENOTDIR if node.is_dir else errno.EEXIST)


def _clone(union: State, node: UnionNode, *, truncating: bool, only_attributes: bool) -> tuple[Inode, int]:
    """A copy of the lower inode without a name, and the bytes that it took."""
    assert union.upper is not None
    layer, lower = node.lowers[0]
    mode = lower.mode
    body: Content | str | int | None = lower.body
    size = 0
    if mode & TYPE == REGULAR:
        if truncating:
            body = EMPTY
        elif only_attributes:
            body = metacopy.hole_of(lower.size)
        else:
            size = lower.size
            body = copied_up(node.content, size)
    now = union.clock()
    upper = Inode(union.upper.volume.next_ino(), mode, lower.uid, lower.gid, now_ns=now, body=body)
    upper.atime_ns, upper.mtime_ns = lower.atime_ns, lower.mtime_ns
    if lower.xattrs:
        xattrs = union.xattrs_in(layer, lower)
        if CAPABILITY in xattrs:
            shown_capability(xattrs[CAPABILITY])  # EINVAL for one that cannot be read, and so not be copied
        kept = {name: value for name, value in xattrs.items() if union.copies_xattr(name)}
        upper.xattrs = kept or NO_XATTRS
    if only_attributes:
        upper.xattrs = {**upper.xattrs, union.xattr_metacopy: b""}
    return upper, size


def _enter_index(union: State, node: UnionNode, upper: Inode, part: Part) -> None:
    """An indexed copy: the index has a name of it too, and its names below are still counted."""
    assign(union.journal, upper, "nlink", upper.nlink + 1)
    index.add(union, node, upper)
    assign(union.journal, node, "nlink", union.nlink_of(part))
    index.store_nlink(union, node, against_upper=True)
    put(union.journal, union.shared, part.inode, node)


def _link_alias(union: State, node: UnionNode, upper: Inode) -> None:
    """Another name of an indexed file: link it into the upper (ovl_link_up)."""
    parent = node.parent
    if parent.upper is None:
        _parents(union, node)
    tree, target = union.upper, parent.upper
    assert tree is not None
    assert target is not None
    set_impure(union, parent)
    if target.children is DEAD or node.name in target.children:
        _fail_in_place(target, node)
    before = target.mtime_ns, target.atime_ns
    index.store_nlink(union, node, against_upper=False)
    tree.link(upper, target, node.name)
    assign(union.journal, target, "mtime_ns", before[0])
    assign(union.journal, target, "atime_ns", before[1])
    assign(union.journal, node.alias, "in_upper", value=True)
    index.store_nlink(union, node, against_upper=True)
