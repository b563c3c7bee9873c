"""A store that cannot be written to: what needs no writing works, the rest says why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder.errors import StoreError
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore

WEB = Reference.parse("web:1.0")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store with one name, in a directory that this process may not write to."""
    made = str(tmp_path / "s")
    with LayoutStore(made) as store:
        store.tag(WEB, store.put([b"{}"]))
        store.remember("key", {"a": 1})
    really = os.access

    def access(where: str, mode: int) -> bool:  # root may write everywhere: a read-only mount has this
        return mode != os.W_OK and really(where, mode)

    monkeypatch.setattr(os, "access", access)
    return made


def test_names_and_blobs_are_read_and_nothing_is_changed(path: str) -> None:
    before = sorted(os.listdir(path))

    with LayoutStore(path) as store:
        manifest = store.resolve(WEB)
        assert manifest is not None
        assert list(store.tags()) == [WEB]
        assert store.find(manifest.digest) is not None
        with store.open(manifest.digest) as stream:
            assert stream.read() == b"{}"
        store.remember("other", {"b": 2})
        assert store.recall("key") is None

    assert sorted(os.listdir(path)) == before


def test_what_is_there_may_be_put_again_and_nothing_else(path: str) -> None:
    with LayoutStore(path) as store:
        assert store.put([b"{", b"}"]).size == 2
        with pytest.raises(StoreError, match="read-only"):
            store.put([b"new"])


def test_changes_are_refused_with_what_to_do(path: str) -> None:
    with LayoutStore(path) as store:
        manifest = store.resolve(WEB)
        assert manifest is not None
        for change in (
            lambda: store.tag(Reference.parse("other"), manifest),
            lambda: store.untag(WEB),
            store.collect,
        ):
            with pytest.raises(StoreError, match=r"read-only\n.*--state"):
                change()
