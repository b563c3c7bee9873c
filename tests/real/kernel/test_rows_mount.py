"""Rows of the specification about mounting, on the kernel and on the model: options, read-only, nested."""

from __future__ import annotations

import errno
import os

import pytest
from differential.bench import WHITEOUT, Bench, directory, marked_file, refused
from differential.modes import Turn


def test_row_26_a_redirect_in_a_lower_is_followed_or_refused_as_the_option_says(union: Bench) -> None:
    moved = directory(marks={"trusted.overlay.redirect": b"/d"})
    layers = {"/d/x": "data"}, {"/D": moved, "/d": WHITEOUT}

    union.mount(*layers, options={"redirect_dir": "follow"})
    assert union.do("listdir", "/D") == ["x"]
    with refused(errno.EXDEV):
        union.do("rename", "/D", "/E")

    union.mount(*layers, options={"redirect_dir": "nofollow"})
    with refused(errno.EPERM):
        union.do("listdir", "/D")


def test_row_37_without_an_upper_everything_that_writes_is_refused(union: Bench) -> None:
    union.mount({"/f": "data", "/d": directory()}, {"/g": ""}, upper=None)

    for call in (
        ("write_file", "/new", b"", 0o644),
        ("chmod", "/f", 0o600),
        ("unlink", "/f"),
        ("unlink", "/absent"),
        ("open", 0, "/f", os.O_RDWR, 0),
        ("rename", "/f", "/h"),
        ("mkdir", "/new", 0o755),
    ):
        with refused(errno.EROFS):
            union.do(*call)
    with refused(errno.EEXIST):
        union.do("mkdir", "/d", 0o755)


def test_row_37_one_lower_without_an_upper_cannot_be_mounted(union: Bench) -> None:
    with refused(errno.EINVAL):
        union.mount({"/f": "data"}, upper=None)


@pytest.mark.parametrize(
    "options",
    [
        {"metacopy": "on", "redirect_dir": "off"},
        {"nfs_export": "on", "index": "off"},
        {"userxattr": "", "redirect_dir": "on"},
        {"userxattr": "", "metacopy": "on"},
        {"userxattr": "", "redirect_dir": "follow"},
        {"fsync": "sometimes"},
        {"index": "maybe"},
        {"casefold": ""},
    ],
    ids=str,
)
def test_row_38_options_that_contradict_each_other_cannot_be_mounted(
    union: Bench, options: dict[str, str]
) -> None:
    with refused(errno.EINVAL):
        union.mount({"/f": "data"}, options=options)


def test_row_39_userxattr_keeps_the_marks_in_the_user_namespace(union: Bench) -> None:
    union.mount({"/d": directory()}, options={"userxattr": ""})
    union.do("rmdir", "/d")

    union.do("mkdir", "/d", 0o755)

    assert union.marks("/d")["user.overlay.opaque"] == b"y"


def test_row_41_a_union_over_a_union_sees_the_marks_that_were_set_through_the_first(union: Bench) -> None:
    union.mount({"/d/x": "data"}, {"/d/y": "data"})
    union.do("unlink", "/d/x")
    union.again(Turn.NEST)

    assert union.do("listdir", "/d") == ["y"]
    union.do("unlink", "/d/y")

    assert union.do("listdir", "/d") == []
    assert union.upper() == {"/d": "d", "/d/y": "wh"}


def test_row_31_a_data_only_lower_shows_no_names_but_gives_content(union: Bench) -> None:
    pointer = marked_file(
        {"trusted.overlay.metacopy": b"", "trusted.overlay.redirect": b"/blobs/1"}, bytes(4)
    )

    union.mount({"/blobs/1": "BLOB"}, {"/f": pointer}, options={"redirect_dir": "follow"}, data_lowers=1)

    assert union.do("listdir", "/") == ["f"]
    assert union.do("read_file", "/f") == b"BLOB"


def test_row_38_the_upper_cannot_be_a_lower_too(union: Bench) -> None:
    union.mount({"/f": "data"})

    with refused(errno.ELOOP):
        union.again(Turn.SELF)


def test_row_38_with_index_an_upper_belongs_to_its_lowers(union: Bench) -> None:
    union.mount({"/f": "data"}, options={"index": "on"})

    with refused(errno.ESTALE):
        union.again(Turn.OTHER)


def test_row_38_without_index_an_upper_may_be_mounted_over_other_lowers(union: Bench) -> None:
    union.mount({"/f": "data"})
    union.do("unlink", "/f")

    union.again(Turn.OTHER)

    assert union.do("listdir", "/") == []


def test_row_43_a_volatile_upper_cannot_be_mounted_again(union: Bench) -> None:
    union.mount({"/f": "data"}, options={"volatile": ""})
    union.do("open", 0, "/f", os.O_RDWR, 0)
    union.do("fsync", 0)

    with refused(errno.EINVAL):
        union.again(Turn.REMOUNT)


@pytest.mark.parametrize("options", [{"fsync": "volatile"}, {"fsync": "strict"}, {"fsync": "auto"}], ids=str)
def test_row_43_fsync_says_how_much_a_mount_syncs(union: Bench, options: dict[str, str]) -> None:
    union.mount({"/f": "data"}, options=options)

    union.do("open", 0, "/f", os.O_RDWR, 0)
    union.do("fsync", 0)
