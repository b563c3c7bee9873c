"""Rows 1 to 22 of the specification on the kernel and on the model: whiteouts, copy-up, links, identity."""

from __future__ import annotations

import errno
import os
import stat

import pytest
from differential.bench import (
    OLD,
    WHITEOUT,
    Bench,
    directory,
    fifo,
    file,
    hardlink,
    marked_file,
    refused,
    symlink,
)
from differential.modes import Layout, Turn

OPAQUE = "trusted.overlay.opaque"
WHITEOUT_MARK = "trusted.overlay.whiteout"


def test_row_01_a_whiteout_is_a_character_device_0_0_of_mode_0(union: Bench) -> None:
    union.mount({"/f": "data"})

    union.do("unlink", "/f")

    assert union.upper() == {"/f": "wh"}
    record = union.raw("/f")
    assert (record.mode, record.rdev, record.uid) == (stat.S_IFCHR, 0, 0)


def test_row_02_a_marked_empty_file_is_a_whiteout_whose_name_is_listed_unless_the_parent_says_x(
    union: Bench,
) -> None:
    hidden = marked_file({WHITEOUT_MARK: b""})
    union.mount(
        {"/d/f": "data", "/e/f": "data"},
        {"/d": directory(marks={OPAQUE: b"x"}), "/d/f": hidden, "/e/f": hidden},
    )

    assert union.do("listdir", "/d") == []
    assert union.do("listdir", "/e") == ["f"]
    with refused(errno.ENOENT):
        union.do("lstat", "/e/f")


def test_row_03_a_name_that_only_the_upper_has_leaves_no_whiteout(union: Bench) -> None:
    union.mount({"/f": "data"})
    union.do("mkdir", "/new", 0o755)
    union.do("write_file", "/new/x", b"", 0o644)
    union.do("write_file", "/g", b"", 0o644)

    union.do("unlink", "/new/x")
    union.do("unlink", "/g")

    assert union.upper() == {"/new": "d"}


def test_row_04_a_whiteout_cannot_be_made_through_the_union(union: Bench) -> None:
    union.mount({"/f": "data"})

    with refused(errno.EPERM):
        union.do("mknod", "/g", stat.S_IFCHR, 0)


def test_row_05_a_stray_whiteout_is_hidden_when_merged_and_listed_in_a_pure_lower_directory(
    union: Bench,
) -> None:
    union.mount({"/d/w": WHITEOUT, "/w": WHITEOUT})

    assert union.do("listdir", "/") == ["d"]
    assert union.do("listdir", "/d") == ["w"]
    with refused(errno.ENOENT):
        union.do("lstat", "/d/w")
    union.do("rmdir", "/d")


def test_row_06_names_of_oci_whiteouts_mean_nothing_to_the_kernel(union: Bench) -> None:
    union.mount({"/f": "data"}, {"/.wh.f": "", "/.wh..wh..opq": ""})

    assert union.do("listdir", "/") == [".wh..wh..opq", ".wh.f", "f"]


def test_row_08_a_directory_made_over_a_whiteout_is_opaque(union: Bench) -> None:
    union.mount({"/d/x": "data"})
    union.do("unlink", "/d/x")
    union.do("rmdir", "/d")
    assert union.upper() == {"/d": "wh"}

    union.do("mkdir", "/d", 0o755)

    assert union.marks("/d")[OPAQUE] == b"y"
    assert union.do("listdir", "/d") == []


@pytest.mark.parametrize(
    ("options", "marked"),
    [
        ({}, False),
        ({"redirect_dir": "on"}, True),
        ({"index": "on"}, True),
        ({"metacopy": "on", "redirect_dir": "on"}, True),
        ({"xino": "on"}, True),
    ],
)
def test_row_09_a_new_directory_in_a_merged_parent_is_opaque_with_any_of_four_options(
    union: Bench, options: dict[str, str], marked: bool
) -> None:
    union.mount({"/f": "data"}, options=options)

    union.do("mkdir", "/new", 0o755)

    assert (OPAQUE in union.marks("/new")) is marked


def test_row_10_an_opaque_mark_on_the_root_of_a_lower_is_ignored(union: Bench) -> None:
    union.mount({"/f": "data"}, {"/": directory(marks={OPAQUE: b"y"}), "/g": "data"})

    assert union.do("listdir", "/") == ["f", "g"]


@pytest.mark.parametrize("middle", [file("cut"), WHITEOUT])
def test_row_11_what_is_no_directory_cuts_the_merge_below_it(union: Bench, middle: object) -> None:
    union.mount({"/d/0": "data"}, {"/d": middle}, {"/d/2": "data"})

    assert union.do("listdir", "/d") == ["2"]


def test_row_12_a_merged_directory_has_the_attributes_of_the_topmost(union: Bench) -> None:
    union.mount(
        {"/d": directory(mode=0o700, uid=5), "/d/a": ""}, {"/d": directory(mode=0o711, uid=7), "/d/b": ""}
    )

    record = union.do("lstat", "/d")

    assert (record.mode & 0o7777, record.uid) == (0o711, 7)
    assert union.do("listdir", "/d") == ["a", "b"]


@pytest.mark.parametrize(
    "call",
    [
        ("open", 0, "/f", os.O_WRONLY, 0),
        ("open", 0, "/f", os.O_RDWR, 0),
        ("open", 0, "/f", os.O_RDONLY | os.O_TRUNC, 0),
        ("chmod", "/f", 0o644),
        ("chown", "/f", -1, -1, True),
        ("utime", "/f", OLD, OLD, True),
        ("setxattr", "/f", "user.a", b"v", 0, True),
        ("link", "/f", "/g", False),
        ("truncate", "/f", 4),
    ],
    ids=lambda call: call[0],
)
def test_row_13_whatever_could_change_a_file_copies_it_up(union: Bench, call: tuple[object, ...]) -> None:
    union.mount({"/f": "data"})

    union.do(*call)

    assert union.upper()["/f"] == "f"


def test_row_14_reading_and_failing_copy_nothing_up(union: Bench) -> None:
    union.mount({"/f": file(mode=0o600), "/s": symlink("f")})

    union.do("open", 0, "/f", os.O_RDONLY, 0)
    union.do("fsync", 0)
    union.do("access", "/f", os.W_OK)
    union.do("readlink", "/s")
    with refused(errno.ENODATA):
        union.do("removexattr", "/f", "user.absent", True)
    with refused(errno.EACCES):
        union.do("open", 1, "/f", os.O_RDWR, 0, caller=1)
    with refused(errno.EPERM):
        union.do("chmod", "/f", 0o777, caller=1)

    assert union.upper() == {}


def test_row_15_parents_are_copied_up_first_and_keep_their_times(union: Bench) -> None:
    union.mount({"/p/q/r/f": "data"})

    union.do("chmod", "/p/q/r/f", 0o600)

    assert union.upper() == {"/p": "d", "/p/q": "d", "/p/q/r": "d", "/p/q/r/f": "f"}
    assert [union.do("lstat", path).mtime for path in ("/p", "/p/q", "/p/q/r")] == [OLD] * 3


def test_row_16_a_copied_up_file_keeps_owner_mode_time_and_xattrs(union: Bench) -> None:
    union.mount({"/f": file(mode=0o4755, uid=1000, gid=5, k=b"v")})

    union.do("utime", "/f", OLD, OLD + 1, True)

    record = union.raw("/f")
    assert (record.mode & 0o7777, record.uid, record.gid, record.mtime) == (0o4755, 1000, 5, OLD + 1)
    assert union.marks("/f")["user.k"] == b"v"


def test_row_17_a_symlink_or_fifo_is_linked_by_copying_it_up_whole(union: Bench) -> None:
    union.mount({"/s": symlink("f"), "/p": fifo()})

    union.do("link", "/s", "/s2", False)
    union.do("link", "/p", "/p2", False)

    assert union.upper() == {"/p": "p", "/p2": "p", "/s": "l", "/s2": "l"}


def test_row_18_without_index_writing_breaks_a_hard_link(union: Bench) -> None:
    union.mount({"/f": "data", "/h": hardlink("/f")})
    before = union.do("lstat", "/f")

    union.do("write_file", "/f", b"new", 0o644)

    after = union.do("lstat", "/f")
    assert (before.nlink, after.nlink, union.do("lstat", "/h").nlink) == (2, 1, 2)
    assert union.do("read_file", "/h") == b"data"
    assert before.identity != after.identity


def test_row_19_with_index_a_hard_link_is_kept(union: Bench) -> None:
    union.mount({"/f": "data", "/h": hardlink("/f")}, options={"index": "on"})
    before = union.do("lstat", "/f")

    union.do("write_file", "/f", b"new", 0o644)

    after = union.do("lstat", "/f")
    assert (after.nlink, union.do("lstat", "/h").nlink) == (2, 2)
    assert union.do("read_file", "/h") == b"new"
    assert before.identity == after.identity
    assert union.raw("/f").nlink == 2, "the second link is the entry of the index"


def test_row_20_inode_and_device_number_stay_over_copy_up_and_are_the_lowers(union: Bench) -> None:
    union.mount({"/f": "data"})
    before = union.do("lstat", "/f")

    union.do("chmod", "/f", 0o600)

    after = union.do("lstat", "/f")
    assert (before.identity, before.device) == (after.identity, after.device)


@pytest.mark.parametrize(("options", "devices"), [({}, 3), ({"xino": "on"}, 1)])
def test_row_21_on_several_file_systems_files_show_a_device_per_layer_unless_xino(
    union: Bench, options: dict[str, str], devices: int
) -> None:
    union.mount({"/0": ""}, {"/1": ""}, layout=Layout.SEVERAL, options=options)

    assert len({union.do("lstat", path).device for path in ("/", "/0", "/1")}) == devices


def test_row_22_a_merged_directory_has_one_link_a_pure_one_its_own_count(union: Bench) -> None:
    union.mount({"/p/q": directory()})
    assert union.do("lstat", "/").nlink == 1
    assert union.do("lstat", "/p").nlink == 3

    union.do("mkdir", "/p/new", 0o755)

    assert union.do("lstat", "/p").nlink == 1
    assert union.do("lstat", "/p/new").nlink == 2


def test_row_46_an_upper_becomes_the_top_lower_of_the_next_mount(union: Bench) -> None:
    union.mount({"/f": "data", "/g": "data"})
    union.do("unlink", "/f")

    union.again(Turn.STACK)

    assert union.do("listdir", "/") == ["g"]
    assert union.upper() == {}
