"""A mounted union, through the verbs of ``os``: what ``mount`` returns."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeAlias

from unionfs_sim.events import Events
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.layertree import LayerTree
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.inode import Node
from unionfs_sim.overlay.options import Settings
from unionfs_sim.overlay.state import State
from unionfs_sim.vfs.permission import fail
from unionfs_sim.vfs.posix import Posix
from unionfs_sim.vfs.showing import kind_mode_owner, table

if TYPE_CHECKING:
    from unionfs_sim.overlay.explain import Explanation

    Explainer: TypeAlias = Callable[["Union", str, Sequence[str]], Explanation]
    """Tells the search for a path in a union; ``names`` of the lowers, base first."""


def explain_by_layers(union: Union, path: str, names: Sequence[str]) -> Explanation:
    """The search as overlayfs makes it."""
    # Imported when asked for: `import unionfs_sim` has a price that is promised.
    from unionfs_sim.overlay.explain import explain

    return explain(union, path, names)


class Union(Posix):
    """A mounted union: the merged view, through the verbs of ``os``.

    ``lowers``: base first. ``options``: those that hold. ``events``: where to subscribe to what happens.
    ``tree``: the operations on inodes, for who puts another union on top.

    >>> from unionfs_sim import Layer, layer, mount
    >>> union = mount([layer({"/etc/motd": "hello"})], Layer())
    >>> union.unlink("/etc/motd")
    >>> union.upper
    Layer(/etc/, /etc/motd (whiteout))
    """

    __slots__ = ("__weakref__", "_explainer", "events", "lowers", "options", "tree", "upper")

    def __init__(
        self,
        tree: State | LayerTree,
        caller: Caller,
        *,
        lowers: tuple[Layer | Union, ...],
        upper: Layer | None,
        options: Settings,
        events: Events,
        explainer: Explainer = explain_by_layers,
    ) -> None:
        super().__init__(tree.for_views(), caller)
        self.tree = tree
        self.lowers = lowers
        self.upper = upper
        self.options = options
        self.events = events
        self._explainer = explainer

    @property
    def root(self) -> Node:
        """The node of ``/``."""
        return self.tree.root

    def __repr__(self) -> str:
        stack = f"Union of {len(self.lowers)} lower{'' if len(self.lowers) == 1 else 's'}"
        return f"<{stack}, read-only>" if self.upper is None else f"<{stack}; upper: {self.upper!r}>"

    def _repr_html_(self) -> str:
        """The merged view in a notebook: a row for each name, the first of them, with who answers."""
        listeners, self.events.listeners = self.events.listeners, ()  # looking is no event
        try:
            return table(("path", "type", "mode", "owner", "bytes", "answers"), self._rows())
        finally:
            self.events.listeners = listeners

    def _rows(self) -> Iterator[tuple[str, ...]]:
        everything = self.acting_as(Caller())
        for top, directories, others in everything.walk("/"):
            for name in sorted((*directories, *others)):
                path = f"{top.rstrip('/')}/{name}"
                try:
                    told = everything.lstat(path)
                except OSError:  # a stray whiteout: the name is listed, and leads nowhere
                    yield path, "", "", "", "", ""
                    continue
                kind, mode, owner = kind_mode_owner(told.st_mode, told.st_uid, told.st_gid)
                number = self.explain(path).answered_by
                layer = "upper" if number == len(self.lowers) else f"L{number}"
                yield path, kind, mode, owner, "" if kind == "directory" else f"{told.st_size:,}", layer

    def explain(self, path: str, names: Sequence[str] = ()) -> Explanation:
        """Which layer answers ``path``, which were asked, and why the search stopped.

        ``names``: what to call the lowers, base first.
        """
        return self._explainer(self, path, names)

    def undo(self) -> bool:
        """Take back the last operation; False if there is none (mount with ``history``).

        Raises EROFS once the union was unmounted or its upper frozen.
        """
        journal = self.tree.journal
        return journal is not None and self._step(journal.undo)

    def redo(self) -> bool:
        """Do again what was undone last; False if there is nothing."""
        journal = self.tree.journal
        return journal is not None and self._step(journal.redo)

    def operation(self) -> AbstractContextManager[None]:
        """Let everything done inside the ``with`` be one step for ``undo``."""
        journal = self.tree.journal
        return journal.operation() if journal is not None else nullcontext()

    def _step(self, take: Callable[[], bool]) -> bool:
        if self.tree.read_only:
            fail(errno.EROFS)
        done = take()
        self.tree.clear_prefixes()
        if self.upper is not None:
            for mounted in self.upper.tree.mounts:
                if mounted is not self.tree:
                    mounted.drop_caches()
        return done

    def unmount(self) -> Layer | None:
        """The upper layer, which nobody holds any more; a volatile mark stays in its workdir.

        From now on the union shows what it has, and writing raises EROFS. EBUSY while a file is open in it.
        """
        if self.tree.open_files:
            fail(errno.EBUSY)
        if isinstance(self.tree, State):
            self.tree.leave()
        return self.upper
