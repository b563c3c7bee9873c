"""A raw layer: the literal, equality, freezing, copying."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from unionfs_sim import WHITEOUT, Device, Dir, Fifo, File, Hardlink, Layer, Symlink, layer


def test_a_literal_has_every_kind_of_file() -> None:
    made = layer(
        {
            "/f": File("x", mode=0o4755, uid=1, gid=2, mtime_ns=3, xattrs={"user.k": b"v"}),
            "/l": Symlink("f"),
            "/p": Fifo(0o600),
            "/d": Device(os.makedev(1, 3), mode=stat.S_IFCHR | 0o666),
            "/h": Hardlink("/f"),
            "/w": WHITEOUT,
            "/o": Dir(opaque=True),
        }
    )

    found = made.lstat("/f")
    assert (found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns) == (0o104755, 1, 2, 3)
    assert (found.st_nlink, found.st_ino) == (2, made.lstat("/h").st_ino)
    assert made.getxattr("/f", "user.k") == b"v"
    assert (made.readlink("/l"), stat.S_ISFIFO(made.lstat("/p").st_mode)) == ("f", True)
    assert made.lstat("/d").st_rdev == os.makedev(1, 3)
    assert made.root.children["w"].is_whiteout
    assert made.getxattr("/o", "trusted.overlay.opaque") == b"y"


def test_directories_that_lead_to_an_entry_are_made() -> None:
    assert layer({"/a/b/c": ""}) == layer({"/a": Dir(), "/a/b": Dir(), "/a/b/c": ""})


def test_a_directory_may_get_its_attributes_after_its_children() -> None:
    assert layer({"/a/b": "", "/a": Dir(0o700)}).lstat("/a").st_mode == stat.S_IFDIR | 0o700


def test_a_name_cannot_stand_twice() -> None:
    with pytest.raises(ValueError, match="/a//b stands twice"):
        layer({"/a/b": "1", "/a//b": "2"})


@pytest.mark.parametrize(
    "other",
    [
        {"/f": "y"},
        {"/f": File("x", mode=0o600)},
        {"/f": File("x", uid=1)},
        {"/f": File("x", xattrs={"user.k": b""})},
        {"/f": Symlink("x")},
        {"/f": "x", "/g": ""},
        {},
    ],
)
def test_layers_differ_where_their_trees_do(other: dict[str, str | File | Symlink]) -> None:
    assert layer({"/f": "x"}) != layer(other)


def test_times_and_numbers_make_no_difference() -> None:
    assert layer({"/g": "", "/f": File("x", mtime_ns=5)}) == layer({"/f": "x", "/g": ""})


def test_hard_links_make_a_difference_in_both_directions() -> None:
    linked = layer({"/a": "x", "/b": Hardlink("/a")})
    apart = layer({"/a": "x", "/b": "x"})

    assert linked != apart
    assert apart != linked


def test_whiteouts_are_equal_whether_they_share_an_inode_or_not() -> None:
    assert layer({"/a": WHITEOUT, "/b": Hardlink("/a")}) == layer({"/a": WHITEOUT, "/b": WHITEOUT})


def test_a_frozen_layer_cannot_change() -> None:
    frozen = layer({"/f": "x"}).freeze()

    with pytest.raises(OSError) as refusal:
        frozen.write_bytes("/f", b"y")
    assert refusal.value.errno == errno.EROFS
    assert frozen.read_bytes("/f") == b"x"


def test_a_copy_is_equal_and_can_change_alone() -> None:
    original = layer({"/d/f": "x", "/h": Hardlink("/d/f")}).freeze()
    copy = original.copy()
    assert copy == original

    copy.write_bytes("/h", b"y")

    assert (copy.read_bytes("/d/f"), original.read_bytes("/d/f")) == (b"y", b"x")


def test_a_copy_of_a_file_that_was_written_does_not_follow_it() -> None:
    original = Layer()
    original.write_bytes("/f", b"one")
    original.open("/f", os.O_WRONLY | os.O_APPEND).write(b" two")
    copy = original.copy()

    original.open("/f", os.O_WRONLY | os.O_APPEND).write(b" three")

    assert copy.read_bytes("/f") == b"one two"


def test_inodes_come_parents_first_and_sorted() -> None:
    made = layer({"/b": "", "/a/z": "", "/a/y": ""})

    assert [path for path, _ in made.inodes()] == ["/", "/a", "/a/y", "/a/z", "/b"]
