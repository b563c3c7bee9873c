"""A snapshotter without a union: it reads the whole root before and after, as Kaniko does.

It has one root and keeps its own files in that root too. What happens to the root is ``root``'s; here is
which state it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, Final, Generic, Protocol, TypeVar

from builder.context.edit import Edit
from builder.errors import StepFailedError
from builder.events import ChangesFound, Listener, nobody
from builder.image.digest import DiffID, Digest
from builder.image.unpack import told
from builder.protocols import (
    EMPTY,
    Concurrency,
    FsT,
    LayerStream,
    Purpose,
    Snapshot,
    Store,
    Usage,
    Workspace,
)
from builder.snapshotters.ignored import BUILDER_DIRECTORY, IgnoreList, default_ignored
from builder.snapshotters.scan.root import Cost, Extraction, Root
from builder.snapshotters.usage import usage_of
from unionfs_sim.filesystem import Filesystem

FsT_co = TypeVar("FsT_co", bound=Filesystem, covariant=True)
_ROOT: Final = "/"


class Site(Protocol[FsT_co]):
    """Where a scan happens: the root, how a runner and the engine see it, and places to set things aside."""

    @property
    def root(self) -> Root:
        """What is done to it."""
        ...

    @property
    def rootfs(self) -> FsT_co:
        """What a runner runs in."""
        ...

    def apply(self, edits: Iterable[Edit], /) -> None:
        """Make ``edits`` in the root."""
        ...

    def set_aside(self, number: int, /) -> tuple[str, Filesystem]:
        """A new, empty place to set something aside: as ``Root`` calls it, and as others see it."""
        ...

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        ...


class ScanSnapshotter(Generic[FsT]):
    """Finds changes by scanning. Implements ``builder.protocols.Snapshotter``.

    ``ignored``: must be what the root of ``site`` ignores.
    """

    def __init__(
        self,
        site: Site[FsT],
        store: Store,
        *,
        ignored: IgnoreList | None = None,
        listener: Listener = nobody,
    ) -> None:
        self._site = site
        self._root = site.root
        self._store = store
        self._ignored = ignored or default_ignored()
        self._listener = listener
        self._shows: Snapshot | None = EMPTY
        self._is_known = False
        self._saved: dict[Snapshot, Filesystem] = {}
        self._opened = 0

    @property
    def concurrency(self) -> Concurrency:
        """ONE: there is a single root."""
        return Concurrency.ONE

    def view(self, snapshot: Snapshot, /, *, only: Iterable[PurePosixPath] | None = None) -> Filesystem:
        """A saved tree: of ``only`` where the root still shows ``snapshot``, else of all its layers."""
        if snapshot not in self._saved:
            place, tree = self._site.set_aside(len(self._saved))
            if snapshot == self._shows:
                self._root.save(place, [_ROOT] if only is None else [str(path) for path in only])
            else:
                self._fill(place, snapshot)
            self._saved[snapshot] = tree
        return self._saved[snapshot]

    def prepare(self, parent: Snapshot, /, *, purpose: Purpose = Purpose.ANYTHING) -> Workspace[FsT]:
        """The root, wiped and unpacked if it shows something else; scanned before the first RUN."""
        if parent != self._shows:
            self._shows, self._is_known = None, False
            self._root.wipe()
            self._fill(_ROOT, parent)
            self._root.forget()
            self._shows = parent
        self._opened += 1
        work = Workspace(parent, self._site.rootfs, f"scan-{self._opened}")
        if purpose is Purpose.ANYTHING and not self._is_known:
            self._tell(work.key, self._root.look())
            self._is_known = True
        return work

    def apply(self, work: Workspace[FsT], edits: Iterable[Edit], /) -> None:  # noqa: ARG002 - there is one
        """Make ``edits`` in the root; what the builder keeps there is not to be edited."""
        self._site.apply(map(_outside, edits))

    def changes(
        self, work: Workspace[FsT], /, *, written: Iterable[PurePosixPath] | None = None
    ) -> LayerStream:
        """A layer of the ``written`` paths, changed or not; None: of what a full scan finds."""
        return self._changes(work.key, None if written is None else [str(path) for path in written])

    def _changes(self, workspace: str, written: list[str] | None) -> Iterator[bytes]:
        yield from self._root.changes(written)
        if self._root.cost is not None:
            self._tell(workspace, self._root.cost)

    def commit(self, work: Workspace[FsT], layer: DiffID | None, /) -> Snapshot:
        """The root as it is now, under the name of its layers."""
        self._root.keep()
        self._shows = work.parent if layer is None else work.parent.with_layer(layer)
        return self._shows

    def discard(self, work: Workspace[FsT], /) -> None:
        """Forget what the root shows: whoever prepares next unpacks it afresh."""
        if self._shows == work.parent:
            self._shows = None

    def usage(self, snapshot: Snapshot, /) -> Usage:
        """What the tree takes, unpacked as this snapshotter unpacks it; nothing is kept of it."""
        extraction = Extraction(self._ignored)
        self._each(snapshot, extraction.take)
        return usage_of(extraction.tree)

    def close(self) -> None:
        """Let go of the saved trees; the root stays as it is, for whoever gave it."""
        self._saved.clear()
        self._site.close()

    def _fill(self, place: str, snapshot: Snapshot) -> None:
        self._each(snapshot, self._root.take)
        self._root.fill(place)

    def _each(self, snapshot: Snapshot, take: Take) -> None:
        for diff_id in snapshot.layers:
            with self._store.open(Digest(diff_id)) as stream, told(diff_id):
                take(stream)

    def _tell(self, workspace: str, cost: Cost) -> None:
        self._listener(ChangesFound(workspace, cost.entries, cost.bytes_hashed))


class Take(Protocol):
    """Takes one layer."""

    def __call__(self, stream: BinaryIO, /) -> None:
        """Read it to its end."""
        ...


def _outside(edit: Edit) -> Edit:
    if edit.path == BUILDER_DIRECTORY or edit.path.startswith(BUILDER_DIRECTORY + "/"):
        raise StepFailedError(
            f"{edit.path}: this is where the builder keeps its own files in the root",
            fix="copy to another directory, or build with another --strategy",
        )
    return edit
