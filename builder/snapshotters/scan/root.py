"""The one root of a scan, and everything that is done to it: filled, scanned, packed, set aside, emptied.

What it finds, what it misses and what it writes follow Kaniko v1.24 (``pkg/snapshot``,
``pkg/util/fs_util.go``): parents of a change are entries; only the topmost of deleted names is whited out;
opaque markers are neither written nor understood; devices and fifos of base layers are dropped; of extended
attributes there is security.capability alone.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import BinaryIO, Protocol

from builder.context.content import content_of
from builder.context.paths import glob, join, lstat, resolve
from builder.context.subtree import Subtree
from builder.context.transfer import Transfer
from builder.snapshotters.fingerprint import Mode
from builder.snapshotters.ignored import IgnoreList
from builder.snapshotters.scan.known import Difference, Known, compare, look, updated
from builder.snapshotters.scan.survey import CAPABILITY, Survey
from unionfs_sim.filesystem import Filesystem, Stat
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import is_whiteout
from unionfs_sim.layers.merge import apply
from unionfs_sim.nodes.inode import NO_XATTRS, Inode
from unionfs_sim.nodes.journal import assign
from unionfs_sim.tar.pack import entries, read_layer, write_tar
from unionfs_sim.trees import walk

DROPPED = (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK)


@dataclass(frozen=True, slots=True)
class Cost:
    """What looking cost: how many names, and how many bytes of contents."""

    entries: int = 0
    bytes_hashed: int = 0


class Root(Protocol):
    """What a scan needs of its root. ``place``: the root itself, or a tree where something is set aside."""

    def take(self, layer: BinaryIO, /) -> None:
        """Hold one layer more, above those taken before, for the next ``fill``."""
        ...

    def fill(self, place: str, /) -> None:
        """Let ``place``, which is empty, show the layers that were taken; none is held any more."""
        ...

    def look(self) -> Cost:
        """Look at everything, and remember it."""
        ...

    def changes(self, written: Sequence[str] | None, /) -> Iterator[bytes]:
        """A layer of the ``written`` paths, changed or not; None: of what a look finds. Empty for nothing."""
        ...

    @property
    def cost(self) -> Cost | None:
        """What looking for the last changes cost; None where nobody looked."""
        ...

    def keep(self) -> None:
        """What the last changes were is known from now on."""
        ...

    def forget(self) -> None:
        """Nothing is known any more."""
        ...

    def save(self, place: str, patterns: Sequence[str], /) -> None:
        """Copy what ``patterns`` match in the root to ``place``, with what the matches lead to."""
        ...

    def wipe(self) -> None:
        """Delete everything in the root that is not ignored, and nothing of another file system."""
        ...

    def close(self) -> None:
        """Let go of it; it stays as it is. Idempotent."""
        ...


class Extraction:
    """Layers, one above the other, as Kaniko unpacks them: a tree of their own, which shares contents."""

    def __init__(self, ignored: IgnoreList) -> None:
        self._ignored = ignored
        self.tree = Layer()

    def take(self, stream: BinaryIO) -> None:
        """One layer more."""
        layer = read_layer(stream, below=self.tree)
        self._clean(layer.root)
        apply(layer, self.tree)

    def _clean(self, root: Inode) -> None:
        waiting = [("/", root)]
        while waiting:
            path, node = waiting.pop()
            kept = {name: value for name, value in node.xattrs.items() if name == CAPABILITY}
            node.xattrs = MappingProxyType(kept) if kept else NO_XATTRS
            if not node.is_dir:
                continue
            is_ignored = self._ignored.inside(path)
            for name, child in list(node.children.items()):
                dropped = stat.S_IFMT(child.mode) in DROPPED and not is_whiteout(child)
                if dropped or is_ignored(name):
                    del node.children[name]
                else:
                    waiting.append((join(path, name), child))


class ScannedTree:
    """A root in reach of this process. Implements ``Root``.

    ``opened``: the tree, afresh for each use; ``survey``: how to look at it; ``write``: puts a tree into a
    place of it; ``wipe``: deletes all but what a list ignores. ``latest_ns``: no time in a layer is later.
    """

    def __init__(
        self,
        opened: Callable[[], Filesystem],
        survey: Callable[[], Survey],
        write: Callable[[Layer, str], None],
        *,
        wipe: Callable[[IgnoreList], None],
        mode: Mode,
        ignored: IgnoreList,
        latest_ns: int | None,
    ) -> None:
        self._opened = opened
        self._survey = survey
        self._write = write
        self._wipe = wipe
        self._mode = mode
        self._ignored = ignored
        self._latest_ns = latest_ns
        self._extraction = Extraction(ignored)
        self._known: Known | None = None
        self._found: Known | None = None
        self._listed: tuple[str, ...] = ()
        self._cost: Cost | None = None

    @property
    def cost(self) -> Cost | None:
        """What looking for the last changes cost; None where nobody looked."""
        return self._cost

    def take(self, layer: BinaryIO, /) -> None:
        """Hold one layer more."""
        self._extraction.take(layer)

    def fill(self, place: str, /) -> None:
        """Write the layers that were taken."""
        tree, self._extraction = self._extraction.tree, Extraction(self._ignored)
        self._write(tree, place)

    def look(self) -> Cost:
        """Look at everything, and remember it."""
        self._known = self._seen()
        return Cost(self._known.entries, self._known.bytes_hashed)

    def changes(self, written: Sequence[str] | None, /) -> Iterator[bytes]:
        """A layer tar; what was looked at for it is remembered by ``keep``."""
        self._found = self._cost = None
        self._listed = ()
        root = self._opened()
        if written is None:
            self._found = self._seen()
            self._cost = Cost(self._found.entries, self._found.bytes_hashed)
            difference = compare(self._known or Known(), self._found)
        else:
            there = (path for path in written if lstat(root, path) is not None)
            difference = Difference.listed(path for path in there if not self._ignored.covers(path))
            self._listed = difference.changed
        if difference.changed or difference.deleted:
            yield from write_tar(entries(self._staged(root, difference)), latest_ns=self._latest_ns)

    def keep(self) -> None:
        """After a look, that is what is known; of paths that were listed, how they are now."""
        if self._found is not None:
            self._known, self._found = self._found, None
        elif self._known is not None and self._listed:
            self._known = updated(self._known, self._survey(), self._ignored, self._mode, self._listed)
            self._listed = ()

    def forget(self) -> None:
        """Nothing is known any more."""
        self._known = self._found = None

    def save(self, place: str, patterns: Sequence[str], /) -> None:
        """Copy what ``patterns`` match, and the symlinks and files that the matches lead to."""
        root = self._opened()
        saved = Subtree(root, place)
        wanted: set[str] = set()
        for pattern in patterns:
            for match in glob(root, pattern):
                wanted.add(resolve(root, match, met=wanted.add))
        transfer = Transfer(root, saved, time=_same)
        for path in sorted(wanted):
            above = {str(parent) for parent in PurePosixPath(path).parents} & wanted
            if lstat(root, path) is None or not all(_is_link(root, other) for other in above):
                continue
            transfer.parents(path)
            self._save_below(root, transfer, path)

    def wipe(self) -> None:
        """Delete everything that is not ignored."""
        self._wipe(self._ignored)

    def close(self) -> None:
        """Nothing is held."""
        self.forget()

    def _seen(self) -> Known:
        return look(self._survey(), self._ignored, self._mode)

    def _staged(self, root: Filesystem, difference: Difference) -> Layer:
        """A layer that holds the difference: changed names, what changed symlinks lead to, their parents."""
        layer = Layer()
        staging = _Staging(root, layer)
        staging.one("/", root.lstat("/"))
        paths = dict.fromkeys(difference.changed)
        for path in difference.changed:
            if _is_link(root, path):
                target = _leads_to(root, path)
                if target is not None and not self._ignored.covers(target):
                    paths.setdefault(target)
        for path in sorted(paths):
            staging.parents(path)
            staging.one(path, root.lstat(path))
        for path in difference.deleted:
            staging.parents(path)
            layer.mknod(path, stat.S_IFCHR, 0)
        directories = {
            parent for path in (*paths, *difference.deleted) for parent in PurePosixPath(path).parents
        }
        staging.times((str(path), root.lstat(str(path))) for path in sorted(directories, reverse=True))
        return layer

    def _save_below(self, root: Filesystem, transfer: Transfer, path: str) -> None:
        if self._ignored.covers(path):
            return
        visited = []
        for here, status in walk(root, path, passes_over=self._ignored.covers):
            transfer.one(here, status)
            visited.append((here, status))
        transfer.times(reversed(visited))


class _Staging(Transfer):
    """Copies names into a layer that is going to be packed: contents are read when they are written."""

    def __init__(self, source: Filesystem, layer: Layer) -> None:
        super().__init__(source, layer, time=_same, xattrs=_capability)
        self._layer = layer

    def _bytes(self, path: str, status: Stat) -> None:
        self._layer.mknod(path, stat.S_IFREG | 0o600)
        node = self._layer.root
        for part in path.split("/")[1:]:
            node = node.children[part]
        assign(None, node, "body", content_of(self._source, path, status))


def _same(time_ns: int) -> int:
    return time_ns


def _capability(xattrs: dict[str, bytes]) -> dict[str, bytes | None]:
    return {name: value for name, value in xattrs.items() if name == CAPABILITY}


def _is_link(fs: Filesystem, path: str) -> bool:
    status = lstat(fs, path)
    return status is not None and stat.S_ISLNK(status.st_mode)


def _leads_to(root: Filesystem, link: str) -> str | None:
    """What the symlink leads to in the end; None for nothing, or a circle."""
    try:
        target = resolve(root, link)
    except OSError:
        return None
    return target if lstat(root, target) is not None else None
