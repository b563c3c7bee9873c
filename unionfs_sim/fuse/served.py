"""What is served: the tree, the numbers that the kernel knows its inodes by, and how long it may trust us."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from unionfs_sim.fuse import wire
from unionfs_sim.fuse.nodes import Nodes
from unionfs_sim.fuse.request import Request
from unionfs_sim.layers.layer import Layer
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.inode import DEAD, Node
from unionfs_sim.overlay.union import Union
from unionfs_sim.vfs.permission import fail
from unionfs_sim.vfs.tree import Tree

REMEMBER_SECONDS: Final = 1 << 20
"""How long the kernel may trust what it was told: only the kernel changes the tree while it is mounted."""


def groups_of_process(pid: int) -> frozenset[int]:
    """The supplementary groups of a process that waits for an answer; none if it is out of sight."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            lines = [line for line in status if line.startswith("Groups:")]
    except OSError:
        return frozenset()
    return frozenset(map(int, lines[0].split()[1:])) if lines else frozenset()


class Listings:
    """The names of open directories, each frozen at its first read; a rewind reads anew."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[list[str], object]] = {}

    def names(self, tree: Tree[Node, Node], handle: int, directory: Node, *, anew: bool) -> list[str]:
        """The names of a directory as ``handle`` sees them, ``.`` and ``..`` first."""
        if anew or handle not in self._names:
            if directory.children is DEAD:
                return []
            held = tree.hold_listing(directory)
            self._names[handle] = [".", "..", *tree.entries(directory)], held
        return self._names[handle][0]

    def forget(self, handle: int) -> None:
        """An open directory was closed."""
        self._names.pop(handle, None)


@dataclass(slots=True)
class Served:
    """A layer or a union as the kernel asks for it.

    ``remember_seconds``: 0 makes the kernel ask every time, for bytes as well. ``on_bug``: told of an error
    that no file system has; its asker gets EIO. ``groups_of``: the supplementary groups of a process.
    """

    fs: Layer | Union
    remember_seconds: int = REMEMBER_SECONDS
    on_bug: Callable[[Exception], None] = lambda _error: None
    groups_of: Callable[[int], frozenset[int]] = groups_of_process
    tree: Tree[Node, Node] = field(init=False)
    nodes: Nodes = field(init=False)
    listings: Listings = field(init=False, default_factory=Listings)
    _next_handle: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        self.tree = self.fs.tree.for_views()
        self.nodes = Nodes(self.tree.root)

    def caller_with_groups(self, request: Request) -> Caller:
        """Who asks, with the groups that FUSE does not tell; asked for only where they decide."""
        return Caller(request.uid, request.gid, self.groups_of(request.pid), 0)

    def entry(self, node: Node) -> bytes:
        """What the kernel is told of ``node``, which it knows from now on."""
        return wire.entry(self.nodes.tell(node), self.tree.stat(node), self.remember_seconds)

    def attributes(self, node: Node) -> bytes:
        """What stat(2) shall tell of ``node``."""
        return wire.ATTR_OUT.pack(self.remember_seconds, 0, 0) + wire.attributes(self.tree.stat(node))

    def child(self, above: Node, name: str) -> Node:
        """The inode called ``name``; ENOENT if there is none."""
        found = self.tree.lookup(above, name)
        if found is None:
            fail(errno.ENOENT)
        return found

    def opened(self, *, directory: bool = False) -> bytes:
        """The answer to an open: a new handle, and whether the kernel may keep what it read before."""
        self._next_handle += 1
        flags = wire.OPEN_KEEP_CACHE if self.remember_seconds else wire.OPEN_DIRECT_IO
        if directory:
            flags = 0
        return wire.OPEN_OUT.pack(self._next_handle, flags, 0)
