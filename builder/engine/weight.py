"""What states and layers weigh, counted once and then remembered."""

from __future__ import annotations

from builder.image.digest import DiffID, Digest
from builder.image.image import Image
from builder.image.waste import Waste
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


def image_waste(store: Store, image: Image, records: Records) -> Waste:
    """What the layers of an image hold and nobody sees; counted once, then remembered.

    The layers lie uncompressed in the store, as those of a build do.
    """
    key = f"waste:{image.chain_id}"
    known = records.recall(key)
    if known is not None:
        return Waste.read(known)
    from builder.image.analysis import analyse  # here, as it is seldom counted twice
    from unionfs_sim.layers import merge
    from unionfs_sim.layers.layer import Layer
    from unionfs_sim.tar.pack import read_layer

    below, layers = Layer(), []
    for blob in image.layers:
        # By jumps: nothing that a file holds is read, and whether it is whole was asked before.
        with store.open(blob.descriptor.digest) as stream:
            layers.append(read_layer(stream, below=below).freeze())
        merge.apply(layers[-1], below)
    waste = Waste.of(analyse(layers))
    records.remember(key, waste.record())
    return waste
