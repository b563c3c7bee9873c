"""A file without a name can be linked after a link that failed (fs/namei.c, vfs_link: I_LINKABLE)."""

from __future__ import annotations

import errno

import pytest

from unionfs_sim import Dir, Layer, layer, mount
from unionfs_sim.vfs import flags as o


def test_a_file_without_a_name_is_as_linkable_after_a_link_that_failed() -> None:
    # A capability without a value cannot be copied up; so the directory takes no name.
    union = mount([layer({"/stuck": Dir(xattrs={"security.capability": b""}), "/free": Dir()})], Layer())

    with union.open("/free", o.TMPFILE | o.RDWR) as file:
        for _ in range(2):
            with pytest.raises(OSError) as failed:
                union.link(file, "/stuck/name")
            assert failed.value.errno == errno.EINVAL
        union.link(file, "/free/name")
        union.unlink("/free/name")
        with pytest.raises(FileNotFoundError):
            union.link(file, "/free/again")
