"""What states and layers weigh, counted once and then remembered."""

from __future__ import annotations

from builder.image.digest import DiffID, Digest
from builder.protocols import FsT, Records, Snapshot, Store, Workshop


def snapshot_bytes(workshop: Workshop[FsT], snapshot: Snapshot, records: Records) -> int:
    """What the files of a committed state weigh; counted once, then remembered."""
    key = f"weight:{snapshot.chain_id}"
    known = records.recall(key)
    if known is not None:
        return int(known["bytes"])
    weight = workshop.snapshotter.usage(snapshot).bytes
    records.remember(key, {"bytes": weight})
    return weight


def layer_entries(store: Store, diff_id: DiffID, records: Records) -> int:
    """How many entries the layer's tar holds; counted once, then remembered."""
    key = f"entries:{diff_id}"
    known = records.recall(key)
    if known is not None:
        return int(known["entries"])
    from unionfs_sim.tar.reader import TarReader  # here, as it is seldom counted twice

    with store.open(Digest(diff_id)) as stream:
        count = sum(1 for _ in TarReader(stream))
    records.remember(key, {"entries": count})
    return count
