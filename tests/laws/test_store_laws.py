"""What every store must do (``builder.protocols.Store``), run on each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.errors import StoreError
from builder.image.digest import Digest
from builder.image.oci import MEDIA_MANIFEST, Descriptor
from builder.image.reference import Reference
from builder.protocols import Store
from builder.stores.layout import LayoutStore
from builder.stores.memory import MemoryStore

ABSENT = Digest("sha256:" + "0" * 64)
NAME = Reference.parse("web:1.0")


@pytest.fixture(params=["memory", "layout"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    with LayoutStore(str(tmp_path / "state")) as layout:
        yield layout


def content(store: Store, digest: Digest) -> bytes:
    with store.open(digest) as stream:
        return stream.read()


def test_what_was_put_can_be_opened_by_its_digest(store: Store) -> None:
    stored = store.put([b"hel", b"", b"lo"])

    assert stored.digest == "sha256:" + hashlib.sha256(b"hello").hexdigest()
    assert stored.size == 5
    assert content(store, stored.digest) == b"hello"


def test_putting_twice_is_putting_once(store: Store) -> None:
    assert store.put([b"hello"]) == store.put(iter([b"he", b"llo"]))


def test_the_empty_blob_is_a_blob(store: Store) -> None:
    assert content(store, store.put([]).digest) == b""


def test_has_tells_whether_a_blob_is_here(store: Store) -> None:
    stored = store.put([b"x"])

    assert (store.has(stored.digest), store.has(ABSENT)) == (True, False)


def test_opening_what_is_not_here_is_a_store_error_that_names_it(store: Store) -> None:
    with pytest.raises(StoreError, match=ABSENT):
        store.open(ABSENT)


def test_a_put_that_fails_stores_nothing(store: Store) -> None:
    def failing() -> Iterator[bytes]:
        yield b"hello"
        raise RuntimeError("the pipe broke")

    with pytest.raises(RuntimeError):
        store.put(failing())

    assert not store.has(Digest("sha256:" + hashlib.sha256(b"hello").hexdigest()))


def test_a_tag_names_a_manifest_until_it_names_another(store: Store) -> None:
    first, second = store.put([b"1"]), store.put([b"2"])

    store.tag(NAME, first)
    store.tag(NAME, second)

    assert store.resolve(NAME) == second


def test_a_tag_keeps_the_whole_descriptor(store: Store) -> None:
    blob = store.put([b"{}"])
    manifest = Descriptor(MEDIA_MANIFEST, blob.digest, blob.size, {"note": "x"})

    store.tag(NAME, manifest)

    assert store.resolve(NAME) == manifest


def test_an_unknown_name_resolves_to_nothing(store: Store) -> None:
    assert store.resolve(NAME) is None


def test_a_tag_for_a_blob_that_is_not_here_is_refused(store: Store) -> None:
    with pytest.raises(StoreError):
        store.tag(NAME, Descriptor(MEDIA_MANIFEST, ABSENT, 1))


def test_a_cache_record_is_remembered_until_another_takes_its_place(store) -> None:
    store.remember("key", {"a": 1})
    store.remember("key", {"a": [1, None, "ü"]})

    assert (store.recall("key"), store.recall("other")) == ({"a": [1, None, "ü"]}, None)
