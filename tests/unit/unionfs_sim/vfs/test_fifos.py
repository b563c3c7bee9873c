"""Positions mean nothing in a fifo: each call is refused as this machine refuses it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unionfs_sim import layer, mount

CALLS: dict[str, tuple[Callable[[int], Any], Callable[[Any], Any]]] = {
    "pread": (lambda fd: os.pread(fd, 1, 0), lambda file: file.pread(1, 0)),
    "pwrite": (lambda fd: os.pwrite(fd, b"x", 0), lambda file: file.pwrite(b"x", 0)),
    "lseek": (lambda fd: os.lseek(fd, 0, os.SEEK_SET), lambda file: file.seek(0)),
    "lseek to data": (lambda fd: os.lseek(fd, 0, os.SEEK_DATA), lambda file: file.seek(0, os.SEEK_DATA)),
    "fallocate": (lambda fd: os.posix_fallocate(fd, 0, 1), lambda file: file.allocate(0, 1)),
    "ftruncate": (lambda fd: os.ftruncate(fd, 0), lambda file: file.truncate(0)),
}


def refusal(call: Callable[[Any], Any], on: object) -> str:
    with pytest.raises(OSError) as caught:
        call(on)
    return errno.errorcode[caught.value.errno or 0]


@pytest.mark.parametrize("name", CALLS)
def test_a_fifo_of_a_union_refuses_as_a_fifo_of_the_machine(name: str, tmp_path: Path) -> None:
    on_machine, in_union = CALLS[name]
    os.mkfifo(tmp_path / "fifo")
    real = os.open(tmp_path / "fifo", os.O_RDWR | os.O_NONBLOCK)
    union = mount(lowers=[layer({})], upper=layer({}))
    union.mknod("/fifo", stat.S_IFIFO | 0o644, 0)
    simulated = union.open("/fifo", os.O_RDWR | os.O_NONBLOCK)

    try:
        assert refusal(in_union, simulated) == refusal(on_machine, real)
    finally:
        os.close(real)
        simulated.close()
