"""What a directory of the union lists: the upper's names, then the lowers' that nothing above hides.

A directory with one part is listed as it is, stray whiteouts and all; the kernel does the same
(fs/overlayfs/readdir.c), though a lookup of such a name says that there is nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unionfs_sim.overlay.node import WHITEOUTS, XWHITEOUTS, UnionNode

if TYPE_CHECKING:
    from unionfs_sim.overlay.union import UnionTree

DIRECTORY = 0o040000


def listing(union: UnionTree, node: UnionNode) -> dict[str, bool]:
    """The names of a directory, each with whether it is a directory; remembered until it changes."""
    known = node.listing
    if known is None:
        if node.flags & WHITEOUTS:
            known = merged(union, node)
        elif node.upper is not None:
            # One part: as cheap to read again as to remember.
            return {name: child.mode & 0o170000 == DIRECTORY for name, child in node.upper.children.items()}
        else:
            part = node.lowers[0]
            known = dict(union.stack[part.layer].typed_entries(part.inode))
        node.listing = known
    return known


def merged(union: UnionTree, node: UnionNode) -> dict[str, bool]:
    """The union of the parts' names without those that a whiteout hides.

    Built from the bottom up, so that a later layer simply overwrites or removes.
    """
    names: dict[str, bool] = {}
    for part in reversed(node.lowers):
        tree = union.stack[part.layer]
        if tree.is_union:
            names.update(tree.typed_entries(part.inode))
            continue
        _overlay(names, part.inode.children)
        if node.flags & XWHITEOUTS and part.layer in union.xwhiteout_layers:
            for name, child in part.inode.children.items():
                if child.mode & 0o170000 == 0o100000 and union.xattr_whiteout in child.xattrs and not child.size:
                    names.pop(name, None)
    if node.upper is not None:
        _overlay(names, node.upper.children)
    return names


def _overlay(names: dict[str, bool], children: dict[str, Any]) -> None:
    for name, child in children.items():
        kind = child.mode & 0o170000
        if kind == 0o020000 and child.body == 0:
            names.pop(name, None)
        else:
            names[name] = kind == DIRECTORY


def is_empty(union: UnionTree, node: UnionNode) -> bool:
    """Whether a directory shows nothing; stray whiteouts do not count (ovl_check_empty_dir)."""
    if node.flags & WHITEOUTS and node.listing is not None:
        return not node.listing
    return not merged(union, node)
