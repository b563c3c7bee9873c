"""A layer literal that no disk could hold is refused, and says which path and why."""

from __future__ import annotations

import pytest

from unionfs_sim import WHITEOUT, Device, Dir, Fifo, File, Hardlink, Symlink, layer

NO_ENTRIES = [
    ({"/a": None}, "NoneType is nothing that a layer can hold"),
    ({"/a": {"b": "c"}}, "dict is nothing that a layer can hold"),
    ({"/a": 7}, "int is nothing that a layer can hold"),
    ({"/a": File(7)}, "the content of a file is text or bytes, not int"),
    ({"/a": Symlink(None)}, "the target of a symlink is text"),
    ({"/a": Device("1:3")}, "rdev is a whole number, not str"),
    ({"/a": File("", uid="root")}, "uid is a whole number, not str"),
    ({"/a": Dir(mtime_ns=1.5)}, "mtime_ns is a whole number of nanoseconds"),
    ({7: "x"}, "a path is text, not int"),
]
NO_DISK = [
    ({"/a": "x", "/a/b": "y"}, "/a is no directory, nothing can lie in it"),
    ({"/a": WHITEOUT, "/a/b": "y"}, "/a is no directory"),
    ({"/a": "x", "/a/": Dir()}, "/a/ stands twice"),
    ({"/a": "x", "/a": Dir(), "//a": "y"}, "//a stands twice"),  # noqa: F601
    ({"/a": Dir(), "/b": Hardlink("/a")}, "a directory has one name only"),
    ({"/b": Hardlink("/a")}, "links to '/a', which does not stand before it"),
    ({"/b": Hardlink("")}, "a path is neither empty"),
    ({"/a/../b": "x"}, "without . and .."),
    ({"/./b": "x"}, "without . and .."),
    ({"/a\0b": "x"}, "nor does it hold a NUL"),
    ({"": "x"}, "a path is neither empty"),
    ({"/" + "n" * 256: "x"}, "a name has at most 255 bytes"),
    ({"/" + "ü" * 128: "x"}, "a name has at most 255 bytes"),
    ({"/" + "/".join(["n" * 200] * 21): "x"}, "a path has at most 4095 bytes"),
    ({"/a/": "x"}, "a path that ends in / is a directory"),
    ({"/": "x"}, "the root of a layer is a directory"),
    ({"/a": Symlink("")}, "the target of a symlink has 1 to 4095 bytes"),
    ({"/a": Symlink("b\0")}, "none of them NUL"),
    ({"/a": Symlink("x" * 4096)}, "1 to 4095 bytes"),
    ({"/a": Device(1, mode=0o100644)}, "a device is of type S_IFCHR or S_IFBLK"),
    ({"/a": Device(-1)}, "rdev is not below 0"),
    ({"/a": Fifo(uid=-1)}, "uid is not below 0"),
    ({"/\ud800": "x"}, "surrogates not allowed"),
]


@pytest.mark.parametrize(("entries", "sentence"), NO_ENTRIES)
def test_what_is_no_entry_is_called_so(entries, sentence):
    with pytest.raises(TypeError) as refusal:
        layer(entries)

    assert sentence in str(refusal.value)


@pytest.mark.parametrize(("entries", "sentence"), NO_DISK)
def test_what_no_disk_can_hold_is_refused_with_its_path(entries, sentence):
    with pytest.raises(ValueError) as refusal:
        layer(entries)

    assert sentence in str(refusal.value)
    assert repr(list(entries)[-1]) in str(refusal.value)


def test_a_directory_can_be_described_after_what_lies_in_it():
    made = layer({"/d/f": "x", "/d": Dir(0o700)})

    assert made.lstat("/d").st_mode & 0o777 == 0o700
    assert made.read_bytes("/d/f") == b"x"
