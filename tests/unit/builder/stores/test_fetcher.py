"""Where FROM finds images without a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.errors import UnknownImageError
from builder.image.image import Image, LayerBlob
from builder.image.oci import MEDIA_LAYER_GZIP, Platform
from builder.image.reference import Reference
from builder.stores.fetcher import LocalFetcher
from builder.stores.layout import LayoutStore
from builder.stores.memory import MemoryStore
from builder.world.supplies import bases
from unionfs_sim.layers.layer import layer
from unionfs_sim.tar.compression import gzip
from unionfs_sim.tar.pack import pack

ALPINE = Reference.parse("alpine:3.19")
PLATFORM = Platform("linux", "arm64")


def stored(store: MemoryStore, image: Image) -> None:
    store.put([image.config_bytes()])
    raw = image.manifest().to_bytes()
    store.tag(ALPINE, replace(store.put([raw]), media_type=image.manifest().media_type))


def test_an_embedded_image_comes_for_any_platform_with_its_layers_in_the_store():
    store = MemoryStore()

    image = LocalFetcher(store, lambda: bases, edition=str).fetch(ALPINE, PLATFORM)

    assert image.platform == PLATFORM
    assert all(store.find(layer.descriptor.digest) is not None for layer in image.layers)
    assert [each.descriptor.digest for each in image.layers] == list(image.diff_ids)


def test_a_name_in_the_store_wins_over_an_embedded_image():
    store = MemoryStore()
    stored(store, Image(author="me", platform=PLATFORM))

    assert LocalFetcher(store, lambda: bases, edition=str).fetch(ALPINE, PLATFORM).author == "me"


def test_compressed_layers_are_unpacked_in_the_store():
    store = MemoryStore()
    plain = store.put(pack(layer({"/f": "f"})))
    packed = replace(store.put(gzip(pack(layer({"/f": "f"})))), media_type=MEDIA_LAYER_GZIP)
    stored(store, Image(layers=(LayerBlob(packed, plain.digest),), platform=PLATFORM))  # type: ignore[arg-type]
    del store._blobs[plain.digest]

    image = LocalFetcher(store, lambda: bases, edition=str).fetch(ALPINE, PLATFORM)

    assert image.layers[0].descriptor.digest == plain.digest
    assert store.find(plain.digest) is not None


def test_an_unknown_image_names_what_exists_and_the_nearest():
    with pytest.raises(UnknownImageError) as raised:
        LocalFetcher(MemoryStore(), lambda: bases, edition=str).fetch(Reference.parse("alpin:3.19"), PLATFORM)

    assert raised.value.fix is not None
    assert raised.value.fix.startswith("did you mean 'alpine:3.19'")
    assert "docker pull alpin:3.19" in raised.value.fix


def test_an_embedded_image_that_an_earlier_build_stored_is_found_without_opening_the_catalogue() -> None:
    store = MemoryStore()
    first = LocalFetcher(store, lambda: bases, edition=lambda: "1").fetch(ALPINE, PLATFORM)

    def never() -> Any:
        raise AssertionError("the catalogue was opened")

    again = LocalFetcher(store, never, edition=lambda: "1").fetch(ALPINE, PLATFORM)

    assert again.manifest() == first.manifest()
    assert again.replace(author="x").config_bytes() == first.replace(author="x").config_bytes()


def test_another_edition_of_the_catalogue_is_opened() -> None:
    store = MemoryStore()
    LocalFetcher(store, lambda: bases, edition=lambda: "1").fetch(ALPINE, PLATFORM)
    opened = []

    def catalogue() -> Any:
        opened.append(1)
        return bases

    LocalFetcher(store, catalogue, edition=lambda: "2").fetch(ALPINE, PLATFORM)

    assert opened == [1]


def test_an_embedded_image_whose_layer_is_gone_is_stored_again(tmp_path: Path) -> None:
    with LayoutStore(str(tmp_path)) as store:
        first = LocalFetcher(store, lambda: bases, edition=str).fetch(ALPINE, PLATFORM)
        store.remove(first.layers[0].descriptor.digest)

        again = LocalFetcher(store, lambda: bases, edition=str).fetch(ALPINE, PLATFORM)

        assert again.manifest() == first.manifest()
        assert store.find(first.layers[0].descriptor.digest) is not None
