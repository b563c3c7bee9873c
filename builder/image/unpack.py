"""From stored blobs to layers that can be read, merged and mounted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from builder.errors import ImageFormatError
from builder.image.compression import decompress, pieces
from builder.image.digest import DiffID
from builder.image.image import BlobSource, LayerBlob
from builder.image.oci import MEDIA_DOCKER_LAYER, MEDIA_LAYER
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.layers import merge
from unionfs_sim.layers.layer import Layer
from unionfs_sim.tar.compression import PIECE_BYTES
from unionfs_sim.tar.pack import LayerFormatError, read_layer

PLAIN_LAYERS: Final = frozenset([MEDIA_LAYER, MEDIA_DOCKER_LAYER])
"""Media types of layers that are stored as they are."""


def unpack(store: BlobSource, blob: LayerBlob, *, below: Filesystem | None = None) -> Layer:
    """The layer in ``blob``, verified, and frozen; big contents stay slices of a blob on disk.

    ``below``: what the layers under it show (see ``read_layer``). ImageFormatError if it is broken.
    """
    with store.open(blob.descriptor.digest) as stream, told(blob.diff_id):
        if blob.descriptor.media_type not in PLAIN_LAYERS:
            with tempfile.TemporaryFile() as spool:
                spool.writelines(decompress(pieces(stream), where=blob.diff_id))
                spool.seek(0)
                return read_layer(spool, below=below).freeze()
        # The tar is read by jumps, which verify nothing: one read from end to end does.
        while stream.read(PIECE_BYTES):
            pass
        stream.seek(0)
        return read_layer(stream, below=below).freeze()


def unpack_stack(store: BlobSource, blobs: Iterable[LayerBlob]) -> list[Layer]:
    """The layers, base first; directories that a layer does not describe look as they do below it."""
    below = Layer()
    layers = []
    for blob in blobs:
        layers.append(unpack(store, blob, below=below))
        merge.apply(layers[-1], below)
    return layers


@contextmanager
def told(layer: DiffID) -> Iterator[None]:
    """Turn a LayerFormatError inside into an ImageFormatError that also names the layer."""
    try:
        yield
    except LayerFormatError as error:
        raise ImageFormatError(str(error), where=f"layer {layer[:19]}") from error
