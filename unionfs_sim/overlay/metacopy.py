"""Copy-up of attributes without the bytes (mount option ``metacopy=on``).

The upper file is a hole of the right size with the metacopy attribute; its bytes are still the lower's
until somebody opens it for writing.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping

from unionfs_sim.events import CopiedUp
from unionfs_sim.nodes.content import EMPTY, Content, Hole
from unionfs_sim.nodes.journal import assign
from unionfs_sim.overlay.copying import copied_up
from unionfs_sim.overlay.state import METACOPY, State, UnionNode
from unionfs_sim.vfs.capability import CAPABILITY, shown_capability
from unionfs_sim.vfs.permission import fail


def is_marked(xattrs: Mapping[str, bytes], name: str) -> bool:
    """Whether a file has the metacopy attribute; EIO for one too short to hold a struct ovl_metacopy."""
    value = xattrs.get(name)
    if value is None:
        return False
    if 0 < len(value) < 4:
        fail(errno.EIO)
    return True


def hole_of(size: int) -> Content:
    """The body of a metacopy: the size without the bytes."""
    return Hole(size) if size else EMPTY


def fill(union: State, node: UnionNode, *, truncating: bool) -> None:
    """Give a metacopy its bytes; it is an ordinary file from now on."""
    upper, tree = node.upper, union.upper
    assert upper is not None
    assert tree is not None
    length = 0 if truncating else node.lowers[0].inode.size
    if length and CAPABILITY in upper.xattrs:
        shown_capability(upper.xattrs[CAPABILITY])  # they are kept; EINVAL for those that cannot be read
    body = copied_up(EMPTY if truncating else node.content, length)
    journal = union.journal
    assign(journal, upper, "body", body)
    if body.blocks:  # holes are not written
        tree.touch(upper)
    tree.store_xattr(upper, union.xattr_metacopy, None)
    assign(journal, node, "data", None)
    assign(journal, node, "flags", node.flags & ~METACOPY)
    if union.events.listeners:
        union.events.tell(CopiedUp(union.path_of(node.parent, node.name), node.mode, length))
