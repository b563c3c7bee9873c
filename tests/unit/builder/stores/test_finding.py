"""When a blob is read to find out whether it is whole, and when its file is known."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder.stores.blobs import BlobDirectory
from builder.stores.layout import LayoutStore

LARGE = b"x" * (3 << 20)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The blobs that were read whole."""
    read: list[str] = []
    really = BlobDirectory.is_whole

    def is_whole(self: BlobDirectory, digest: str) -> bool:
        read.append(digest)
        return really(self, digest)  # type: ignore[arg-type]

    monkeypatch.setattr(BlobDirectory, "is_whole", is_whole)
    return read


def test_a_large_blob_that_was_written_here_is_not_read_again(tmp_path: Path, reads: list[str]) -> None:
    with LayoutStore(str(tmp_path)) as store:
        large = store.put([LARGE])
    with LayoutStore(str(tmp_path)) as store:
        assert store.find(large.digest) == large

    assert reads == []


def test_a_large_blob_in_a_file_that_is_new_is_read_once(tmp_path: Path, reads: list[str]) -> None:
    with LayoutStore(str(tmp_path)) as store:
        large = store.put([LARGE])
        path = store.path_of(large.digest)
    Path(path).write_bytes(LARGE)

    for _ in range(2):
        with LayoutStore(str(tmp_path)) as store:
            assert store.find(large.digest) == large

    assert reads == [large.digest]


def test_a_small_blob_is_read_by_every_process_and_once(tmp_path: Path, reads: list[str]) -> None:
    with LayoutStore(str(tmp_path)) as store:
        small = store.put([b"small"])
    with LayoutStore(str(tmp_path)) as store:
        store.find(small.digest)
        store.find(small.digest)

    assert reads == [small.digest]


@pytest.mark.parametrize("content", [b"small", LARGE])
def test_a_damaged_blob_is_not_found_until_it_is_put_again(tmp_path: Path, content: bytes) -> None:
    with LayoutStore(str(tmp_path)) as store:
        stored = store.put([content])
        assert store.find(stored.digest) == stored
        with open(store.path_of(stored.digest), "r+b") as file:
            file.write(b"X")
        os.utime(store.path_of(stored.digest), ns=(0, 0))

        assert store.find(stored.digest) is None

        store.put([content])
        assert store.find(stored.digest) == stored
