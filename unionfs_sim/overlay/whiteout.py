"""Deleting from a union: what lower layers have cannot go, so a whiteout in the upper hides it."""

from __future__ import annotations

import errno

from unionfs_sim.events import OpaqueMade, WhiteoutMade
from unionfs_sim.nodes.inode import DEAD, Inode
from unionfs_sim.nodes.journal import ABSENT, Journal, assign, put
from unionfs_sim.nodes.kinds import CHARACTER_DEVICE, DIRECTORY, TYPE
from unionfs_sim.overlay import index, readdir
from unionfs_sim.overlay.copyup import copy_up
from unionfs_sim.overlay.state import INDEXED, OPAQUE, SPLIT, UNLINKED, AnyNode, State, UnionNode
from unionfs_sim.vfs.capability import CAPABILITY, shown_capability
from unionfs_sim.vfs.permission import fail


def lower_positive(union: State, directory: UnionNode, name: str, node: AnyNode) -> bool:
    """Whether a lower layer would show the name if the upper had nothing there (ovl_lower_positive)."""
    if isinstance(node, UnionNode) and node.upper is None:
        return True
    for layer, inode in directory.lowers:
        child = union.child_of(layer, inode, name)
        if child is not None:
            return not union.is_whiteout(layer, child)
    return False


def make_whiteout(union: State, directory: UnionNode, name: str, inode: Inode | None = None) -> None:
    """Put a whiteout at ``name`` of an upper directory: ``inode``, or one more name of the workdir's."""
    tree = union.upper
    assert tree is not None
    assert directory.upper is not None
    shared = inode if inode is not None else union.work.whiteout
    if shared is None:
        shared = tree.new(CHARACTER_DEVICE, 0, 0, 0)
        assign(union.journal, union.work, "whiteout", shared)
    assign(union.journal, shared, "nlink", shared.nlink + 1)
    tree.attach(directory.upper, name, shared)
    if union.events.listeners:
        union.events.tell(WhiteoutMade(union.path_of(directory, name)))


def remove_whiteout(union: State, directory: Inode, name: str) -> bool:
    """Take the whiteout at ``name`` of an upper directory away, if one is there."""
    there = directory.children.get(name)
    if there is None:
        return False
    tree = union.upper
    assert tree is not None
    tree.detach(directory, name, there)
    tree.drop(there)
    return True


def make_opaque(union: State, upper: Inode, path: str) -> None:
    """Let an upper directory hide what lies below."""
    assert union.upper is not None
    union.upper.store_xattr(upper, union.xattr_opaque, b"y")
    if union.events.listeners:
        union.events.tell(OpaqueMade(path))


def use_name(node: AnyNode, directory: UnionNode, name: str) -> None:
    """Let a file with several names know which of them is meant."""
    if directory.aliases is not None and name in directory.aliases and isinstance(node, UnionNode):
        directory.aliases[name].use()


def before_unlink(union: State, node: AnyNode) -> None:
    """An indexed file must have its upper inode before a name goes, to count the names that are left."""
    if not isinstance(node, UnionNode) or node.mode & TYPE == DIRECTORY:
        return
    if union.options.index and (node.flags & INDEXED or index.needs_index(union, node)):
        copy_up(union, node)
    if node.flags & INDEXED:
        index.store_nlink(union, node, against_upper=True)


def after_unlink(union: State, node: AnyNode) -> None:
    """Count one name less of an indexed file; with the last, its place in the index goes."""
    if not isinstance(node, UnionNode) or not node.flags & INDEXED or node.is_dir:
        return
    assign(union.journal, node, "nlink", node.nlink - 1)
    if node.nlink == 0:
        lower, upper = node.lowers[0].inode, node.upper
        assert upper is not None
        put(union.journal, union.work.index, lower, ABSENT)
        assign(union.journal, upper, "nlink", upper.nlink - 1)


def _require_copyable(upper: Inode) -> None:
    """An opaque twin takes the attributes along: EINVAL for capabilities that cannot be read."""
    if upper.children and CAPABILITY in upper.xattrs:
        shown_capability(upper.xattrs[CAPABILITY])


def clear_upper(union: State, upper: Inode) -> None:
    """Take the whiteouts out of an upper directory that shows nothing (ovl_clear_empty)."""
    tree = union.upper
    assert tree is not None
    for name, child in list(upper.children.items()):
        tree.detach(upper, name, child)
        tree.drop(child)


def replace_by_opaque(union: State, directory: UnionNode, name: str, node: UnionNode) -> None:
    """Put an opaque twin in the place of an upper directory that holds nothing but whiteouts.

    A rename onto it does this first, and it stays done if the rename then fails (ovl_clear_empty).
    """
    tree, old, parent = union.upper, node.upper, directory.upper
    assert tree is not None
    assert old is not None
    assert parent is not None
    _require_copyable(old)
    twin = tree.new(old.mode, old.uid, old.gid)
    twin.xattrs = {key: value for key, value in old.xattrs.items() if union.copies_xattr(key)}
    twin.atime_ns, twin.mtime_ns = old.atime_ns, old.mtime_ns
    clear_upper(union, old)
    tree.drop(old)
    # An exchange with a directory of the workdir: the place in the parent's order stays.
    tree.exchange(parent, name, twin)
    forget(union, directory, name)
    make_opaque(union, twin, union.path_of(directory, name))


def remove(union: State, directory: UnionNode, name: str, node: AnyNode) -> None:
    """Take a name away, unlink(2) and rmdir(2): a whiteout appears where a lower layer has it."""
    tree = union.upper
    assert tree is not None
    use_name(node, directory, name)
    positive = lower_positive(union, directory, name, node)
    folder = node if isinstance(node, UnionNode) and node.mode & TYPE == DIRECTORY else None
    checked = folder is not None and (positive or bool(folder.lowers))
    if checked and folder is not None and not readdir.is_empty(union, folder):
        fail(errno.ENOTEMPTY)
    if directory.upper is None:
        copy_up(union, directory)
    assert directory.upper is not None
    if checked and folder is not None and folder.upper is not None:
        _require_copyable(folder.upper)
    before_unlink(union, node)
    upper = directory.upper.children.get(name)
    if upper is not None:
        if upper.mode & TYPE == DIRECTORY:
            if checked:
                clear_upper(union, upper)
            tree.rmdir(directory.upper, name, upper)
        else:
            tree.unlink(directory.upper, name, upper)
    if positive:
        make_whiteout(union, directory, name)
    after_unlink(union, node)
    if isinstance(node, UnionNode) and node.upper is not None:
        union.refresh(node)
    forget(union, directory, name)
    if isinstance(node, UnionNode) and node.flags & SPLIT:
        _evict_twin(union, node)
    if isinstance(node, UnionNode) and node.upper is None:
        assign(union.journal, node, "flags", node.flags | UNLINKED)
    if folder is not None:
        assign(union.journal, folder, "children", DEAD)
        union.forget_paths()


def _evict_twin(union: State, node: UnionNode) -> None:
    """With its last known name, the second of two nodes for one upper inode goes; the next is made afresh."""
    if node.upper is None or union.shared.get(node.upper) is not node:
        return
    waiting = [union.root]
    while waiting:
        directory = waiting.pop()
        if any(alias.node is node for alias in (directory.aliases or {}).values()):
            return
        waiting += [child for child in directory.children.values() if isinstance(child, UnionNode)]
    put(union.journal, union.shared, node.upper, ABSENT)


def forget(union: State, directory: UnionNode, name: str) -> None:
    """Look ``name`` up anew next time, and list the directory anew; also once the change is undone."""
    journal = union.journal
    if name in directory.children:
        put(journal, directory.children, name, ABSENT)
    if directory.aliases is not None and name in directory.aliases:
        put(journal, directory.aliases, name, ABSENT)
    directory.left_out = None
    directory.listing = None
    if journal is not None:
        journal.append((_forget_again, directory, name, None))


def _forget_again(journal: Journal, directory: object, name: object, _: object) -> None:
    """Undo of a change at ``name``: what was looked up since is no longer true."""
    assert isinstance(directory, UnionNode)
    assert isinstance(name, str)
    directory.children.pop(name, None)
    if directory.aliases is not None:
        directory.aliases.pop(name, None)
    directory.left_out = None
    directory.listing = None
    journal.append((_forget_again, directory, name, None))


def is_pure(node: UnionNode) -> bool:
    """Whether nothing below shows through a directory: it lies in the upper alone."""
    return node.upper is not None and not node.lowers


def mark_opaque(union: State, node: UnionNode) -> None:
    """Make an upper directory of the union opaque, unless it is."""
    if node.flags & OPAQUE or node.upper is None:
        return
    make_opaque(union, node.upper, union.path_of(node.parent, node.name))
    assign(union.journal, node, "flags", node.flags | OPAQUE)
