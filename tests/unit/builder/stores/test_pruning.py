"""What is forgotten to make room, and what is never taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.image.digest import DiffID, Digest, digest_of
from builder.image.image import History, Image, ImageConfig, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.reference import Reference
from builder.image.validate import validate
from builder.stores.layout import LayoutStore
from builder.stores.pruning import Record, forgettable, shares
from builder.stores.summary import Summary
from unionfs_sim import layer
from unionfs_sim.tar.pack import pack

DAY = 86_400


class Clock:
    """A time that tests set."""

    now = 100.0 * DAY

    def __call__(self) -> float:
        return self.now


def tagged(store: LayoutStore, name: str, content: str) -> Descriptor:
    stored = store.put(pack(layer({"/f": content}), latest_ns=0))
    blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
    image = Image(ImageConfig()).append(blob, History())
    store.put([image.config_bytes()])
    manifest = image.manifest()
    written = store.put([manifest.to_bytes()])
    descriptor = Descriptor(manifest.media_type, written.digest, written.size)
    store.tag(Reference.parse(name), descriptor)
    return descriptor


def cached(store: LayoutStore, key: str, size: int) -> Digest:
    stored = store.put([key.encode(), bytes(size)])
    store.remember(key, {"layer": stored.digest})
    return stored.digest


def test_what_no_build_asked_for_is_forgotten_by_age_and_asking_makes_young(tmp_path: Path) -> None:
    clock = Clock()
    with LayoutStore(str(tmp_path), now=clock) as store:
        old, asked = cached(store, "old", 10), cached(store, "asked", 10)
    clock.now += 10 * DAY
    with LayoutStore(str(tmp_path), now=clock) as store:
        store.recall("asked")
    clock.now += 1 * DAY

    with LayoutStore(str(tmp_path), now=clock) as store:
        store.prune(before=int(clock.now) - 7 * DAY)

        assert (store.recall("old"), store.find(old)) == (None, None)
        assert store.recall("asked") is not None and store.find(asked) is not None


def test_what_was_asked_for_longest_ago_goes_first_until_it_fits(tmp_path: Path) -> None:
    clock = Clock()
    found = []
    for number in range(4):
        clock.now += DAY
        with LayoutStore(str(tmp_path), now=clock) as store:
            found.append(cached(store, f"step {number}", 1000))

    with LayoutStore(str(tmp_path), now=clock) as store:
        store.prune(keep_bytes=2500)

        assert [store.find(digest) is not None for digest in found] == [False, False, True, True]


def test_names_are_never_removed_however_little_room_is_left(tmp_path: Path) -> None:
    with LayoutStore(str(tmp_path)) as store:
        manifest = tagged(store, "web:1", "x" * 5000)

        store.prune(before=1 << 40, keep_bytes=0)

        assert validate(store, manifest) == []


def test_nothing_is_collected_while_somebody_builds(tmp_path: Path) -> None:
    with LayoutStore(str(tmp_path)) as store, store.lease():
        digest = cached(store, "step", 10)

        assert store.prune(before=1 << 40).skipped
        assert store.find(digest) is not None


def test_nothing_is_collected_while_another_process_has_the_store_open(tmp_path: Path) -> None:
    with LayoutStore(str(tmp_path)) as building, LayoutStore(str(tmp_path)) as store:
        digest = building.put([b"not yet named"]).digest

        assert store.prune(keep_bytes=0).skipped
        assert building.find(digest) is not None


def test_the_shares_are_of_names_of_records_and_of_nobody(tmp_path: Path) -> None:
    with LayoutStore(str(tmp_path)) as store:
        tagged(store, "web:1", "x")
        tagged(store, "web:2", "x")
        cached(store, "step", 1000)
        store.put([bytes(77)])

        found = store.shares()

        assert (found.images, found.records, found.record_bytes, found.unneeded_bytes) == (1, 1, 1004, 77)
        assert found.image_bytes + 1004 + 77 == store.usage().bytes


DIGESTS = [digest_of(bytes([number])) for number in range(6)]
RECORDS = st.lists(
    st.builds(
        Record, st.text("abcdef", min_size=1), st.integers(0, 9), st.frozensets(st.sampled_from(DIGESTS))
    ),
    unique_by=lambda record: record.key,
    max_size=8,
)
SIZES = st.dictionaries(st.sampled_from(DIGESTS), st.integers(0, 100))


@given(RECORDS, SIZES, st.frozensets(st.sampled_from(DIGESTS)), st.integers(0, 400), st.integers(0, 10))
def test_what_is_left_fits_or_is_named_and_nothing_goes_without_need(
    records: list[Record], sizes: dict[Digest, int], named: frozenset[Digest], keep: int, before: int
) -> None:
    gone = set(forgettable(records, sizes, named, before=before, keep_bytes=keep))

    left = [record for record in records if record.key not in gone]
    held = shares(sizes, 0, named, left)
    assert held.record_bytes == 0 or held.image_bytes + held.record_bytes <= keep
    assert all(record.used >= before for record in left)
    enough = sum(sizes.values())
    assert not set(forgettable(records, sizes, named, keep_bytes=enough))


@given(RECORDS, SIZES, st.frozensets(st.sampled_from(DIGESTS)))
def test_the_shares_add_up_to_the_whole(
    records: list[Record], sizes: dict[Digest, int], named: frozenset[Digest]
) -> None:
    found = shares(sizes, 0, named, records)

    assert found.image_bytes + found.record_bytes + found.unneeded_bytes == sum(sizes.values())


def test_an_image_is_opened_once_to_be_listed_and_forgotten_with_its_blobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LayoutStore(str(tmp_path)) as store:
        manifest = tagged(store, "web:1", "x")
        expected = [(Reference.parse("web:1"), Summary.of(Image.load(store, manifest)))]
        assert store.summaries() == expected

    with LayoutStore(str(tmp_path)) as store:
        with monkeypatch.context() as patch:
            patch.setattr(LayoutStore, "open", lambda *_: pytest.fail("a blob was opened"))
            assert store.summaries() == expected
        store.untag(Reference.parse("web:1"))
        store.collect()
        assert store.summaries() == []
        assert store._names.summaries() == {}
