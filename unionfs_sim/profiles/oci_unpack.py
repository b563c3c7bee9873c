"""No union at run time: layers are applied to one plain tree, as image tools unpack an image.

Nothing is looked up in a layer once the tree is there: what a layer deletes is gone, hard links between
names of the tree hold, directories can be renamed, and what changed later can only be found by comparing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unionfs_sim.events import Events
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.merge import apply, merged
from unionfs_sim.mounting import Seat, Union
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.nodes.journal import Journal
from unionfs_sim.overlay.explain import Answer, Explanation, Says, explain
from unionfs_sim.overlay.options import Options
from unionfs_sim.vfs.posix import Posix


class Unpacked(Union):
    """A plain tree with the ways in of a union. ``upper``: the tree; what is written goes there."""

    __slots__ = ("_events", "_options", "_whole")

    _tree: Any

    def __init__(self, lowers: Sequence[Layer], upper: Layer | None, options: Options, seat: Seat) -> None:
        self._whole = merged(lowers)
        self._events = Events()
        self._options = options
        if upper is not None:
            apply(upper, self._whole)
        tree = self._whole.tree
        tree.clock = seat.clock
        tree.read_only = upper is None
        if seat.history and upper is not None:
            tree.watch(Journal(seat.history), ())
        Posix.__init__(self, tree, seat.caller)
        self.lowers = tuple(lowers)
        self.upper = self._whole

    @property
    def root(self) -> Any:
        """The inode of ``/``."""
        root: Inode = self._tree.root
        return root

    @property
    def options(self) -> Options:
        """How it was asked for; a plain tree heeds no option."""
        return self._options

    @property
    def events(self) -> Events:
        """Where nothing is told: a plain tree copies nothing up and makes no whiteouts."""
        return self._events

    def unmount(self) -> Layer | None:
        """The tree; nothing was mounted."""
        return self.upper

    def explain(self, path: str, names: Sequence[str] = ()) -> Explanation:
        """What the tree has at ``path``, and which layer brought it when it was unpacked."""
        return explain_unpacked(self, path, names)


def explain_unpacked(union: Unpacked, path: str, names: Sequence[str] = ()) -> Explanation:
    """The tree answers alone; the layers are told as they were when they were applied."""
    found = explain(union, path, names)
    here, *below = found.answers
    tree = Answer(here.layer, "tree", Says.ANSWERS if here.kind else Says.NOTHING, here.kind, "", asked=True)
    layers = tuple(
        Answer(each.layer, each.name, each.says, each.kind, each.at, asked=False) for each in below
    )
    brought = [each.name for each in below if each.kind]
    if here.kind:
        source = f"; {brought[0]} was the last to unpack it" if brought else "; it was made since"
        rule = f"the plain tree answers, no layer is asked{source}"
    else:
        rule = "the plain tree does not have it, and no layer is asked"
    return Explanation(found.path, (tree, *layers), here.layer if here.kind else None, rule)
