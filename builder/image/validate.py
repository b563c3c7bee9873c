"""Everything that must be true of an image and can be checked from its blobs.

OCI image-spec manifest.md, config.md and layer.md. Public: tests, ``load`` and graders use it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from builder.errors import BuildError
from builder.image.compression import decompress, pieces
from builder.image.digest import Digest
from builder.image.image import BlobSource, Image, load_manifest, read_document
from builder.image.oci import LAYER_TYPES, Descriptor, Manifest
from builder.image.unpack import unpack_stack


def validate(store: BlobSource, descriptor: Descriptor) -> list[str]:
    """What is wrong with the image at ``descriptor``, one sentence each; empty if nothing is."""
    try:
        manifest = load_manifest(store, descriptor)
        raw = read_document(store, manifest.config.digest)
        image = Image.parse(raw, manifest.layers, where=f"config {manifest.config.digest[:19]}")
        problems = [*_sizes(manifest, len(raw)), *_consistency(image)]
        for layer in image.layers:
            problems += _layer(store, layer.descriptor, layer.diff_id)
        if not problems:
            unpack_stack(store, image.layers)
    except BuildError as error:
        return [str(error)]
    return problems


def _sizes(manifest: Manifest, config_size: int) -> Iterator[str]:
    if manifest.config.size != config_size:
        yield f"the config has {config_size} bytes, the manifest says {manifest.config.size}"
    for layer in manifest.layers:
        if layer.media_type not in LAYER_TYPES:
            yield f"layer {layer.digest[:19]} has the unknown media type {layer.media_type!r}"


def _consistency(image: Image) -> Iterator[str]:
    if not image.platform.os or not image.platform.architecture:
        yield "the config names no platform (os and architecture)"
    described = sum(not entry.empty_layer for entry in image.history)
    if image.history and described != len(image.layers):
        yield f"the history describes {described} layers, there are {len(image.layers)}"


def _layer(store: BlobSource, layer: Descriptor, diff_id: str) -> Iterator[str]:
    size = 0
    uncompressed = hashlib.sha256()

    def counted() -> Iterator[bytes]:
        nonlocal size
        for piece in pieces(stream):
            size += len(piece)
            yield piece

    with store.open(layer.digest) as stream:
        for piece in decompress(counted(), where=f"layer {layer.digest[:19]}"):
            uncompressed.update(piece)
    if size != layer.size:
        yield f"layer {layer.digest[:19]} has {size} bytes, the manifest says {layer.size}"
    found = Digest("sha256:" + uncompressed.hexdigest())
    if found != diff_id:
        yield f"layer {layer.digest[:19]} unpacks to {found}, the config says {diff_id}"
