"""The capabilities of a program file go when it changes hands or bytes, and hold only what Linux takes.

Every row was seen on Linux 6.18 (tmpfs); the random calls of ``tests/real/kernel`` ask it again.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable

import pytest

from unionfs_sim import Caller, Dir, File, Layer, Symlink, layer, mount
from unionfs_sim.vfs.posix import Posix

NAME = "security.capability"
V2 = struct.pack("<5I", 0x02000001, 1, 0, 0, 0)


def v3(root: int, flags: int = 1) -> bytes:
    return struct.pack("<6I", 0x03000000 | flags, 1, 0, 0, 0, root)


VALUES = {
    "revision 2": (V2, 0, V2),
    "revision 2, not effective": (struct.pack("<5I", 0x02000000, 1, 0, 0, 0), 0, None),
    "revision 3 for root": (v3(0), 0, V2),
    "revision 3 for another root": (v3(1000), 0, v3(1000)),
    "revision 3 for nobody": (v3(0xFFFFFFFF), errno.EINVAL, None),
    "a flag that nobody knows": (struct.pack("<5I", 0x02000003, 1, 0, 0, 0), errno.EINVAL, None),
    "revision 1": (struct.pack("<3I", 0x01000001, 1, 0), errno.EINVAL, None),
    "too long for revision 2": (V2 + b"more", errno.EINVAL, None),
    "too short for revision 3": (v3(0)[:20], errno.EINVAL, None),
    "no capability": (b"x" * 20, errno.EINVAL, None),
}
CHANGES: dict[str, tuple[Callable[[Posix], object], bool]] = {
    "write": (lambda fs: fs.open("/f", os.O_WRONLY).write(b"x"), True),
    "write of nothing": (lambda fs: fs.open("/f", os.O_WRONLY).write(b""), False),
    "truncate to the same size": (lambda fs: fs.truncate("/f", 5), True),
    "ftruncate": (lambda fs: fs.open("/f", os.O_RDWR).truncate(3), True),
    "O_TRUNC": (lambda fs: fs.open("/f", os.O_RDONLY | os.O_TRUNC), True),
    "chown": (lambda fs: fs.chown("/f", 5, 5), True),
    "chown to nobody else": (lambda fs: fs.chown("/f", -1, -1), True),
    "chmod": (lambda fs: fs.chmod("/f", 0o600), False),
    "utime": (lambda fs: fs.utime("/f", (1, 1)), False),
    "open for writing": (lambda fs: fs.open("/f", os.O_RDWR), False),
    "rename": (lambda fs: (fs.rename("/f", "/g"), fs.rename("/g", "/f")), False),
    "another attribute": (lambda fs: fs.setxattr("/f", "user.a", b""), False),
}


def tree() -> Layer:
    return layer({"/f": File("hello", xattrs={NAME: V2}), "/d": Dir(), "/s": Symlink("f")})


def union() -> Posix:
    return mount([tree()], Layer())


@pytest.mark.parametrize("make", [tree, union])
@pytest.mark.parametrize("change", CHANGES)
def test_what_takes_the_capabilities_away(make, change):
    fs = make()
    act, goes = CHANGES[change]

    act(fs)

    assert (NAME in fs.listxattr("/f")) != goes


@pytest.mark.parametrize("make", [tree, union])
@pytest.mark.parametrize("value", VALUES)
def test_what_capabilities_can_be(make, value):
    fs = make()
    given, code, shown = VALUES[value]

    if code:
        with pytest.raises(OSError) as refusal:
            fs.setxattr("/f", NAME, given)
        assert refusal.value.errno == code
        assert fs.getxattr("/f", NAME) == V2
    else:
        fs.setxattr("/f", NAME, given)
        assert fs.getxattr("/f", NAME) == (given if shown is None else shown)


def test_a_directory_that_changes_hands_keeps_them_and_a_symlink_does_not():
    fs = union()
    for path in ("/d", "/s"):
        fs.setxattr(path, NAME, V2, follow_symlinks=False)
        fs.chown(path, 5, 5, follow_symlinks=False)

    assert fs.listxattr("/d") == [NAME]
    assert fs.listxattr("/s", follow_symlinks=False) == []


def test_nobody_but_root_gives_capabilities():
    fs = union()
    fs.chown("/f", 1000, 1000)

    with pytest.raises(PermissionError):
        fs.acting_as(Caller(1000, 1000)).setxattr("/f", NAME, V2)


def test_more_than_64_kib_of_names_cannot_be_listed():
    fs = union()
    for number in range(300):
        fs.setxattr("/f", f"user.{number:04}" + "n" * 240, b"")

    with pytest.raises(OSError) as refusal:
        fs.listxattr("/f")

    assert refusal.value.errno == errno.E2BIG
