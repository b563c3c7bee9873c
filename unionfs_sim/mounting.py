"""Mounting: layers in, one tree out."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from unionfs_sim.events import Events
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.layertree import LayerTree
from unionfs_sim.nodes.caller import Caller, Clock, TickingClock
from unionfs_sim.nodes.journal import Journal
from unionfs_sim.overlay.node import UnionNode
from unionfs_sim.overlay.options import MAX_LOWERS, Options, resolve
from unionfs_sim.overlay.union import UnionTree
from unionfs_sim.overlay.workdir import WorkDir
from unionfs_sim.profiles.profile import Profile
from unionfs_sim.vfs.permission import fail
from unionfs_sim.vfs.posix import Posix

if TYPE_CHECKING:
    from unionfs_sim.overlay.explain import Explanation


class Union(Posix):
    """A mounted union: the merged view, through the verbs of ``os``.

    >>> from unionfs_sim import layer
    >>> union = mount([layer({"/etc/motd": "hello"})], Layer())
    >>> union.unlink("/etc/motd")
    >>> union.upper
    Layer(/etc/, /etc/motd (whiteout))
    """

    __slots__ = ("__weakref__", "lowers", "upper")

    _tree: UnionTree

    def __init__(
        self, tree: UnionTree, caller: Caller, lowers: tuple[Layer | Union, ...], upper: Layer | None
    ) -> None:
        super().__init__(tree, caller)
        self.lowers = lowers
        self.upper = upper

    @property
    def tree(self) -> UnionTree:
        """The operations on inodes, for who puts another union on top."""
        return self._tree

    @property
    def root(self) -> UnionNode:
        """The node of ``/``."""
        return self._tree.root

    @property
    def options(self) -> Options:
        """How it is mounted."""
        return self._tree.options

    @property
    def events(self) -> Events:
        """Where to subscribe to what happens inside."""
        return self._tree.events

    def explain(self, path: str, names: Sequence[str] = ()) -> Explanation:
        """Which layer answers ``path``, which were asked, and why the search stopped.

        ``names``: what to call the lowers, base first.
        """
        # Imported when asked for: `import unionfs_sim` has a price that is promised.
        from unionfs_sim.overlay.explain import explain

        return explain(self, path, names)

    def undo(self) -> bool:
        """Take back the last operation; False if there is none (mount with ``history``)."""
        return self._step("undo")

    def redo(self) -> bool:
        """Do again what was undone last; False if there is nothing."""
        return self._step("redo")

    def operation(self) -> AbstractContextManager[None]:
        """Let everything done inside the ``with`` be one step for ``undo``."""
        journal = self._tree.journal
        return journal.operation() if journal is not None else nullcontext()

    def _step(self, direction: str) -> bool:
        journal = self._tree.journal
        if journal is None:
            return False
        done = journal.undo() if direction == "undo" else journal.redo()
        self._tree.clear_prefixes()
        return done

    def unmount(self) -> Layer | None:
        """The upper layer, which nobody holds any more; a volatile mark stays in its workdir."""
        tree = self._tree
        tree.drop_caches()
        for layer in self._layers():
            kept = tuple(mounted for mounted in layer.mounts if mounted is not tree)
            layer.watch(None if layer is tree.upper else layer.journal, kept)
        return self.upper

    def _layers(self) -> Iterator[LayerTree]:
        return (layer for layer in self._tree.stack if isinstance(layer, LayerTree))


def mount(
    lowers: Sequence[Layer | Union],
    upper: Layer | None = None,
    *,
    data_lowers: Sequence[Layer | Union] = (),
    options: Options | None = None,
    caller: Caller | None = None,
    clock: Clock | None = None,
    history: int = 0,
    dev: int | None = None,
    profile: Profile = Profile.KERNEL,
) -> Union:
    """The union of ``lowers`` (base first) with ``upper`` on top; read-only without an upper.

    ``history``: how many operations ``undo`` can take back. ``dev``: the st_dev of the union. Raises
    OSError with the errno that mount(2) gives for layers or options that do not go together.
    ``profile``: whose rules it follows.
    """
    settled = resolve(options or Options(), _said(options))
    seat = Seat(caller or Caller(), clock or TickingClock(), history, dev)
    if profile is not Profile.KERNEL:
        # Imported when asked for, as few unions are anything but the kernel's.
        from unionfs_sim.profiles.mounting import mount_as

        return mount_as(profile, (lowers, upper, data_lowers), settled, seat)
    _check(lowers, upper, data_lowers)
    work = _work_of(upper, lowers, settled) if upper is not None else WorkDir()
    return assemble(UnionTree, (lowers, upper, data_lowers), work, settled, seat)


class Seat(NamedTuple):
    """What a mount has besides its layers: who sees it, its clock, its history and its device number."""

    caller: Caller
    clock: Clock
    history: int
    dev: int | None


Stack: TypeAlias = tuple[Sequence["Layer | Union"], "Layer | None", Sequence["Layer | Union"]]
"""Lowers, the upper, data-only lowers; each base first."""


def assemble(kind: type[UnionTree], stack: Stack, work: WorkDir, options: Options, seat: Seat) -> Union:
    """The union of checked layers, whose operations are those of ``kind``."""
    lowers, upper, data_lowers = stack
    upper_tree = upper.tree if upper is not None else None
    tree = kind(
        [lower.tree for lower in reversed(lowers)],
        upper_tree,
        work,
        data_layers=[lower.tree for lower in reversed(data_lowers)],
        options=options,
        clock=seat.clock,
        dev=seat.dev if seat.dev is not None else _free_device(lowers),
    )
    journal = Journal(seat.history) if seat.history and upper_tree is not None else None
    tree.watch(journal, ())
    for layer in {id(known): known for known in tree.stack if isinstance(known, LayerTree)}.values():
        if layer.read_only:
            continue  # nothing can change in it, and it may outlive many unions
        # Who changes a layer behind the union's back sees it there at once, as on Linux.
        layer.watch(journal if layer is upper_tree else layer.journal, (*layer.mounts, tree))
    if upper_tree is not None:
        upper_tree.clock = seat.clock
    return Union(tree, seat.caller, tuple(lowers), upper)


def _free_device(lowers: Sequence[Layer | Union]) -> int:
    """A device number that no union among the lowers has; those behind it are for their layers."""
    return max([0, *(lower.tree.dev + MAX_LOWERS for lower in lowers if isinstance(lower, Union))]) + 64


def _said(options: Options | None) -> set[str]:
    if options is None:
        return set()
    default = Options()
    names = ("redirect_dir", "metacopy", "index", "xino", "userxattr", "volatile")
    return {name for name in names if getattr(options, name) != getattr(default, name)}


def _check(lowers: Sequence[Any], upper: Layer | None, data_lowers: Sequence[Any]) -> None:
    """What mount(2) refuses."""
    if not lowers or len(lowers) + len(data_lowers) > MAX_LOWERS:
        fail(errno.EINVAL)
    if upper is None and len(lowers) == 1 and not data_lowers:
        fail(errno.EINVAL)
    if upper is not None and any(lower is upper for lower in (*lowers, *data_lowers)):
        fail(errno.ELOOP)
    if len({id(lower) for lower in (*lowers, *data_lowers)}) != len(lowers) + len(data_lowers):
        fail(errno.ELOOP)
    if upper is not None and upper.is_frozen:
        fail(errno.EROFS)


def _work_of(upper: Layer, lowers: Sequence[Layer | Union], options: Options) -> WorkDir:
    """The workdir that belongs to an upper; refuses a volatile one, and an index made for other layers."""
    tree: Any = upper.tree
    work: WorkDir = tree.work if tree.work is not None else WorkDir()
    tree.work = work
    if work.is_volatile:
        fail(errno.EINVAL)
    if options.index:
        if work.lowers is not None and work.lowers is not lowers[-1].root:
            fail(errno.ESTALE)
        work.lowers = lowers[-1].root
    work.is_volatile = options.volatile
    return work
