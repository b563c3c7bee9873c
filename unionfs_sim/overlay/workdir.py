"""The workdir of a mount: what the kernel keeps beside the upper.

It lives with the upper layer, so a later mount of the same upper finds it again.
"""

from __future__ import annotations

from unionfs_sim.nodes.inode import Inode, Node


class WorkDir:
    """The shared whiteout, the index (upper inodes by lower ones), and the mark of a volatile mount."""

    __slots__ = ("index", "is_volatile", "lowers", "whiteout")

    def __init__(self) -> None:
        self.whiteout: Inode | None = None
        self.index: dict[Node, Inode] = {}
        self.is_volatile = False
        self.lowers: Node | None = None
