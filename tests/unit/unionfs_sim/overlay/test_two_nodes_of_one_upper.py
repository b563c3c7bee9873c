"""A file that the union knows by two nodes, as nothing in its upper ties them: found by random calls.

Each sequence and its answer are the kernel's (Linux 6.18), shortened from what the comparison found.
"""

from __future__ import annotations

import os

from unionfs_sim import Caller, Dir, File, Layer, Options, RedirectDir, Union, Xino, layer, mount

ALL = Options(redirect_dir=RedirectDir.ON, metacopy=True, index=True, xino=Xino.ON)


def nested(lower: Layer, *, before=lambda first: None) -> Union:
    """A union on a union, with every option on."""
    first = mount([lower], Layer(), options=ALL)
    before(first)
    return mount([first], Layer(), options=ALL)


def test_a_write_by_one_name_heeds_the_setgid_bit_that_was_set_by_the_other():
    union = nested(
        layer({"/a": Dir(0o777), "/c": File("p" * 60, 0o644, 1002, 5)}),
        before=lambda first: first.chown("/c", 0, 0),
    )
    union.link("/c", "/a/d")
    union.rename("/c", "/a/e")
    file = union.open("/a/e", os.O_RDWR)
    union.chmod("/a/d", 0o2644)

    file.caller = Caller(1001, 1000)
    file.write(b"write")

    assert file.stat().st_mode & 0o7777 == 0o644


def test_a_name_that_is_made_again_shows_the_permissions_of_now():
    union = nested(
        layer({"/d": Dir(0o777), "/d/c": File("x", 0o640, 1000, 100)}),
        before=lambda first: first.chmod("/d/c", 0o600),
    )
    file = union.open("/d/c", os.O_RDWR | os.O_TRUNC)
    union.chown("/d/c", 0, -1)
    union.link(file, "/d/f")
    union.lstat("/d/f")
    union.unlink("/d/f")
    union.chmod(file, 0o755)

    union.link(file, "/d/g")

    assert union.acting_as(Caller(1000, 1000)).access("/d/g", os.R_OK)
