"""One question of the kernel, and who asks it."""

from __future__ import annotations

import os

from unionfs_sim.nodes.caller import Caller
from unionfs_sim.vfs.walk import check_name


class Request:
    """``body`` follows the header and is valid until the answer; ``pid``: of the asker, 0 if unknown."""

    __slots__ = ("body", "gid", "node", "op", "pid", "uid")

    def __init__(self, op: int, node: int, asker: tuple[int, int, int], body: memoryview) -> None:
        self.op = op
        self.node = node
        self.uid, self.gid, self.pid = asker
        self.body = body

    @property
    def caller(self) -> Caller:
        """Who asks, without supplementary groups (FUSE does not tell them); the umask is applied already."""
        return Caller(self.uid, self.gid, umask=0)

    def names(self, offset: int = 0) -> list[str]:
        """The NUL-ended names behind ``offset``, as text; ENAMETOOLONG for a first one over 255 bytes."""
        names = [os.fsdecode(name) for name in bytes(self.body[offset:]).split(b"\0")[:-1]]
        for name in names[:1]:
            check_name(name)
        return names

    def name(self, offset: int = 0) -> str:
        """The one name behind ``offset``."""
        name = os.fsdecode(bytes(self.body[offset:-1]))
        check_name(name)
        return name
