"""A snapshotter on the union of ``unionfs_sim``: what changed is simply what the upper layer holds."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from builder.context.edit import Edit, WriteFile, make
from builder.events import ChangesFound, Listener, nobody
from builder.image.digest import ChainID, DiffID, Digest, chained
from builder.image.unpack import told
from builder.protocols import Concurrency, LayerStream, Purpose, Snapshot, Store, Timestamps, Usage, Workspace
from builder.snapshotters.committed import Committed
from builder.snapshotters.usage import usage_of
from unionfs_sim.events import CopiedUp
from unionfs_sim.events import Event as UnionEvent
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.layers.layer import Layer
from unionfs_sim.mounting import mount
from unionfs_sim.nodes.caller import Clock, TickingClock
from unionfs_sim.nodes.content import EMPTY
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.nodes.journal import assign
from unionfs_sim.tar.header import END_OF_ARCHIVE
from unionfs_sim.tar.pack import entries, write_tar
from unionfs_sim.tar.unpack import INLINE_BYTES, read_layer
from unionfs_sim.vfs.posix import Posix


class MemorySnapshotter:
    """Layers of the store as frozen trees, mounted below a fresh upper. Implements ``Snapshotter[Posix]``.

    A layer is unpacked when a view or a workspace first needs it, and once. Safe for threads.
    ``clocks`` makes a clock for each workspace, so that no step changes the times in another one.
    ``copied_up`` is told of every copy-up; without it, unions record nothing.
    """

    def __init__(
        self,
        store: Store,
        *,
        timestamps: Timestamps | None = None,
        clocks: Callable[[], Clock] = TickingClock,
        listener: Listener = nobody,
        copied_up: Callable[[CopiedUp], None] | None = None,
    ) -> None:
        self._store = store
        self._copied_up = copied_up
        self._timestamps = timestamps or Timestamps()
        self._clocks = clocks
        self._listener = listener
        self._layers: dict[ChainID | None, Layer] = {}
        self._uppers: dict[str, Layer] = {}
        self._made: dict[str, Committed] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    @property
    def concurrency(self) -> Concurrency:
        """MANY: every workspace has its own upper layer."""
        return Concurrency.MANY

    @property
    def unpacked(self) -> int:
        """How many layers were unpacked so far."""
        return len(self._layers)

    def view(
        self,
        snapshot: Snapshot,
        /,
        *,
        only: Iterable[PurePosixPath] | None = None,  # noqa: ARG002 - a view costs nothing until it is read
    ) -> Filesystem:
        """The stack of layers, mounted without an upper."""
        return _view(self._lowers(snapshot))

    def prepare(
        self,
        parent: Snapshot,
        /,
        *,
        purpose: Purpose = Purpose.ANYTHING,  # noqa: ARG002 - the upper tells what happened
    ) -> Workspace[Posix]:
        """A union of ``parent`` with a fresh upper."""
        upper = Layer()
        key = f"memory-{next(self._numbers)}"
        self._uppers[key] = upper
        union = mount(lowers=self._lowers(parent), upper=upper, clock=self._clocks())
        if self._copied_up is not None:
            union.events.subscribe(self._hear)
        return Workspace(parent, union, key)

    def _hear(self, event: UnionEvent) -> None:
        if self._copied_up is not None and isinstance(event, CopiedUp):
            self._copied_up(event)

    def apply(self, work: Workspace[Posix], edits: Iterable[Edit], /) -> None:
        """Make ``edits`` in the union; what large files hold is read when the layer is written."""
        make_late(work.rootfs, self._uppers[work.key], edits)

    def changes(
        self,
        work: Workspace[Posix],
        /,
        *,
        written: Iterable[PurePosixPath] | None = None,  # noqa: ARG002 - the upper holds nothing else
    ) -> LayerStream:
        """The upper layer as a tar; empty if nothing was changed."""
        upper, below = self._uppers[work.key], self.view(work.parent)
        self._listener(ChangesFound(work.key, _count(upper), 0))
        made = Committed(below)
        pieces = write_tar(
            entries(upper, below=below), latest_ns=self._timestamps.latest_ns, written=made.add
        )
        first = next(pieces)
        if first != END_OF_ARCHIVE:
            self._made[work.key] = made
            yield first
            yield from pieces

    def commit(self, work: Workspace[Posix], layer: DiffID | None, /) -> Snapshot:
        """The parent with ``layer`` on top; the workspace is gone.

        The layer is kept as it was written, with the contents where they are in the store: what the edits
        read, or a command wrote, is held no longer.
        """
        made = self._made.pop(work.key, None)
        self.discard(work)
        if layer is None:
            return work.parent
        after = work.parent.with_layer(layer)
        if made is not None and after.chain_id is not None:
            with self._store.open(Digest(layer)) as stream:
                tree = made.tree(stream)
            with self._lock:
                self._layers.setdefault(after.chain_id, tree)
        return after

    def discard(self, work: Workspace[Posix], /) -> None:
        """Forget the upper."""
        self._uppers.pop(work.key, None)
        self._made.pop(work.key, None)

    def usage(self, snapshot: Snapshot, /) -> Usage:
        """What the merged tree takes."""
        return usage_of(self.view(snapshot))

    def close(self) -> None:
        """Forget all uppers and all unpacked layers."""
        self._uppers.clear()
        self._made.clear()
        with self._lock:
            self._layers.clear()

    def _lowers(self, snapshot: Snapshot) -> list[Layer]:
        """The layers, base first; a union needs at least one."""
        lowers: list[Layer] = []
        name: ChainID | None = None
        for diff_id in snapshot.layers:
            name = chained(name, diff_id)
            lowers.append(self._unpack(name, diff_id, lowers))
        return lowers or [Layer().freeze()]

    def _unpack(self, name: ChainID, diff_id: DiffID, lowers: list[Layer]) -> Layer:
        """The top layer of the stack ``name``; directories that it only implies are as in ``lowers``."""
        with self._lock:
            if name not in self._layers:
                below = _view(lowers) if lowers else None
                with self._store.open(Digest(diff_id)) as stream, told(diff_id):
                    self._layers[name] = read_layer(stream, below=below).freeze()
            return self._layers[name]


def make_late(fs: Posix, upper: Layer, edits: Iterable[Edit]) -> None:
    """Make ``edits`` in ``fs``, whose changes ``upper`` holds; large contents stay where they are."""
    for edit in edits:
        if isinstance(edit, WriteFile) and edit.content.size > INLINE_BYTES:
            make(fs, (edit._replace(content=EMPTY),))
            assign(None, _inode(upper, edit.path), "body", edit.content)
        else:
            make(fs, (edit,))


def _view(lowers: list[Layer]) -> Posix:
    """The layers read-only; an empty one below them, because a union of one layer needs an upper."""
    return mount(lowers=[Layer().freeze(), *lowers])


def _count(upper: Layer) -> int:
    """How many names a raw layer holds."""
    return sum(len(directories) + len(others) for _, directories, others in upper.walk("/"))


def _inode(layer: Layer, path: str) -> Inode:
    """The inode of a raw layer at ``path``, which leads through no symlink."""
    node = layer.root
    for name in path.strip("/").split("/"):
        node = node.children[name]
    return node
