"""What every store must do (``builder.protocols.Store``).

A module that tests one makes a class of these laws, with a fixture ``store`` that yields an empty one.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator

import pytest

from builder.errors import StoreError
from builder.image.digest import Digest, digest_of
from builder.image.oci import MEDIA_LAYER, MEDIA_MANIFEST, Descriptor
from builder.image.reference import Reference
from builder.protocols import Store
from builder.stores.cachemounts import RecordingStore

ABSENT = Digest("sha256:" + "0" * 64)
NAME = Reference.parse("web:1.0")


def content(store: Store, digest: Digest) -> bytes:
    with store.open(digest) as stream:
        return stream.read()


class StoreLaws:
    """The laws."""

    def test_what_was_put_can_be_opened_by_its_digest(self, store: Store) -> None:
        stored = store.put([b"hel", b"", b"lo"])

        assert stored.digest == "sha256:" + hashlib.sha256(b"hello").hexdigest()
        assert stored.size == 5
        assert content(store, stored.digest) == b"hello"

    def test_putting_twice_is_putting_once(self, store: Store) -> None:
        assert store.put([b"hello"]) == store.put(iter([b"he", b"llo"]))

    def test_the_empty_blob_is_a_blob(self, store: Store) -> None:
        assert content(store, store.put([]).digest) == b""

    def test_find_tells_what_a_blob_is_and_none_if_it_is_not_here(self, store: Store) -> None:
        stored = store.put([b"x"])

        assert (store.find(stored.digest), store.find(ABSENT)) == (stored, None)

    def test_a_blob_that_is_as_expected_is_stored(self, store: Store) -> None:
        expected = Descriptor(MEDIA_LAYER, digest_of(b"hello"), 5)

        stored = store.put([b"hel", b"lo"], expected=expected)

        assert (stored.digest, stored.size) == (expected.digest, expected.size)

    @pytest.mark.parametrize("content", [b"hell", b"hallo", b"hello there", b""])
    def test_a_blob_that_is_not_as_expected_is_refused(self, store: Store, content: bytes) -> None:
        expected = Descriptor(MEDIA_LAYER, digest_of(b"hello"), 5)

        with pytest.raises(StoreError, match=expected.digest):
            store.put([content], expected=expected)

        assert (store.find(expected.digest), store.find(digest_of(content))) == (None, None)

    def test_more_bytes_than_expected_are_not_read_to_their_end(self, store: Store) -> None:
        expected = Descriptor(MEDIA_LAYER, digest_of(b"x"), 1)

        with pytest.raises(StoreError):
            store.put(itertools.repeat(b"x"), expected=expected)

    def test_nothing_is_lost_under_a_lease(self, store: Store) -> None:
        with store.lease(), store.lease():
            stored = store.put([b"leased"])

            assert store.find(stored.digest) == stored

    def test_usage_counts_every_blob_once(self, store: Store) -> None:
        before = store.usage()
        store.put([b"hello"])
        store.put([b"hello"])
        store.put([b"abc"])

        after = store.usage()
        assert (after.bytes - before.bytes, after.inodes - before.inodes) == (8, 2)

    def test_opening_what_is_not_here_is_a_store_error_that_names_it(self, store: Store) -> None:
        with pytest.raises(StoreError, match=ABSENT):
            store.open(ABSENT)

    def test_a_put_that_fails_stores_nothing(self, store: Store) -> None:
        def failing() -> Iterator[bytes]:
            yield b"hello"
            raise RuntimeError("the pipe broke")

        with pytest.raises(RuntimeError):
            store.put(failing())

        assert store.find(digest_of(b"hello")) is None

    def test_a_tag_names_a_manifest_until_it_names_another(self, store: Store) -> None:
        first, second = store.put([b"1"]), store.put([b"2"])

        store.tag(NAME, first)
        store.tag(NAME, second)

        assert store.resolve(NAME) == second

    def test_a_tag_keeps_the_whole_descriptor(self, store: Store) -> None:
        blob = store.put([b"{}"])
        manifest = Descriptor(MEDIA_MANIFEST, blob.digest, blob.size, {"note": "x"})

        store.tag(NAME, manifest)

        assert store.resolve(NAME) == manifest

    def test_an_unknown_name_resolves_to_nothing(self, store: Store) -> None:
        assert store.resolve(NAME) is None

    def test_a_tag_for_a_blob_that_is_not_here_is_refused(self, store: Store) -> None:
        with pytest.raises(StoreError):
            store.tag(NAME, Descriptor(MEDIA_MANIFEST, ABSENT, 1))

    def test_a_cache_record_is_remembered_until_another_takes_its_place(self, store: RecordingStore) -> None:
        store.remember("key", {"a": 1})
        store.remember("key", {"a": [1, None, "ü"]})

        assert (store.recall("key"), store.recall("other")) == ({"a": [1, None, "ü"]}, None)
