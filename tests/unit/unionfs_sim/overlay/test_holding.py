"""What was frozen, and what was unmounted, is written by nobody any more."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

import pytest

from unionfs_sim import Layer, Profile, Union, layer, mount
from unionfs_sim.vfs.openfile import File

CHANGES: dict[str, Callable[[Union], object]] = {
    "create": lambda fs: fs.write_bytes("/new", b""),
    "write": lambda fs: fs.write_bytes("/f", b"changed"),
    "open for writing": lambda fs: fs.open("/low", os.O_WRONLY),
    "mkdir": lambda fs: fs.mkdir("/d"),
    "unlink": lambda fs: fs.unlink("/low"),
    "chmod": lambda fs: fs.chmod("/low", 0o600),
    "rename": lambda fs: fs.rename("/f", "/g"),
    "link": lambda fs: fs.link("/f", "/g"),
    "setxattr": lambda fs: fs.setxattr("/f", "user.a", b""),
    "truncate": lambda fs: fs.truncate("/f", 0),
    "undo": lambda fs: fs.undo(),
    "redo": lambda fs: fs.redo(),
}
HANDLE_CHANGES: dict[str, Callable[[Union, File], object]] = {
    "write": lambda _, file: file.write(b"late"),
    "pwrite": lambda _, file: file.pwrite(b"late", 0),
    "ftruncate": lambda _, file: file.truncate(0),
    "fchmod": lambda fs, file: fs.chmod(file, 0o600),
}
ENDINGS: dict[str, Callable[[Union], object]] = {
    "frozen": lambda fs: fs.upper.freeze(),
    "unmounted": lambda fs: fs.unmount(),
}


def union(profile: Profile = Profile.KERNEL) -> Union:
    made = mount([layer({"/low": "1"})], layer({"/f": "kept"}), history=5, profile=profile)
    made.write_bytes("/before", b"1")
    return made


@pytest.mark.parametrize("profile", [Profile.KERNEL, Profile.FUSE_OVERLAYFS])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("change", CHANGES)
def test_after_the_end_every_change_is_erofs_and_leaves_the_upper_as_it_was(profile, ending, change):
    fs = union(profile)
    ENDINGS[ending](fs)
    before = fs.upper.copy()

    with pytest.raises(OSError) as refusal:
        CHANGES[change](fs)

    assert refusal.value.errno == errno.EROFS
    assert fs.upper == before
    assert fs.read_bytes("/f") == b"kept"


@pytest.mark.parametrize("change", HANDLE_CHANGES)
def test_a_handle_that_was_opened_before_a_freeze_writes_no_more(change):
    fs = union()
    file = fs.open("/f", os.O_RDWR)
    fs.upper.freeze()

    with pytest.raises(OSError) as refusal:
        HANDLE_CHANGES[change](fs, file)

    assert refusal.value.errno == errno.EROFS
    assert fs.upper.read_bytes("/f") == b"kept"


def test_a_frozen_upper_is_listed_the_same_by_a_union_on_top_of_it():
    fs = union()
    above = mount([fs.upper.freeze()], Layer())
    names = above.listdir("/")

    with pytest.raises(OSError):
        fs.write_bytes("/late", b"")

    assert above.listdir("/") == names


def test_a_union_with_an_open_file_is_busy_and_not_once_it_is_closed():
    fs = union()
    file = fs.open("/low")

    with pytest.raises(OSError) as refusal:
        fs.unmount()
    assert refusal.value.errno == errno.EBUSY

    file.close()
    file.close()
    assert fs.unmount() is fs.upper


def test_a_file_that_nobody_holds_any_more_keeps_no_union_busy():
    fs = union()
    fs.open("/low").read()

    assert fs.unmount() is fs.upper


@pytest.mark.parametrize("profile", [Profile.KERNEL, Profile.FUSE_OVERLAYFS])
def test_a_handle_whose_copy_up_was_taken_back_copies_up_again(profile):
    fs = mount([layer({"/x": "old"})], Layer(), history=5, profile=profile)
    file = fs.open("/x", os.O_RDWR)
    fs.undo()

    file.write(b"new")

    assert fs.read_bytes("/x") == b"new"
    assert fs.upper.read_bytes("/x") == b"new"
