"""A build's cache on its way to other machines and back: as an image that nobody runs.

Its layers are those that steps made, in no order that means anything; its config has the records under
``layerlab.cache``: for each key of a step, the DiffID and size of its layer, or null where no file changed.
So every registry takes it, every layer is sent once, and all of it is verified as any other image is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from builder.errors import ImageFormatError
from builder.image.digest import DiffID, Digest, parse_digest
from builder.image.image import History, Image, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor, Platform
from builder.protocols import Records, Store

MEMBER: Final = "layerlab.cache"
STEP: Final = "step:"
"""How keys of steps begin."""
_KEY: Final = re.compile(r"step:[0-9a-f]{64}")
_MAX_RECORDS: Final = 20_000


class Asked:
    """The records that a build asks for and leaves. Implements ``builder.protocols.Records`` on others."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.keys: dict[str, None] = {}

    def recall(self, key: str, /) -> Mapping[str, Any] | None:
        """The record, which is of use from now on."""
        found = self._records.recall(key)
        if found is not None and key.startswith(STEP):
            self.keys[key] = None
        return found

    def remember(self, key: str, record: Mapping[str, Any], /) -> None:
        """Keep the record."""
        if key.startswith(STEP):
            self.keys[key] = None
        self._records.remember(key, record)


def packed(store: Store, records: Records, keys: Iterable[str], platform: Platform) -> Descriptor:
    """The manifest of an image of these records' layers, as far as they are here; put into ``store``."""
    told: dict[str, Any] = {}
    image = Image(platform=platform)
    known: set[str] = set()
    for key in keys:
        record = records.recall(key) or {}
        layer = record.get("layer")
        if layer is not None:
            stored = store.find(Digest(layer["digest"]))
            if stored is None:
                continue
            if stored.digest not in known:
                known.add(stored.digest)
                blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
                image = image.append(blob, History(created_by="a cached step"))
        told[key] = None if layer is None else {"digest": layer["digest"], "size": layer["size"]}
    image = image.replace(extra={MEMBER: told})
    store.put([image.config_bytes()])
    manifest = image.manifest()
    written = store.put([manifest.to_bytes()])
    return Descriptor(manifest.media_type, written.digest, written.size, platform=platform)


def unpacked(store: Store, records: Records, image: Image) -> int:
    """Remember what the image of a cache tells of layers that are in ``store``; how many steps that are.

    ImageFormatError if it is no such image. What is known here already stays as it is.
    """
    told = image.extra.get(MEMBER)
    if not isinstance(told, dict) or len(told) > _MAX_RECORDS:
        raise ImageFormatError("this is no cache of layerlab", fix="write one with --cache-to")
    count = 0
    brought = set(image.diff_ids)
    for key, layer in told.items():
        if not _KEY.fullmatch(key) or not (layer is None or isinstance(layer, dict)):
            raise ImageFormatError(f"a record of the cache is wrong: {key!r:.100}")
        if (
            records.recall(key) is not None
            and layer is not None
            and store.find(Digest(str(layer.get("digest"))))
        ):
            continue
        record = None
        if layer is not None:
            digest = DiffID(parse_digest(layer.get("digest"), where=key))
            stored = store.find(Digest(digest))
            if digest not in brought or stored is None:
                raise ImageFormatError(f"the cache tells of a layer that it does not bring: {digest}")
            record = {"digest": digest, "size": stored.size}
        records.remember(key, {"layer": record})
        count += 1
    return count
