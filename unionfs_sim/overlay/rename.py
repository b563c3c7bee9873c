"""rename(2) in a union: copy-up, a whiteout where it came from, and for directories a redirect or EXDEV.

A directory with a part in a lower layer cannot be moved by renaming its upper part alone. With
``redirect_dir=on`` an attribute says where the lower part lies; without it the caller gets EXDEV and
copies by hand, as between two disks.
"""

from __future__ import annotations

import errno
from typing import TypeAlias

from unionfs_sim.events import RedirectMade
from unionfs_sim.nodes.caller import ROOT
from unionfs_sim.nodes.inode import DEAD, Inode
from unionfs_sim.nodes.journal import assign, put
from unionfs_sim.nodes.kinds import CHARACTER_DEVICE
from unionfs_sim.overlay import readdir
from unionfs_sim.overlay.copyup import copy_up, set_impure
from unionfs_sim.overlay.options import REDIRECT_MAX, RedirectDir
from unionfs_sim.overlay.state import CONST_INO, METACOPY, UNLINKED, Alias, AnyNode, State, UnionNode
from unionfs_sim.overlay.whiteout import (
    after_unlink,
    before_unlink,
    clear_upper,
    forget,
    is_pure,
    lower_positive,
    make_whiteout,
    mark_opaque,
    remove_whiteout,
    replace_by_opaque,
    use_name,
)
from unionfs_sim.vfs.flags import RENAME_EXCHANGE, RENAME_WHITEOUT
from unionfs_sim.vfs.permission import fail, new_mode
from unionfs_sim.vfs.tree import Dentry

Name: TypeAlias = Dentry[UnionNode, AnyNode]


def is_merge_or_lower(node: AnyNode) -> bool:
    """Whether a part that shows lies in a lower layer (ovl_type_merge_or_lower)."""
    if not isinstance(node, UnionNode):
        return False
    return node.upper is None or (bool(node.lowers) and (node.is_dir or bool(node.flags & METACOPY)))


def _can_move(union: State, node: AnyNode) -> bool:
    return union.options.redirect_dir is RedirectDir.ON or not node.is_dir or not is_merge_or_lower(node)


def _has_origin(node: AnyNode) -> bool:
    return isinstance(node, UnionNode) and bool(node.lowers) and bool(node.flags & CONST_INO)


def rename(union: State, source: Name, destination: Name, flags: int) -> None:
    """Move a name (ovl_rename)."""
    node, other = _there(source), destination.node
    if flags & RENAME_WHITEOUT:
        fail(errno.EINVAL)
    if not _can_move(union, node):
        fail(errno.EXDEV)
    exchanging = bool(flags & RENAME_EXCHANGE)
    if exchanging and other is not None and not _can_move(union, other):
        fail(errno.EXDEV)
    target = other if isinstance(other, UnionNode) and other.is_dir else None
    if target is not None and not exchanging and not is_pure(target) and not readdir.is_empty(union, target):
        fail(errno.ENOTEMPTY)
    _copy_up_at(union, node, source)
    if destination.directory.upper is None:
        copy_up(union, destination.directory)
    if other is not None:
        if exchanging:
            _copy_up_at(union, other, destination)
        else:
            use_name(other, destination.directory, destination.name)
            before_unlink(union, other)
    if source.directory is not destination.directory:
        if _has_origin(node):
            set_impure(union, destination.directory)
        if exchanging and other is not None and _has_origin(other):
            set_impure(union, source.directory)
    if other is not None and _upper_or_none(other) is _upper_of(node):
        fail(errno.ESTALE)  # two inodes of the union, one in the upper
    if exchanging and other is not None:
        _exchange(union, source, destination)
    else:
        _overwrite(union, source, destination)
    union.refresh(node)
    if other is not None:
        union.refresh(other)
    if node.is_dir or (other is not None and other.is_dir):
        union.forget_paths()


def _there(name: Name) -> AnyNode:
    assert name.node is not None
    return name.node


def _copy_up_at(union: State, node: AnyNode, at: Name) -> None:
    if isinstance(node, UnionNode):
        use_name(node, at.directory, at.name)
        copy_up(union, node)


def _upper_or_none(node: AnyNode) -> Inode | None:
    return node.upper if isinstance(node, UnionNode) else node


def _upper_of(node: AnyNode) -> Inode:
    upper = _upper_or_none(node)
    assert upper is not None
    return upper


def _prepare(union: State, node: AnyNode, *, same_parent: bool, new_parent: UnionNode) -> None:
    """The attribute that a moved directory (or metacopy) needs at its new place."""
    if not isinstance(node, UnionNode):
        return
    if is_merge_or_lower(node):
        set_redirect(union, node, same_parent=same_parent)
    elif node.is_dir and new_parent.lowers:
        mark_opaque(union, node)


def _overwrite(union: State, old: Name, new: Name) -> None:
    (old_dir, old_name, _), (new_dir, new_name, other) = old, new
    node = _there(old)
    tree = union.upper
    assert tree is not None
    assert old_dir.upper is not None
    assert new_dir.upper is not None
    use_name(node, old_dir, old_name)
    leaves_whiteout = lower_positive(union, old_dir, old_name, node)
    if isinstance(other, UnionNode) and other.upper is not None and other.lowers and other.upper.children:
        replace_by_opaque(union, new_dir, new_name, other)
    _prepare(union, node, same_parent=old_dir is new_dir, new_parent=new_dir)
    there = new_dir.upper.children.get(new_name)
    left: Inode | None = None
    if other is None:
        left = there  # the two names exchange: the whiteout goes where the file came from
        remove_whiteout(union, new_dir.upper, new_name)
    elif there is not None:
        if there.is_dir:
            if isinstance(other, UnionNode) and not is_pure(other):
                clear_upper(union, there)
            if there.children:
                fail(errno.ENOTEMPTY)
        tree.detach(new_dir.upper, new_name, there)
        tree.drop(there)
    upper = _upper_of(node)
    tree.detach(old_dir.upper, old_name, upper)
    tree.attach(new_dir.upper, new_name, upper)
    assign(union.journal, upper, "ctime_ns", union.clock())
    if leaves_whiteout:
        if left is None:
            # The rename itself leaves a whiteout (RENAME_WHITEOUT): the layer makes a device of its own.
            _, gid = new_mode(old_dir.upper, ROOT, CHARACTER_DEVICE)
            left = tree.new(CHARACTER_DEVICE, 0, gid, 0)
            left.nlink = 0
        make_whiteout(union, old_dir, old_name, left)
    if other is not None:
        after_unlink(union, other)
        if isinstance(other, UnionNode) and other.is_dir:
            assign(union.journal, other, "children", DEAD)
        elif isinstance(other, UnionNode) and other.upper is None:
            assign(union.journal, other, "flags", other.flags | UNLINKED)
    alias = _alias_of(node, old_dir, old_name)
    forget(union, old_dir, old_name)
    _place(union, node, new_dir, new_name, alias)


def _exchange(union: State, old: Name, new: Name) -> None:
    (old_dir, old_name, _), (new_dir, new_name, _) = old, new
    node, other = _there(old), _there(new)
    tree = union.upper
    assert tree is not None
    assert old_dir.upper is not None
    assert new_dir.upper is not None
    same = old_dir is new_dir
    _prepare(union, node, same_parent=same, new_parent=new_dir)
    _prepare(union, other, same_parent=same, new_parent=old_dir)
    one, two = _upper_of(node), _upper_of(other)
    tree.rename(Dentry(old_dir.upper, old_name, one), Dentry(new_dir.upper, new_name, two), RENAME_EXCHANGE)
    moved = _alias_of(node, old_dir, old_name), _alias_of(other, new_dir, new_name)
    _place(union, node, new_dir, new_name, moved[0])
    _place(union, other, old_dir, old_name, moved[1])


def _alias_of(node: AnyNode, directory: UnionNode, name: str) -> Alias | None:
    if not isinstance(node, UnionNode) or directory.aliases is None:
        return None
    return directory.aliases.get(name)


def _place(union: State, node: AnyNode, directory: UnionNode, name: str, alias: Alias | None) -> None:
    """Let the union's own memory know where a node is now."""
    forget(union, directory, name)
    if not isinstance(node, UnionNode):
        return
    assign(union.journal, node, "parent", directory)
    assign(union.journal, node, "name", name)
    if alias is None:
        put(union.journal, directory.children, name, node)
        return
    if directory.aliases is None:
        directory.aliases = {}
    assign(union.journal, alias, "parent", directory)
    assign(union.journal, alias, "name", name)
    put(union.journal, directory.aliases, name, alias)


def set_redirect(union: State, node: UnionNode, *, same_parent: bool) -> None:
    """Write where the lower part lies: the old name, or the path from the root (ovl_set_redirect)."""
    known = node.redirect
    if known is not None and (same_parent or known[0] == "/"):
        return
    relative = same_parent and (node.is_dir or union.inode_nlink(node.lowers[0]) <= 1)
    redirect = node.name if relative else absolute_redirect(node)
    assert union.upper is not None
    assert node.upper is not None
    union.upper.store_xattr(node.upper, union.xattr_redirect, redirect.encode("utf-8", "surrogateescape"))
    assign(union.journal, node, "redirect", redirect)
    if union.events.listeners:
        union.events.tell(RedirectMade(union.path_of(node.parent, node.name), redirect))


def absolute_redirect(node: UnionNode) -> str:
    """The path of a node in the lower layers; EXDEV if it is longer than a redirect may be."""
    path = ""
    while node.parent is not node:
        step = node.redirect if node.redirect is not None else node.name
        path = (step if step[0] == "/" else "/" + step) + path
        if len(path.encode("utf-8", "surrogateescape")) > REDIRECT_MAX:
            fail(errno.EXDEV)
        if step[0] == "/":
            break
        node = node.parent
    return path
