"""A wrong argument is refused before anything changes: every verb, every kind of wrong value."""

import os
from collections.abc import Callable

import pytest

from unionfs_sim import Layer, Union, layer, mount
from unionfs_sim.vfs.posix import Posix

WRONG_BYTES = ["text", None, 7, 1.5, ["a"], object()]
VERBS: dict[str, Callable[[Posix, object], object]] = {
    "write_bytes": lambda fs, wrong: fs.write_bytes("/f", wrong),
    "write_bytes of a new file": lambda fs, wrong: fs.write_bytes("/new", wrong),
    "write": lambda fs, wrong: fs.open("/f", os.O_WRONLY).write(wrong),
    "pwrite": lambda fs, wrong: fs.open("/f", os.O_WRONLY).pwrite(wrong, 0),
    "append": lambda fs, wrong: fs.open("/f", os.O_WRONLY | os.O_APPEND).write(wrong),
    "setxattr": lambda fs, wrong: fs.setxattr("/f", "user.a", wrong),
}


def raw() -> Layer:
    return layer({"/f": "kept"})


def union() -> Union:
    return mount([layer({"/x": "1"})], layer({"/f": "kept"}))


@pytest.mark.parametrize("make", [raw, union])
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("wrong", WRONG_BYTES, ids=lambda wrong: type(wrong).__name__)
def test_what_is_no_bytes_is_refused_and_the_file_is_as_before(make, verb, wrong):
    fs = make()

    with pytest.raises(TypeError, match="a bytes-like object is required"):
        VERBS[verb](fs, wrong)

    assert fs.read_bytes("/f") == b"kept"
    assert fs.xattrs("/f") == {}
    assert not fs.exists("/new")


@pytest.mark.parametrize("data", [b"new", bytearray(b"new"), memoryview(b"new"), memoryview(b"n_e_w_")[::2]])
def test_everything_bytes_like_is_written(data):
    fs = union()

    fs.write_bytes("/f", data)

    assert fs.read_bytes("/f") == b"new"
