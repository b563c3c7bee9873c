from __future__ import annotations

from dataclasses import replace
from typing import Any

from builder.image.digest import DiffID
from builder.image.image import History, Image, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.validate import validate
from builder.stores.memory import MemoryStore
from unionfs_sim import layer
from unionfs_sim.tar.pack import pack


def image_in(store: Any, tar: bytes | None = None) -> Image:
    stored = store.put([b"".join(pack(layer({"/a": "1"}))) if tar is None else tar])
    blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
    return Image().append(blob, History(created_by="RUN true"))


def problems(store: Any, image: Image, *, config_size: int = 0) -> list[str]:
    store.put([image.config_bytes()])
    manifest = image.manifest()
    manifest = replace(manifest, config=replace(manifest.config, size=manifest.config.size + config_size))
    stored = store.put([manifest.to_bytes()])
    return validate(store, Descriptor(manifest.media_type, stored.digest, stored.size))


def test_a_sound_image_has_no_problems() -> None:
    store = MemoryStore()

    assert problems(store, image_in(store)) == []


def test_a_wrong_size_is_named() -> None:
    store = MemoryStore()
    image = image_in(store)
    (blob,) = image.layers
    wrong = image.replace(layers=(replace(blob, descriptor=replace(blob.descriptor, size=1)),))

    assert "the manifest says 1" in problems(store, wrong)[0]
    assert "the config has" in problems(store, image, config_size=1)[0]


def test_a_wrong_diff_id_is_named() -> None:
    store = MemoryStore()
    image = image_in(store)
    (blob,) = image.layers
    wrong = image.replace(layers=(replace(blob, diff_id=DiffID("sha256:" + "0" * 64)),))

    assert "unpacks to" in problems(store, wrong)[0]


def test_a_history_that_does_not_fit_the_layers_is_named() -> None:
    store = MemoryStore()
    image = image_in(store)

    assert "history describes 2 layers" in problems(store, image.replace(history=image.history * 2))[0]


def test_an_unknown_media_type_is_named() -> None:
    store = MemoryStore()
    image = image_in(store)
    (blob,) = image.layers
    wrong = image.replace(
        layers=(replace(blob, descriptor=replace(blob.descriptor, media_type="text/plain")),)
    )

    assert "text/plain" in problems(store, wrong)[0]


def test_a_layer_that_is_no_tar_is_named() -> None:
    store = MemoryStore()

    assert "header" in problems(store, image_in(store, b"x" * 1024))[0]


def test_a_missing_blob_is_named() -> None:
    store, empty = MemoryStore(), MemoryStore()

    assert "no such blob" in problems(empty, image_in(store))[0]
