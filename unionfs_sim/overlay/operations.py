"""The operations on the inodes of a union: one tree shown from an upper and any number of lowers.

Each is a function on the union's state; those that need a page of their own have a module of their own.
"""

from __future__ import annotations

import errno

from unionfs_sim.layers.layertree import DAY_NS
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.nodes.journal import ABSENT, assign, put
from unionfs_sim.nodes.kinds import CHARACTER_DEVICE, DIRECTORY, TYPE
from unionfs_sim.overlay import getattr as attributes
from unionfs_sim.overlay import index, lookup, readdir, rename, whiteout, xattrs
from unionfs_sim.overlay.copyup import copy_up, set_impure
from unionfs_sim.overlay.nodes import by_name
from unionfs_sim.overlay.state import (
    ALIASED,
    CONST_INO,
    INDEXED,
    METACOPY,
    OPAQUE,
    SPLIT,
    Alias,
    AnyNode,
    State,
    UnionNode,
)
from unionfs_sim.vfs.permission import fail, new_mode
from unionfs_sim.vfs.tree import Change


def content(union: State, node: AnyNode) -> Content:
    """The bytes of a regular file, now."""
    del union
    return node.content


def real(union: State, node: AnyNode) -> Inode:
    """The inode that has the bytes: the upper's, a lower's, or for a metacopy that of its data."""
    while isinstance(node, UnionNode):
        union.find_data(node)
        node = node.data if node.data is not None and not isinstance(node.data, str) else node.real
    return node


def opened_by(union: State, node: AnyNode) -> Alias | None:
    """By which of several names a file was found last."""
    del union
    return node.alias if isinstance(node, UnionNode) else None


def target(union: State, node: AnyNode) -> str:
    """Where a symlink points."""
    del union
    body = node.body
    return body if isinstance(body, str) else ""


def accessed(union: State, node: AnyNode) -> None:
    """The access time of a file in the upper moves; that of a lower file does not."""
    upper = node.upper if isinstance(node, UnionNode) else node
    if upper is None or union.upper is None:
        return
    if isinstance(node, UnionNode) and node.times is not None:
        atime, mtime, ctime = node.times
        if atime > mtime and atime > ctime and union.clock() - atime < DAY_NS:
            return
        union.upper.accessed(upper)
        node.times = upper.atime_ns, mtime, ctime
        return
    union.upper.accessed(upper)


def make(
    union: State,
    directory: UnionNode,
    name: str,
    mode: int,
    caller: Caller,
    body: Content | str | int | None,
) -> AnyNode:
    """Make a file of any type; a whiteout that stands there goes, a directory in its place is opaque."""
    if body == 0 and mode & TYPE == CHARACTER_DEVICE:
        fail(errno.EPERM)
    upper_dir = directory.upper
    if upper_dir is None:
        upper_dir = copy_up(union, directory)
    tree = union.upper
    assert tree is not None
    mode, gid = new_mode(directory, caller, mode)
    upper = tree.new(mode, caller.uid, gid, body)
    is_over_whiteout = name in upper_dir.children and whiteout.remove_whiteout(union, upper_dir, name)
    tree.attach(upper_dir, name, upper)
    if union.journal is not None or name in directory.children:
        whiteout.forget(union, directory, name)
    directory.listing = None
    node: AnyNode = upper
    if mode & TYPE == DIRECTORY:
        node = UnionNode(upper, (), directory, name)
        if is_over_whiteout or (directory.lowers and not union.options.allows_offline_changes):
            whiteout.make_opaque(union, upper, union.path_of(directory, name))
            node.flags = OPAQUE
        put(union.journal, directory.children, name, node)
    return node


def make_unnamed(union: State, directory: UnionNode, mode: int, caller: Caller) -> Inode:
    """Make a regular file without a name (O_TMPFILE)."""
    _upper_dir(union, directory)
    assert union.upper is not None
    mode, gid = new_mode(directory, caller, mode)
    upper = union.upper.new(mode, caller.uid, gid)
    upper.nlink = 0
    return upper


def _upper_dir(union: State, directory: UnionNode) -> Inode:
    upper = directory.upper
    return upper if upper is not None else copy_up(union, directory)


def link(union: State, node: AnyNode, directory: UnionNode, name: str) -> None:
    """Give ``node`` another name."""
    tree = union.upper
    assert tree is not None
    upper = copy_up(union, node) if isinstance(node, UnionNode) else node
    upper_dir = _upper_dir(union, directory)
    if isinstance(node, UnionNode):
        if node.flags & METACOPY:
            rename.set_redirect(union, node, same_parent=False)
        if node.flags & INDEXED:
            index.store_nlink(union, node, against_upper=True)
        if node.lowers and node.flags & CONST_INO:
            set_impure(union, directory)
    whiteout.remove_whiteout(union, upper_dir, name)
    tree.link(upper, upper_dir, name)
    whiteout.forget(union, directory, name)
    if isinstance(node, UnionNode):
        _remember_link(union, node, upper, directory, name)


def _remember_link(union: State, node: UnionNode, upper: Inode, directory: UnionNode, name: str) -> None:
    """The new name is looked up like any other: by its origin, or if it has none by the upper."""
    journal = union.journal
    if node.flags & INDEXED:
        assign(journal, node, "nlink", node.nlink + 1)
    key: AnyNode = node.lowers[0].inode if node.lowers and node.flags & CONST_INO else upper
    put(journal, union.shared, key, node)
    if key is not upper and upper not in union.shared and _splits(union, node, upper):
        # The kernel makes another inode for the new name, with permissions of its own.
        twin = UnionNode(upper, (), directory, name)
        twin.flags = ALIASED | SPLIT
        assign(journal, node, "flags", node.flags | SPLIT)
        node.remember_times()
        put(journal, union.shared, upper, twin)
    if not node.flags & ALIASED:
        assign(journal, node, "flags", node.flags | ALIASED)
        put(journal, node.parent.children, node.name, ABSENT)
        by_name(node, node.parent, node.name)


def _splits(union: State, node: UnionNode, upper: Inode) -> bool:
    """Whether a new name leads to another node, as nothing in the upper ties it to the lower file."""
    return not node.flags & METACOPY and union.origin_of(upper) is None


def change(union: State, node: AnyNode, change: Change) -> None:
    """Set attributes, in the upper."""
    assert union.upper is not None
    if not isinstance(node, UnionNode):
        union.upper.change(node, change)
        return
    upper = copy_up(union, node, with_data=change.size is not None)
    union.upper.change(upper, change)
    union.refresh(node)


def before_open(union: State, node: AnyNode, *, writing: bool, truncating: bool) -> None:
    """Opening for writing copies up, whether something is written or not."""
    if not isinstance(node, UnionNode):
        return
    union.find_data(node)
    if writing:
        copy_up(union, node, truncating=truncating, with_data=True)


def write(union: State, node: AnyNode, offset: int, piece: bytes) -> None:
    """Write bytes of a regular file; what was copied up for it may have been taken back (undo)."""
    assert union.upper is not None
    if isinstance(node, UnionNode):
        upper = node.upper
        if upper is None or node.flags & METACOPY:
            upper = copy_up(union, node, with_data=True)
        union.upper.write(upper, offset, piece)
        union.refresh(node)
    else:
        union.upper.write(node, offset, piece)


def listed(union: State, directory: UnionNode) -> None:
    """The access time of a directory that the upper alone has moves; a merged one is read without."""
    if directory.upper is not None and union.upper is not None and not directory.lowers:
        union.upper.accessed(directory.upper)


def freshen(union: State, node: AnyNode) -> None:
    """A write looks at the permissions of the upper first: another name may change them (ovl_write_iter)."""
    union.refresh(node)


class UnionTree(State):
    """The operations on inodes as overlayfs does them."""

    lookup = lookup.lookup
    entries = readdir.entries
    typed_entries = readdir.typed_entries
    hold_listing = readdir.hold_listing
    stat = attributes.stat
    is_unlinked = attributes.is_unlinked
    content = content
    real = real
    opened_by = opened_by
    freshen = freshen
    listed = listed
    target = target
    accessed = accessed
    getxattr = xattrs.getxattr
    visible_xattrs = xattrs.visible_xattrs

    make = make
    make_unnamed = make_unnamed
    link = link
    unlink = whiteout.remove
    rmdir = whiteout.remove
    rename = rename.rename
    change = change
    before_open = before_open
    write = write
    setxattr = xattrs.setxattr
