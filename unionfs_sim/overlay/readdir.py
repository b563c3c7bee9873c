"""What a directory of the union lists: the upper's names, then the lowers' that nothing above hides.

A directory with one part is listed as it is, stray whiteouts and all; the kernel does the same
(fs/overlayfs/readdir.c), though a lookup of such a name says that there is nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping

from unionfs_sim.nodes.inode import DEAD, Inode
from unionfs_sim.nodes.journal import assign
from unionfs_sim.nodes.kinds import CHARACTER_DEVICE, DIRECTORY, REGULAR, TYPE
from unionfs_sim.overlay.state import IMPURE, WHITEOUTS, XWHITEOUTS, LeftOut, State, UnionNode
from unionfs_sim.vfs.permission import fail


def listing(union: State, node: UnionNode) -> dict[str, bool]:
    """The names of a directory, each with whether it is a directory; remembered until it changes."""
    known = node.listing
    if known is not None:
        return known
    if node.children is DEAD:
        return {}
    if node.flags & WHITEOUTS:
        known = merged(union, node)
        _look_up_entries(union, node, known)
    elif node.upper is not None:
        if node.flags & IMPURE:
            _clean_impure(union, node, node.upper)
        # One part: as cheap to read again as to remember.
        return {name: child.mode & TYPE == DIRECTORY for name, child in node.upper.children.items()}
    else:
        part = node.lowers[0]
        known = dict(union.stack[part.layer].typed_entries(part.inode))
    node.listing = known
    return known


def merged(union: State, node: UnionNode) -> dict[str, bool]:
    """The union of the parts' names without those that a whiteout hides.

    Built from the bottom up, so that a later layer simply overwrites or removes.
    """
    names: dict[str, bool] = {}
    for part in reversed(node.lowers):
        if isinstance(part.inode, Inode):
            _overlay(names, part.inode.children)
        else:
            names.update(union.stack[part.layer].typed_entries(part.inode))
    if node.upper is not None:
        _overlay(names, node.upper.children)
    return names


def _overlay(names: dict[str, bool], children: Mapping[str, Inode]) -> None:
    for name, child in children.items():
        kind = child.mode & TYPE
        if kind == CHARACTER_DEVICE and child.body == 0:
            names.pop(name, None)
        else:
            names[name] = kind == DIRECTORY


def _look_up_entries(union: State, node: UnionNode, names: dict[str, bool]) -> None:
    """Drop names that a lookup does not find, where the kernel looks them up while listing.

    It does so to find inode numbers (all names with xino, the upper's in a directory with copied-up
    files) and in lower directories that may hold whiteouts which are files (ovl_cache_update).
    """
    doubtful: set[str] = set()
    if union.xino_shift:
        doubtful.update(names)
    elif union.is_samefs and node.flags & IMPURE and node.upper is not None:
        doubtful.update(names.keys() & node.upper.children.keys())
    if node.flags & XWHITEOUTS:
        above: set[str] = set(node.upper.children) if node.upper is not None else set()
        for part in node.lowers:
            children = part.inode.children
            if part.layer in union.xwhiteout_layers:
                doubtful.update(
                    name
                    for name, child in children.items()
                    if child is not None and child.mode & TYPE == REGULAR and name not in above
                )
            above.update(children)
    failures: dict[str, int] = {}
    known = left_out(node)
    for name in known & names.keys():
        del names[name]
    for name in doubtful & names.keys():
        try:
            if union.lookup(node, name) is None:
                del names[name]
        except OSError as error:
            failures[name] = error.errno or 0
    known.update(failures)
    if len(failures) > 1:
        _fail_if_adjacent(_kernel_order(union, node), names, failures)
    for name in failures:
        del names[name]


def left_out(node: UnionNode) -> LeftOut:
    """The names that listings leave out; forgotten when no open directory holds them any more."""
    known = node.left_out() if node.left_out is not None else None
    if known is None:
        known = LeftOut()
        node.left_out = weakref.ref(known)
    return known


def _kernel_order(union: State, node: UnionNode) -> list[str]:
    """The lowest layer's names, then the upper's, then the layers' between; in each the newest first."""
    layers = [] if node.upper is None else [list(reversed(node.upper.children))]
    for part in node.lowers:
        tree = union.stack[part.layer]
        if isinstance(tree, State) and isinstance(part.inode, UnionNode):
            layers.append(_kernel_order(tree, part.inode))
        else:
            layers.append(list(reversed(part.inode.children)))
    return list(dict.fromkeys(name for names in [*layers[-1:], *layers[:-1]] for name in names))


def _fail_if_adjacent(order: list[str], names: dict[str, bool], failures: dict[str, int]) -> None:
    """Raise the error of a failed lookup that comes right behind another.

    getdents(2) hides one failure behind the names that it has already; the next call skips that name,
    and if the very next lookup fails as well, there is nothing to hide it behind.
    """
    previous_failed = False
    for name in order:
        if name not in names:
            continue
        if name in failures and previous_failed:
            fail(failures[name])
        previous_failed = name in failures


def _clean_impure(union: State, node: UnionNode, upper: Inode) -> None:
    """Listing an upper directory whose last copied-up file is gone takes the impure mark away."""
    if union.read_only or (not union.is_samefs and not union.xino_shift):
        return
    copied_up = False
    # All names are looked up, for one that cannot be fails the listing.
    for name, child in upper.children.items():
        found = union.lookup(node, name)
        if found is not None and union.stat(found).st_ino != child.ino + union.ino_base[0]:
            copied_up = True
    if copied_up:
        return
    assert union.upper is not None
    union.upper.note_xattr(upper, union.xattr_impure, None)
    assign(None, node, "flags", node.flags & ~IMPURE)


def is_empty(union: State, node: UnionNode) -> bool:
    """Whether a directory shows nothing; stray whiteouts do not count (ovl_check_empty_dir)."""
    return not merged(union, node)


def entries(union: State, directory: UnionNode) -> list[str]:
    """The names in a directory; none in one that was removed, whatever lies below its place."""
    if directory.children is DEAD:
        return []
    if not directory.flags & (WHITEOUTS | IMPURE):  # one part: as quick to read as to remember
        if directory.upper is not None:
            return list(directory.upper.children)
        part = directory.lowers[0]
        return union.stack[part.layer].entries(part.inode)
    return list(listing(union, directory))


def typed_entries(union: State, directory: UnionNode) -> list[tuple[str, bool]]:
    """The names in a directory, and whether each is a directory."""
    return list(listing(union, directory).items())


def hold_listing(union: State, directory: UnionNode) -> LeftOut:
    """The names that a listing has left out because a lookup failed."""
    del union
    return left_out(directory)
