"""How far a reader walks to follow one removal: how many files it enters, and how often it changes file."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import FrameType

import pytest

import unionfs_sim
from unionfs_sim import Caller, Dir, Layer, Union, layer, mount

ROOM = unionfs_sim.__file__.removesuffix("__init__.py")


def files_called(union: Union, path: str) -> list[str]:
    """The file of every function of ours that is called while ``path`` is removed, in order."""
    called: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(ROOM):
            called.append(frame.f_code.co_filename.removeprefix(ROOM))

    sys.setprofile(note)
    try:
        union.unlink(path)
    finally:
        sys.setprofile(None)
    return called


@pytest.mark.parametrize("uid", [0, 1000])
def test_removing_a_lower_file_enters_six_files_and_changes_file_thirty_times(uid: int) -> None:
    lower = layer({"/etc": Dir(uid=uid, gid=uid), "/etc/motd": "hello", "/etc/hosts": "localhost"})
    union = mount([lower], Layer(), caller=Caller(uid, uid))

    called = files_called(union, "/etc/motd")

    assert union.listdir("/etc") == ["hosts"]
    assert len({file for file in called if file.startswith(("vfs/", "overlay/"))}) <= 6
    assert sum(before != after for before, after in pairwise(called)) <= 30
