"""A snapshotter without a union: it reads the whole root before and after, as Kaniko does.

It has one root, sees it only through ``Filesystem``, and keeps its own files in that root too. What it
finds, what it misses and what it writes follow Kaniko v1.24 (``pkg/snapshot``, ``pkg/util/fs_util.go``):
parents of a change are entries; only the topmost of deleted names is whited out; opaque markers are neither
written nor understood; devices and fifos of base layers are dropped.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Generic

from builder.context.edit import Edit, make
from builder.context.paths import glob, join, lstat, resolve
from builder.context.subtree import Subtree
from builder.context.transfer import Transfer
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
    Timestamps,
    Usage,
    Workspace,
)
from builder.snapshotters.fingerprint import Mode, fingerprint
from builder.snapshotters.ignored import BUILDER_DIRECTORY, IgnoreList, default_ignored
from builder.snapshotters.usage import usage_of
from unionfs_sim.filesystem import Filesystem, Stat
from unionfs_sim.layers.layer import Layer
from unionfs_sim.tar.pack import entries, read_layer, write_tar
from unionfs_sim.trees import remove_tree, walk


@dataclass(frozen=True, slots=True)
class Scan:
    """One look at the whole root: a fingerprint for every path that is not ignored, and what looking cost."""

    known: dict[str, bytes]
    bytes_hashed: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two scans. ``deleted``: topmost names only, sorted; ``changed``: sorted."""

    changed: tuple[str, ...]
    deleted: tuple[str, ...]


class ScanSnapshotter(Generic[FsT]):
    """Finds changes by scanning. Implements ``builder.protocols.Snapshotter``."""

    def __init__(
        self,
        root: FsT,
        store: Store,
        *,
        mode: Mode = Mode.FULL,
        ignored: IgnoreList | None = None,
        timestamps: Timestamps | None = None,
        listener: Listener = nobody,
    ) -> None:
        self._root = root
        self._store = store
        self._mode = mode
        self._ignored = ignored or default_ignored()
        self._timestamps = timestamps or Timestamps()
        self._listener = listener
        self._shows: Snapshot | None = EMPTY
        self._known: dict[str, bytes] | None = None
        self._saved: dict[Snapshot, Filesystem] = {}
        self._opened = 0

    @property
    def concurrency(self) -> Concurrency:
        """ONE: there is a single root."""
        return Concurrency.ONE

    def view(self, snapshot: Snapshot, /, *, only: Iterable[PurePosixPath] | None = None) -> Filesystem:
        """A saved tree: of ``only`` where the root still shows ``snapshot``, else of all its layers."""
        if snapshot not in self._saved:
            top = f"{BUILDER_DIRECTORY}/{len(self._saved)}"
            for path in (BUILDER_DIRECTORY, top):
                if lstat(self._root, path) is None:
                    self._root.mkdir(path, 0o755)
            saved = Subtree(self._root, top)
            if snapshot == self._shows:
                self._save(saved, ["/"] if only is None else [str(path) for path in only])
            else:
                for diff_id in snapshot.layers:
                    self._extract(saved, diff_id)
            self._saved[snapshot] = saved
        return self._saved[snapshot]

    def prepare(self, parent: Snapshot, /, *, purpose: Purpose = Purpose.ANYTHING) -> Workspace[FsT]:
        """The root, wiped and unpacked if it shows something else; scanned before the first RUN."""
        if parent != self._shows:
            self._wipe()
            for diff_id in parent.layers:
                self._extract(self._root, diff_id)
            self._shows, self._known = parent, None
        self._opened += 1
        work = Workspace(parent, self._root, f"scan-{self._opened}")
        if purpose is Purpose.ANYTHING and self._known is None:
            self._known = self._look(work.key).known
        return work

    def apply(self, work: Workspace[FsT], edits: Iterable[Edit], /) -> None:
        """Make ``edits`` in the root."""
        make(work.rootfs, edits)

    def changes(
        self, work: Workspace[FsT], /, *, written: Iterable[PurePosixPath] | None = None
    ) -> LayerStream:
        """A layer of the ``written`` paths, changed or not; None: of what a full scan finds."""
        if written is None:
            difference = self._compare(work.key)
        else:
            difference = Difference(tuple(sorted({str(path) for path in written})), ())
        layer = self._stage(difference)
        self._remember(difference)
        if not difference.changed and not difference.deleted:
            return iter(())
        return write_tar(entries(layer), latest_ns=self._timestamps.latest_ns)

    def commit(self, work: Workspace[FsT], layer: DiffID | None, /) -> Snapshot:
        """The root as it is now, under the name of its layers."""
        self._shows = work.parent if layer is None else work.parent.with_layer(layer)
        return self._shows

    def discard(self, work: Workspace[FsT], /) -> None:
        """Forget what the root shows: whoever prepares next unpacks it afresh."""
        if self._shows == work.parent:
            self._shows = None

    def usage(self, snapshot: Snapshot, /) -> Usage:
        """What the tree takes, unpacked as this snapshotter unpacks it; nothing is kept of it."""
        tree = Layer()
        for diff_id in snapshot.layers:
            self._extract(tree, diff_id)
        return usage_of(tree)

    def close(self) -> None:
        """Let go of the saved trees; the root stays as it is, for whoever gave it."""
        self._saved.clear()
        self._known = None

    def _walk(self) -> Iterator[tuple[str, Stat]]:
        """Every path of the root that is not ignored, sorted, parents first."""
        return walk(self._root, passes_over=self._ignored.covers)

    def _look(self, workspace: str) -> Scan:
        known: dict[str, bytes] = {}
        hashed = 0
        for path, status in self._walk():
            found = fingerprint(self._root, path, status, self._mode)
            known[path] = found.digest
            hashed += found.bytes_hashed
        self._listener(ChangesFound(workspace, len(known), hashed))
        return Scan(known, hashed)

    def _compare(self, workspace: str) -> Difference:
        before = self._known if self._known is not None else {}
        after = self._look(workspace).known
        changed = [path for path, digest in after.items() if path != "/" and before.get(path) != digest]
        gone = before.keys() - after.keys()
        topmost = [
            path
            for path in gone
            if (parent := str(PurePosixPath(path).parent)) not in gone
            and stat.S_ISDIR(self._root.lstat(parent).st_mode)
        ]
        return Difference(tuple(sorted(changed)), tuple(sorted(topmost)))

    def _stage(self, difference: Difference) -> Layer:
        """A layer that holds the difference: changed names, what changed symlinks lead to, their parents."""
        layer = Layer()
        transfer = Transfer(self._root, layer, time=self._timestamps.of)
        transfer.one("/", self._root.lstat("/"))
        paths = dict.fromkeys(difference.changed)
        for path in difference.changed:
            if stat.S_ISLNK(self._root.lstat(path).st_mode):
                target = self._leads_to(path)
                if target is not None and not self._ignored.covers(target):
                    paths.setdefault(target)
        for path in sorted(paths):
            transfer.parents(path)
            transfer.one(path, self._root.lstat(path))
        for path in difference.deleted:
            transfer.parents(path)
            layer.mknod(path, stat.S_IFCHR, 0)
        directories = {
            parent for path in (*paths, *difference.deleted) for parent in PurePosixPath(path).parents
        }
        transfer.times((str(path), self._root.lstat(str(path))) for path in sorted(directories, reverse=True))
        return layer

    def _leads_to(self, link: str) -> str | None:
        """What the symlink leads to in the end; None for nothing, or a circle."""
        try:
            target = resolve(self._root, link)
        except OSError:
            return None
        return target if lstat(self._root, target) is not None else None

    def _remember(self, difference: Difference) -> None:
        if self._known is None:
            return
        for path in difference.changed:
            self._known[path] = fingerprint(self._root, path, self._root.lstat(path), self._mode).digest
        for top in difference.deleted:
            for path in [known for known in self._known if known == top or known.startswith(f"{top}/")]:
                del self._known[path]

    def _wipe(self) -> None:
        """Delete every path that is not ignored, as Kaniko does between stages."""
        for path, _ in reversed(list(self._walk())):
            if path == "/" or self._ignored.below(path):
                continue
            remove_tree(self._root, path)

    def _save(self, saved: Subtree, patterns: Iterable[str]) -> None:
        """Copy what ``patterns`` match, and the symlinks and files that the matches lead to."""
        wanted: set[str] = set()
        for pattern in patterns:
            for match in glob(self._root, pattern):
                wanted.add(resolve(self._root, match, met=wanted.add))
        transfer = Transfer(self._root, saved, time=_same)
        for path in sorted(wanted):
            above = {str(parent) for parent in PurePosixPath(path).parents} & wanted
            if lstat(self._root, path) is None or not all(_is_link(self._root, other) for other in above):
                continue
            transfer.parents(path)
            self._save_below(transfer, path)

    def _save_below(self, transfer: Transfer, path: str) -> None:
        if self._ignored.covers(path):
            return
        status = self._root.lstat(path)
        transfer.one(path, status)
        if stat.S_ISDIR(status.st_mode):
            for name in sorted(self._root.listdir(path)):
                self._save_below(transfer, join(path, name))
            transfer.times([(path, status)])

    def _extract(self, target: Filesystem, diff_id: DiffID) -> None:
        """Unpack a layer as Kaniko does: opaque markers mean nothing, devices and fifos are dropped."""
        with self._store.open(Digest(diff_id)) as stream, told(diff_id):
            layer = read_layer(stream)
        transfer = Transfer(layer, target, time=_same)
        for path, status in walk(layer, passes_over=self._ignored.covers):
            kind = stat.S_IFMT(status.st_mode)
            if kind == stat.S_IFCHR and status.st_rdev == 0:
                remove_tree(target, path)
            elif kind in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK):
                _clear(target, path, kind)
                transfer.one(path, status)


def _same(time_ns: int) -> int:
    return time_ns


def _is_link(fs: Filesystem, path: str) -> bool:
    status = lstat(fs, path)
    return status is not None and stat.S_ISLNK(status.st_mode)


def _clear(fs: Filesystem, path: str, kind: int) -> None:
    """Make room at ``path`` for a file of ``kind``; a directory stays for a directory."""
    status = lstat(fs, path)
    if status is not None and not (kind == stat.S_IFDIR and stat.S_ISDIR(status.st_mode)):
        remove_tree(fs, path)
