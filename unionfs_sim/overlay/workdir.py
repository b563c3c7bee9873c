"""The workdir of a mount: what the kernel keeps beside the upper.

It lives with the upper layer, so a later mount of the same upper finds it again.
"""

from __future__ import annotations

from typing import Any

from unionfs_sim.nodes.inode import Inode


class WorkDir:
    """The shared whiteout, the index, and the mark that a volatile mount leaves."""

    __slots__ = ("index", "is_volatile", "lowers", "whiteout")

    def __init__(self) -> None:
        self.whiteout: Inode | None = None
        self.index: dict[Any, Inode] = {}
        self.is_volatile = False
        self.lowers: Any = None
