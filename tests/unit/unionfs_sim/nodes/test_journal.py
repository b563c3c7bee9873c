"""Undo and redo: any sequence of operations can be taken back, step by step, and done again."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unionfs_sim import Dir, Hardlink, Layer, Options, RedirectDir, Symlink, Union, layer, mount

NAMES = st.sampled_from(["a", "b", "c", "d/a", "d/b", "d/e", "d/e/x", "l", "h", "new", "n/x"])
PATHS = NAMES.map(lambda name: "/" + name)
VERBS: dict[str, Callable[[Union, str, str], object]] = {
    "write": lambda fs, a, b: fs.write_bytes(a, b.encode() * 3),
    "append": lambda fs, a, b: fs.open(a, os.O_WRONLY | os.O_APPEND).write(b.encode()),
    "far": lambda fs, a, b: fs.open(a, os.O_WRONLY).pwrite(b"far", 9000),
    "truncate": lambda fs, a, b: fs.truncate(a, len(b)),
    "mkdir": lambda fs, a, b: fs.mkdir(a),
    "remove": lambda fs, a, b: fs.remove(a),
    "rename": lambda fs, a, b: fs.rename(a, b),
    "exchange": lambda fs, a, b: fs.renameat2(a, b, 2),
    "link": lambda fs, a, b: fs.link(a, b),
    "symlink": lambda fs, a, b: fs.symlink(a, b),
    "chmod": lambda fs, a, b: fs.chmod(a, 0o700),
    "chown": lambda fs, a, b: fs.chown(a, 7, -1),
    "utime": lambda fs, a, b: fs.utime(a, (1, 2)),
    "setxattr": lambda fs, a, b: fs.setxattr(a, "user." + b[1:].replace("/", "."), b"v"),
    "look": lambda fs, a, b: (fs.exists(a), fs.listdir("/d"), sorted(fs.walk("/"))),
}
STEPS = st.lists(st.tuples(st.sampled_from(sorted(VERBS)), PATHS, PATHS), max_size=14)
MODES = st.sampled_from([Options(), Options(redirect_dir=RedirectDir.ON, metacopy=True), Options(index=True)])


def stacked(options: Options) -> Union:
    base = layer({"/a": "1", "/h": Hardlink("/a"), "/d/a": "2", "/d/e/x": "3", "/l": Symlink("d/a")})
    top = layer({"/b": "4", "/d/b": "5", "/d": Dir(0o755)})
    return mount([base.freeze(), top.freeze()], Layer(), options=options, history=100)


def picture(union: Union) -> dict[str, Any]:
    """Everything that can be seen, merged and raw, without times."""
    seen: dict[str, Any] = {}
    for directory, directories, others in union.walk("/"):
        for name in (*directories, *others):
            path = f"{directory.rstrip('/')}/{name}"
            found = union.lstat(path)
            body = union.read_bytes(path) if found.st_mode & 0o170000 == 0o100000 else b""
            seen[path] = (found[:7], body, union.xattrs(path))
    assert union.upper is not None
    for path, inode in union.upper.inodes():
        seen["upper " + path] = (inode.mode, inode.uid, inode.nlink, dict(inode.xattrs), inode.size)
    return seen


def attempt(union: Union, step: tuple[str, str, str]) -> None:
    verb, one, two = step
    with union.operation():
        try:
            VERBS[verb](union, one, two)
        except OSError:
            pass


@given(MODES, STEPS)
def test_undo_takes_everything_back_and_redo_does_it_again(
    options: Options, steps: list[tuple[str, str, str]]
) -> None:
    union = stacked(options)
    before = picture(union)
    for step in steps:
        attempt(union, step)
    after = picture(union)

    while union.undo():
        pass

    assert picture(union) == before
    while union.redo():
        pass
    assert picture(union) == after


@given(MODES, STEPS)
def test_each_step_back_shows_what_was_there_before_that_step(
    options: Options, steps: list[tuple[str, str, str]]
) -> None:
    union = stacked(options)
    pictures = []
    for step in steps:
        before = picture(union)
        attempt(union, step)
        if picture(union) != before:
            pictures.append(before)

    while pictures:
        if picture(union) == pictures[-1]:
            pictures.pop()
        else:
            assert union.undo()


def test_without_history_nothing_can_be_undone() -> None:
    union = mount([Layer()], Layer())
    union.mkdir("/d")

    assert not union.undo()
    assert union.exists("/d")


def test_one_call_is_one_step_however_many_things_it_changes() -> None:
    union = mount([layer({"/p/q/r/f": "x"})], Layer(), history=5)
    union.chmod("/p/q/r/f", 0o600)

    assert union.undo()
    assert not union.undo()
    assert union.upper == mount([Layer()], Layer()).upper


def test_a_new_change_forgets_what_was_undone() -> None:
    union = mount([Layer()], Layer(), history=5)
    union.mkdir("/a")
    union.undo()
    union.mkdir("/b")

    assert not union.redo()
    assert union.listdir("/") == ["b"]


def test_history_is_bounded() -> None:
    union = mount([Layer()], Layer(), history=2)
    for name in "abc":
        union.mkdir("/" + name)

    assert [union.undo(), union.undo(), union.undo()] == [True, True, False]
    assert union.listdir("/") == ["a"]


@pytest.mark.parametrize("size", [0, 3, 4096, 9000])
def test_an_undone_write_brings_back_the_bytes_that_it_covered(size: int) -> None:
    union = mount([layer({"/f": "0123456789"})], Layer(), history=9)
    union.truncate("/f", size)
    before = union.read_bytes("/f")
    union.open("/f", os.O_WRONLY).pwrite(b"written", 5)

    union.undo()

    assert union.read_bytes("/f") == before
