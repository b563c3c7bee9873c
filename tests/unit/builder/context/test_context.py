"""The build context: what .dockerignore hides, whose the files are, and which digests are remembered."""

from __future__ import annotations

import pytest

from builder.context.context import LABEL, BuildContext
from builder.context.ignore import IgnoreFile
from builder.context.selection import Source, select
from builder.errors import ContextError
from builder.stores.memory import MemoryStore
from unionfs_sim.layers.layer import File, Layer, layer

YEARS = 10**18


def context(files: Layer, ignore: str = "", **options: object) -> BuildContext:
    rules = IgnoreFile.parse(ignore) if ignore else None
    return BuildContext(files, ignore=rules, clock=lambda: YEARS, **options)  # type: ignore[arg-type]


def test_ignored_files_are_not_there():
    tree = context(layer({"/a.log": "x", "/b": "y"}), "*.log\n")

    assert tree.listdir("/") == ["b"]
    with pytest.raises(FileNotFoundError):
        tree.lstat("/a.log")


def test_a_directory_is_there_if_an_exception_lets_something_below_through():
    tree = context(layer({"/d/e/keep": "k", "/d/e/drop": "d", "/other/x": "x"}), "*\n!d/e/keep\n")

    assert tree.listdir("/") == ["d"]
    assert tree.listdir("/d/e") == ["keep"]


def test_nobody_looks_into_a_directory_where_no_exception_can_reach(monkeypatch: pytest.MonkeyPatch):
    files = layer({"/modules/deep/x": "x", "/d/keep": "k", "/d/drop": "d"})
    looked: list[object] = []
    listdir = Layer.listdir
    monkeypatch.setattr(Layer, "listdir", lambda self, path="/": looked.append(path) or listdir(self, path))

    assert context(files, "modules\nd\n!d/keep\n").listdir("/") == ["d"]

    assert "/modules" not in looked


def test_all_files_belong_to_root_and_have_no_extended_attributes():
    tree = context(layer({"/f": File("f", uid=1000, gid=1000, xattrs={"user.x": b"1"})}))

    assert (tree.lstat("/f").st_uid, tree.lstat("/f").st_gid, tree.xattrs("/f")) == (0, 0, {})


def test_a_missing_source_names_the_rule_that_excludes_it():
    tree = context(layer({"/secret/key": "k"}), "# keys stay\nsecret\n")

    with pytest.raises(ContextError) as raised:
        select(Source(tree, LABEL, tree.hint), ["secret/key"])

    assert raised.value.fix == "it is excluded by .dockerignore line 2: 'secret'"


def test_an_empty_context_says_so():
    tree = context(Layer())

    with pytest.raises(ContextError) as raised:
        select(Source(tree, LABEL, tree.hint), ["main.c"])

    assert raised.value.fix == "the context is empty"


def test_a_name_in_another_case_is_suggested():
    tree = context(layer({"/Main.c": "x"}))

    with pytest.raises(ContextError) as raised:
        select(Source(tree, LABEL, tree.hint), ["main.c"])

    assert raised.value.fix == "did you mean 'Main.c'?"


def test_the_digest_of_an_unchanged_file_is_computed_once():
    store = MemoryStore()
    files = layer({"/f": "content"})
    before = context(files, digests=store)
    first = before.content("/f").digest()
    before.save_digests()

    class Unreadable:
        def __getattr__(self, name: str) -> object:
            assert name != "open", "the file was read again"
            return getattr(files, name)

    assert context(Unreadable(), digests=store).content("/f").digest() == first


def test_a_file_that_is_younger_than_the_clock_can_tell_is_not_remembered():
    store = MemoryStore()
    files = layer({"/f": "content"})

    tree = BuildContext(files, digests=store, clock=lambda: 0)
    tree.content("/f").digest()
    tree.save_digests()

    assert store.recall("digests::") is None


def test_digests_of_files_that_are_gone_are_forgotten():
    store = MemoryStore()
    files = layer({"/d/old": "1", "/d/kept": "2"})
    before = context(files, digests=store)
    for path in ("/d/old", "/d/kept"):
        before.content(path).digest()
    before.save_digests()

    files.unlink("/d/old")
    files.write_bytes("/d/new", b"3")
    after = context(files, digests=store)
    after.content("/d/new").digest()
    after.save_digests()

    assert sorted(store.recall("digests::/d") or ()) == ["kept", "new"]


def test_nobody_writes_to_the_context():
    with pytest.raises(OSError, match="Read-only"):
        context(layer({"/f": "x"})).remove("/f")
