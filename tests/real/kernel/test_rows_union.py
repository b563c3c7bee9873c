"""Rows 23 to 50 of the specification on the kernel and on the model: rename, options, open files, limits."""

from __future__ import annotations

import errno
import os

import pytest
from differential.bench import OLD, Bench, directory, file, hardlink, refused

EXCHANGE, NOREPLACE, RENAME_WHITEOUT = 2, 1, 4
REDIRECT = {"redirect_dir": "on"}
METACOPY = {"metacopy": "on", "redirect_dir": "on"}


def test_row_23_a_directory_of_a_lower_cannot_be_renamed_without_redirect(union: Bench) -> None:
    union.mount({"/d/x": "data"})
    union.do("mkdir", "/new", 0o755)

    with refused(errno.EXDEV):
        union.do("rename", "/d", "/D")
    assert union.upper() == {"/new": "d"}
    union.do("rename", "/new", "/newer")


def test_row_24_a_pure_upper_directory_may_replace_an_emptied_lower_one_and_becomes_opaque(
    union: Bench,
) -> None:
    union.mount({"/d/x": "data"})
    union.do("mkdir", "/new", 0o755)
    union.do("unlink", "/d/x")

    union.do("rename", "/new", "/d")

    assert union.marks("/d")["trusted.overlay.opaque"] == b"y"
    assert union.do("listdir", "/d") == []


def test_row_24_a_rename_that_fails_has_already_put_an_opaque_directory_in_place_of_its_emptied_target(
    union: Bench,
) -> None:
    # A redirect holds 256 bytes; the path of the directory that is moved is longer.
    union.mount({"/d/" + "n" * 255: directory(), "/e/x": "data"}, options=REDIRECT)
    union.do("unlink", "/e/x")

    with refused(errno.EXDEV):
        union.do("rename", "/d/" + "n" * 255, "/e")

    assert union.upper() == {"/d": "d", "/d/" + "n" * 255: "d", "/e": "d"}
    assert union.marks("/e")["trusted.overlay.opaque"] == b"y"


def test_row_25_redirect_names_the_origin_relative_in_one_parent_and_absolute_across_parents(
    union: Bench,
) -> None:
    union.mount({"/d/x": "data", "/p/q/y": "data", "/e": directory()}, options=REDIRECT)

    union.do("rename", "/d", "/D")
    union.do("rename", "/p/q", "/e/q")

    assert union.marks("/D")["trusted.overlay.redirect"] == b"d"
    assert union.marks("/e/q")["trusted.overlay.redirect"] == b"/p/q"
    assert union.upper()["/d"] == union.upper()["/p/q"] == "wh"
    assert union.do("listdir", "/D") == ["x"]


def test_row_27_rename_flags(union: Bench) -> None:
    union.mount({"/f": "data", "/d/x": "other"})

    with refused(errno.EEXIST):
        union.do("renameat2", "/f", "/d/x", NOREPLACE)
    with refused(errno.EINVAL):
        union.do("renameat2", "/f", "/d/x", RENAME_WHITEOUT)
    assert union.upper() == {}
    union.do("renameat2", "/f", "/d/x", EXCHANGE)

    assert union.upper() == {"/d": "d", "/d/x": "f", "/f": "f"}
    assert union.do("read_file", "/f") == b"other"


def test_row_28_a_file_renamed_over_a_lower_one_leaves_a_whiteout_at_its_source(union: Bench) -> None:
    union.mount({"/f": "data", "/d/x": "other"})

    union.do("rename", "/f", "/d/x")

    assert union.upper() == {"/d": "d", "/d/x": "f", "/f": "wh"}


def test_row_29_rmdir_refuses_visible_children_and_ignores_whiteouts(union: Bench) -> None:
    union.mount({"/d/x": "data"})

    with refused(errno.ENOTEMPTY):
        union.do("rmdir", "/d")
    union.do("unlink", "/d/x")
    union.do("rmdir", "/d")

    assert union.upper() == {"/d": "wh"}


def test_row_30_metacopy_copies_attributes_first_and_data_at_open_for_writing(union: Bench) -> None:
    union.mount({"/d/x": "data"}, options=METACOPY)

    union.do("chmod", "/d/x", 0o600)
    assert union.marks("/d/x")["trusted.overlay.metacopy"] == b""
    assert (union.raw("/d/x").blocks, union.do("lstat", "/d/x").size) == (0, 4)
    union.do("rename", "/d/x", "/y")
    assert union.marks("/y")["trusted.overlay.redirect"] == b"/d/x"
    assert union.do("read_file", "/y") == b"data"
    union.do("open", 0, "/y", os.O_WRONLY, 0)

    assert "trusted.overlay.metacopy" not in union.marks("/y")


def test_row_33_a_descriptor_opened_for_reading_before_copy_up_reads_the_new_content(union: Bench) -> None:
    union.mount({"/f": "data"})
    union.do("open", 0, "/f", os.O_RDONLY, 0)

    union.do("write_file", "/f", b"NEWDATA", 0o644)

    assert union.do("pread", 0, 100, 0) == b"NEWDATA"
    assert union.do("fstat", 0).size == 7


def test_row_35_reading_does_not_touch_the_access_time_of_a_lower_file(union: Bench) -> None:
    union.mount({"/f": "data"})

    union.do("read_file", "/f")

    assert union.do("lstat", "/f").atime == OLD


def test_row_40_a_mark_set_through_the_union_is_escaped_and_private_marks_are_never_listed(
    union: Bench,
) -> None:
    union.mount({"/f": "data"})

    union.do("setxattr", "/f", "trusted.overlay.opaque", b"y", 0, True)

    assert union.do("listxattr", "/f", True) == ["trusted.overlay.opaque"]
    assert union.marks("/f")["trusted.overlay.overlay.opaque"] == b"y"


def test_row_42_the_caller_needs_permission_on_the_merged_file_the_mounter_on_the_layers(
    union: Bench,
) -> None:
    union.mount({"/r": file(mode=0o600), "/w": file(mode=0o666)})

    with refused(errno.EACCES):
        union.do("open", 0, "/r", os.O_RDONLY, 0, caller=1)
    union.do("open", 0, "/w", os.O_WRONLY, 0, caller=1)

    assert union.upper() == {"/w": "f"}
    assert (union.raw("/w").uid, union.raw("/w").mode & 0o7777) == (0, 0o666)


def test_row_47_names_paths_and_links_have_limits(union: Bench) -> None:
    union.mount({"/f": "data"})

    union.do("write_file", "/" + "n" * 255, b"", 0o644)
    with refused(errno.ENAMETOOLONG):
        union.do("write_file", "/" + "n" * 256, b"", 0o644)
    with refused(errno.ENAMETOOLONG):
        union.do("lstat", "/" + "./" * 2048)
    union.do("symlink", "loop", "/loop")
    with refused(errno.ELOOP):
        union.do("stat", "/loop")
    assert union.do("statvfs", "/") == 255


def test_row_49_suid_survives_copy_up_and_setgid_is_inherited_from_a_merged_directory(union: Bench) -> None:
    union.mount({"/f": file(mode=0o6755), "/d": directory(mode=0o2777, gid=5)})

    union.do("utime", "/f", OLD, OLD, True)
    union.do("mkdir", "/d/sub", 0o755, caller=1)
    union.do("write_file", "/d/x", b"", 0o644, caller=1)

    assert union.raw("/f").mode & 0o7777 == 0o6755
    assert union.do("lstat", "/d/sub").mode & 0o7777 == 0o2755
    assert union.do("lstat", "/d/sub").gid == union.do("lstat", "/d/x").gid == 5


def test_an_unlinked_file_held_open_keeps_its_content(union: Bench) -> None:
    union.mount({"/f": "data", "/h": hardlink("/f")})
    union.do("open", 0, "/f", os.O_RDWR, 0)

    union.do("unlink", "/f")
    union.do("pwrite", 0, b"X", 0)

    assert union.do("pread", 0, 10, 0) == b"Xata"
    assert union.do("fstat", 0).nlink == 0
    assert union.do("read_file", "/h") == b"data"


def test_row_36_a_listing_is_frozen_when_it_is_opened(union: Bench) -> None:
    union.mount({f"/d/{number:04}": "" for number in range(3000)}, {"/d": directory()})

    listed = union.do("list_while_unlinking", "/d", "1500")

    assert len(listed) == 3000
    assert len(union.do("listdir", "/d")) == 2999


def test_row_45_an_unnamed_file_can_be_written_and_leaves_nothing(union: Bench) -> None:
    union.mount({"/f": "data"})

    union.do("open", 0, "/", os.O_TMPFILE | os.O_RDWR, 0o600)
    union.do("write", 0, b"text")

    assert union.do("pread", 0, 9, 0) == b"text"
    assert union.do("fstat", 0).nlink == 0
    assert union.upper() == {}


@pytest.mark.parametrize("how", [("unlink", "/d/f"), ("rename", "/g", "/d/f")], ids=lambda how: how[0])
def test_a_lower_file_that_has_lost_its_last_name_gets_no_other(union: Bench, how: tuple[str, ...]) -> None:
    union.mount({"/d/f": "data", "/g": "other"})
    union.do("open", 0, "/d/f", os.O_RDONLY, 0)
    union.do(*how)

    with refused(errno.ENOENT):
        union.do("link_open", 0, "/new")


def test_a_removed_directory_that_somebody_stands_in_lists_nothing(union: Bench) -> None:
    union.mount({"/d/x": "data"})
    union.do("chdir", "/d")
    union.do("unlink", "/d/x")
    union.do("rmdir", "/d")

    assert union.do("listdir", ".") == []
