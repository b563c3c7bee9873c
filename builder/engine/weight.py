"""What trees and layers weigh, counted and never guessed."""

from __future__ import annotations

import stat

from builder.context.paths import join
from builder.image.digest import DiffID, Digest
from builder.protocols import FsT, Records, Snapshot, Snapshotter, Store
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.tar.reader import TarReader


def tree_bytes(tree: Filesystem) -> int:
    """The sum of the sizes of all regular files; a file with several names counts once."""
    total = 0
    seen: set[tuple[int, int]] = set()
    pending = ["/"]
    while pending:
        path = pending.pop()
        status = tree.lstat(path)
        if stat.S_ISDIR(status.st_mode):
            pending.extend(join(path, name) for name in tree.listdir(path))
        elif stat.S_ISREG(status.st_mode):
            inode = (status.st_dev, status.st_ino)
            if status.st_nlink == 1 or inode not in seen:
                seen.add(inode)
                total += status.st_size
    return total


def snapshot_bytes(snapshotter: Snapshotter[FsT], snapshot: Snapshot, records: Records) -> int:
    """What the tree of a committed state weighs; counted once, then remembered."""
    key = f"weight:{snapshot.chain_id}"
    known = records.recall(key)
    if known is not None:
        return int(known["bytes"])
    weight = tree_bytes(snapshotter.view(snapshot))
    records.remember(key, {"bytes": weight})
    return weight


def layer_entries(store: Store, diff_id: DiffID, records: Records) -> int:
    """How many entries the layer's tar holds; counted once, then remembered."""
    key = f"entries:{diff_id}"
    known = records.recall(key)
    if known is not None:
        return int(known["entries"])
    with store.open(Digest(diff_id)) as stream:
        count = sum(1 for _ in TarReader(stream))
    records.remember(key, {"entries": count})
    return count
