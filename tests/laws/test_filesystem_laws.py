"""What every tree of files must do (``unionfs_sim.filesystem.Filesystem``), run on each kind of them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from unionfs_sim import Layer, mount
from unionfs_sim.filesystem import Attributes, Filesystem
from unionfs_sim.host.layer import HostDirectory
from unionfs_sim.trees import copy_tree, remove_tree, walk

CREATE = os.O_WRONLY | os.O_CREAT


@pytest.fixture(params=["layer", "union", "host directory"])
def fs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Filesystem]:
    """An empty tree; what the process's own umask does is taken out of the comparison."""
    before = os.umask(0o022)
    match request.param:
        case "layer":
            yield Layer()
        case "union":
            yield mount(lowers=[Layer()], upper=Layer())
        case _:
            with HostDirectory(tmp_path) as directory:
                yield directory
    os.umask(before)


def write(fs: Filesystem, path: str | bytes, content: bytes) -> None:
    file = fs.open(path, CREATE, 0o644)
    assert file.write(content) == len(content)
    file.close()


def read(fs: Filesystem, path: str | bytes) -> bytes:
    file = fs.open(path, os.O_RDONLY)
    try:
        return file.read()
    finally:
        file.close()


def number(call: object, *arguments: object) -> int | None:
    with pytest.raises(OSError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.errno


def test_what_was_written_is_read(fs: Filesystem) -> None:
    write(fs, "/a", b"hello")

    assert read(fs, "/a") == b"hello"
    assert fs.lstat("/a").st_size == 5


def test_an_answer_has_the_type_of_the_question(fs: Filesystem) -> None:
    write(fs, b"/\xff", b"")
    fs.symlink("a", "/s")

    assert fs.listdir(b"/").count(b"\xff") == fs.listdir("/").count("\udcff") == 1
    assert (fs.readlink(b"/s"), fs.readlink("/s")) == (b"a", "a")


def test_paths_may_be_relative_to_the_root_and_hold_noise(fs: Filesystem) -> None:
    fs.mkdir("d")
    write(fs, "d//./x", b"1")

    assert read(fs, "/d/../d/x") == read(fs, "//d/x") == b"1"
    assert stat.S_ISDIR(fs.lstat("/d/").st_mode)


def test_listdir_names_children_without_dots(fs: Filesystem) -> None:
    fs.mkdir("/d")
    write(fs, "/d/x", b"")

    assert (fs.listdir("/d"), fs.listdir("/")) == (["x"], ["d"])


def test_no_verb_but_open_follows_the_last_symlink(fs: Filesystem) -> None:
    write(fs, "/a", b"hello")
    fs.symlink("a", "/s")

    assert stat.S_ISLNK(fs.lstat("/s").st_mode)
    assert read(fs, "/s") == b"hello"
    fs.setattr("/s", Attributes(mtime_ns=5_000_000_000))
    fs.link("/s", "/t")
    fs.remove("/s")
    assert (fs.readlink("/t"), fs.lstat("/t").st_mtime_ns) == ("a", 5_000_000_000)
    assert fs.lstat("/a").st_mtime_ns != 5_000_000_000


def test_a_symlink_on_the_way_is_followed_within_the_tree(fs: Filesystem) -> None:
    fs.mkdir("/d")
    fs.symlink("/d", "/s")
    write(fs, "/s/x", b"1")

    assert read(fs, "/d/x") == b"1"


def test_two_names_are_one_file(fs: Filesystem) -> None:
    write(fs, "/a", b"1")
    fs.link("/a", "/b")
    file = fs.open("/b", os.O_WRONLY)
    file.write(b"2")
    file.close()

    assert read(fs, "/a") == b"2"
    assert fs.lstat("/a").st_ino == fs.lstat("/b").st_ino
    assert fs.lstat("/a").st_nlink == 2


def test_mknod_makes_what_the_mode_says(fs: Filesystem) -> None:
    fs.mknod("/file", stat.S_IFREG | 0o600)
    fs.mknod("/fifo", stat.S_IFIFO | 0o640)

    assert oct(fs.lstat("/file").st_mode) == oct(stat.S_IFREG | 0o600)
    assert oct(fs.lstat("/fifo").st_mode) == oct(stat.S_IFIFO | 0o640)


def test_setattr_sets_what_is_given_and_keeps_the_rest(fs: Filesystem) -> None:
    write(fs, "/a", b"")
    before = fs.lstat("/a")

    fs.setattr("/a", Attributes(mode=0o751, mtime_ns=1_000_000_007))

    after = fs.lstat("/a")
    assert (stat.S_IMODE(after.st_mode), after.st_mtime_ns) == (0o751, 1_000_000_007)
    assert (after.st_uid, after.st_atime_ns) == (before.st_uid, before.st_atime_ns)


def test_xattrs_are_merged_and_none_removes(fs: Filesystem) -> None:
    write(fs, "/a", b"")
    try:
        fs.setattr("/a", Attributes(xattrs={"user.a": b"1", "user.b": b"\0\xff"}))
    except OSError as error:
        pytest.skip(f"kernel: no user attributes on this disk: {error.strerror}")
    fs.setattr("/a", Attributes(xattrs={"user.a": None, "user.none": None, "user.c": b""}))

    assert fs.xattrs("/a") == {"user.b": b"\0\xff", "user.c": b""}


def test_remove_takes_files_and_empty_directories(fs: Filesystem) -> None:
    fs.mkdir("/d")
    write(fs, "/d/x", b"")

    assert number(fs.remove, "/d") == errno.ENOTEMPTY
    fs.remove("/d/x")
    fs.remove("/d")
    assert fs.listdir("/") == []


def test_an_open_file_outlives_its_name(fs: Filesystem) -> None:
    write(fs, "/a", b"hello")
    file = fs.open("/a", os.O_RDONLY)

    fs.remove("/a")

    assert file.read(2) + file.read() == b"hello"
    assert file.read(1) == b""
    file.close()
    file.close()


def test_seek_truncate_and_holes(fs: Filesystem) -> None:
    file = fs.open("/a", os.O_RDWR | os.O_CREAT, 0o644)
    file.write(b"hello")
    file.truncate(2)
    assert file.seek(0, os.SEEK_END) == 2
    file.seek(4)
    file.write(b"!")

    assert file.stat().st_size == 5
    file.close()
    assert read(fs, "/a") == b"he\0\0!"


def test_failures_have_the_numbers_of_linux(fs: Filesystem) -> None:
    write(fs, "/file", b"")
    fs.symlink("/loop", "/loop")
    fs.mkdir("/d")

    assert number(fs.lstat, "/none") == errno.ENOENT
    assert number(fs.lstat, "/file/x") == errno.ENOTDIR
    assert number(fs.lstat, "/file/") == errno.ENOTDIR
    assert number(fs.open, "/loop") == errno.ELOOP
    assert number(fs.listdir, "/file") == errno.ENOTDIR
    assert number(fs.readlink, "/file") == errno.EINVAL
    assert number(fs.mkdir, "/d") == errno.EEXIST
    assert number(fs.mkdir, "/") == errno.EEXIST
    assert number(fs.symlink, "x", "/file") == errno.EEXIST
    assert number(fs.link, "/none", "/y") == errno.ENOENT
    assert number(fs.open, "/file", CREATE | os.O_EXCL) == errno.EEXIST
    assert number(fs.open, "/d", os.O_WRONLY) == errno.EISDIR
    assert number(fs.lstat, "/" + "n" * 256) == errno.ENAMETOOLONG
    assert number(fs.remove, "/none") == errno.ENOENT


def test_a_tree_can_be_copied_walked_and_removed(fs: Filesystem) -> None:
    fs.mkdir("/d", 0o750)
    write(fs, "/d/x", b"1")
    fs.link("/d/x", "/d/y")
    fs.symlink("d", "/s")

    copy = Layer()
    copy_tree(fs, copy)
    assert (
        [path for path, _ in walk(fs)]
        == [path for path, _ in walk(copy)]
        == ["/", "/d", "/d/x", "/d/y", "/s"]
    )
    assert copy.lstat("/d/y").st_nlink == 2

    remove_tree(fs, "/d")
    assert fs.listdir("/") == ["s"]
