"""A scan of a tree in memory: the lesson that runs anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic

from builder.context.edit import Edit, make
from builder.context.paths import lstat
from builder.context.subtree import Subtree
from builder.context.transfer import Transfer
from builder.events import Listener, nobody
from builder.protocols import FsT, Store, Timestamps
from builder.snapshotters.fingerprint import Mode
from builder.snapshotters.ignored import BUILDER_DIRECTORY, IgnoreList, default_ignored
from builder.snapshotters.scan.root import ScannedTree
from builder.snapshotters.scan.snapshotter import ScanSnapshotter
from builder.snapshotters.scan.survey import AskedSurvey
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.layers.layer import Layer
from unionfs_sim.trees import walk


class TreeSite(Generic[FsT]):
    """A tree of this process as the single root. Implements ``Site``."""

    def __init__(self, rootfs: FsT, root: ScannedTree) -> None:
        self.rootfs = rootfs
        self.root = root

    def apply(self, edits: Iterable[Edit], /) -> None:
        """Make ``edits``."""
        make(self.rootfs, edits)

    def set_aside(self, number: int, /) -> tuple[str, Filesystem]:
        """A directory in the builder's own."""
        place = f"{BUILDER_DIRECTORY}/{number}"
        for path in (BUILDER_DIRECTORY, place):
            if lstat(self.rootfs, path) is None:
                self.rootfs.mkdir(path, 0o755)
        return place, Subtree(self.rootfs, place)

    def close(self) -> None:
        """Forget what is known of it."""
        self.root.close()


def scanning(
    root: FsT,
    store: Store,
    *,
    mode: Mode = Mode.FULL,
    ignored: IgnoreList | None = None,
    timestamps: Timestamps | None = None,
    listener: Listener = nobody,
) -> ScanSnapshotter[FsT]:
    """A snapshotter whose one root is the tree ``root``."""
    ignored = ignored or default_ignored()
    scanned = ScannedTree(
        lambda: root,
        lambda: AskedSurvey(root),
        lambda tree, place: _write(tree, root, place),
        wipe=lambda ignored: _wipe(root, ignored),
        mode=mode,
        ignored=ignored,
        latest_ns=(timestamps or Timestamps()).latest_ns,
    )
    return ScanSnapshotter(TreeSite(root, scanned), store, ignored=ignored, listener=listener)


def _write(tree: Layer, root: Filesystem, place: str) -> None:
    target = root if place == "/" else Subtree(root, place)
    Transfer(tree, target, time=lambda time_ns: time_ns).tree("/")


def _wipe(root: Filesystem, ignored: IgnoreList) -> None:
    """Delete everything that is not ignored, deepest first; a directory stays for what is ignored in it."""
    for path, _ in reversed(list(walk(root, passes_over=ignored.covers))):
        if path != "/" and not ignored.below(path):
            root.remove(path)
