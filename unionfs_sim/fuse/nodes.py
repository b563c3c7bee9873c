"""Which inode a node number of the kernel means, for as long as the kernel remembers it."""

from __future__ import annotations

import errno

from unionfs_sim.fuse.wire import ROOT_ID
from unionfs_sim.nodes.inode import Node
from unionfs_sim.vfs.permission import fail


class Nodes:
    """Node numbers, each with a count of how often it was told (LOOKUP) and not yet forgotten (FORGET)."""

    def __init__(self, root: Node) -> None:
        self._nodes: dict[int, Node] = {ROOT_ID: root}
        self._numbers: dict[int, int] = {id(root): ROOT_ID}
        self._told: dict[int, int] = {ROOT_ID: 1}
        self._next = ROOT_ID + 1

    def __getitem__(self, number: int) -> Node:
        node = self._nodes.get(number)
        if node is None:
            fail(errno.ESTALE)
        return node

    def tell(self, node: Node) -> int:
        """The number of ``node``, which the kernel now knows once more."""
        number = self._numbers.get(id(node))
        if number is None:
            number, self._next = self._next, self._next + 1
            self._nodes[number] = node  # held, so that its id stays its own
            self._numbers[id(node)] = number
            self._told[number] = 0
        self._told[number] += 1
        return number

    def forget(self, number: int, times: int) -> None:
        """The kernel forgets a number ``times`` times."""
        if number == ROOT_ID or number not in self._told:
            return
        self._told[number] -= times
        if self._told[number] <= 0:
            node = self._nodes.pop(number)
            del self._told[number], self._numbers[id(node)]
