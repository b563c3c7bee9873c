"""Offsets at the end of all numbers, holes without end, and room made beforehand."""

from __future__ import annotations

import errno
import os

import pytest

from unionfs_sim import Layer, Union, layer, mount
from unionfs_sim.fakefs import learner
from unionfs_sim.vfs.openfile import MAX_SIZE

LAST = MAX_SIZE


@pytest.fixture
def union() -> Union:
    return mount([layer({"/f": "hello", "/d/x": ""})], Layer(), history=20)


def refusal(call) -> int | None:
    with pytest.raises(OSError) as caught:
        call()
    return caught.value.errno


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda file: file.pwrite(b"x", LAST), errno.EINVAL),
        (lambda file: file.pread(1, LAST), errno.EINVAL),
        (lambda file: file.seek(1, os.SEEK_END) and file.seek(LAST, os.SEEK_CUR), errno.EINVAL),
        (lambda file: file.allocate(LAST, 1), errno.EFBIG),
        (lambda file: file.allocate(0, 1 << 40), errno.ENOSPC),
        (lambda file: file.allocate(-1, 1), errno.EINVAL),
        (lambda file: file.allocate(0, 0), errno.EINVAL),
        (lambda file: file.seek(5, os.SEEK_DATA), errno.ENXIO),
    ],
)
def test_what_the_kernel_says_beyond_the_last_place(union, call, code):
    assert refusal(lambda: call(union.open("/f", os.O_RDWR))) == code


def test_appending_to_the_largest_file_is_too_much(union):
    file = union.open("/f", os.O_WRONLY | os.O_APPEND)
    file.truncate(LAST)

    assert refusal(lambda: file.write(b"x")) == errno.EFBIG


def test_a_terabyte_of_hole_is_crossed_at_once_and_copied_up_as_a_hole():
    far = 1 << 40
    lower = Layer()
    with lower.open("/f", os.O_RDWR | os.O_CREAT) as file:
        file.pwrite(b"end", far)
        assert file.seek(0, os.SEEK_DATA) == far
        assert file.seek(far, os.SEEK_HOLE) == far + 3
    union = mount([lower], Layer())

    union.chmod("/f", 0o600)

    with union.upper.open("/f") as file:
        assert file.stat().st_blocks == 8
        assert file.pread(3, far) == b"end"


@pytest.mark.parametrize("size", [0, 3, 5000, 1 << 40])
@pytest.mark.parametrize("piece", [(0, b"x"), (9000, b"y" * 5000), (1 << 30, b"z")])
def test_undo_and_redo_keep_what_is_a_hole(union, size, piece):
    offset, data = piece
    with union.open("/new", os.O_RDWR | os.O_CREAT) as file:
        file.truncate(size)
        file.pwrite(b"keep", 4096)
        before = file.stat().st_size, file.stat().st_blocks, file.pread(20_000, 0)
        file.pwrite(data, offset)
        after = file.stat().st_size, file.stat().st_blocks, file.pread(20_000, 0)

        union.undo()
        assert (file.stat().st_size, file.stat().st_blocks, file.pread(20_000, 0)) == before
        union.redo()
        assert (file.stat().st_size, file.stat().st_blocks, file.pread(20_000, 0)) == after


def test_a_read_through_the_raw_upper_leaves_open_files_of_the_union_alone(union):
    file = union.open("/f", os.O_RDONLY)
    union.chmod("/d", 0o700)
    union.upper.open("/d")

    union.write_bytes("/f", b"new")

    assert file.read() == b"new"


def test_listing_a_directory_of_the_upper_moves_its_access_time_and_of_a_merged_one_does_not():
    union = mount([layer({"/d/x": ""})], Layer(), clock=lambda: 5)
    union.mkdir("/own")
    for path in ("/own", "/d"):
        union.utime(path, (1, 2))

    union.listdir("/own")
    union.listdir("/d")

    assert (union.stat("/own").st_atime_ns, union.stat("/d").st_atime_ns) == (5, 1)


def test_room_is_made_by_who_may_write_and_ranges_of_one_file_must_not_overlap(union):
    with learner(union):
        reading = os.open("/f", os.O_RDONLY)
        writing = os.open("/f", os.O_RDWR)
        with pytest.raises(OSError) as refused:
            os.posix_fallocate(reading, 0, 10)
        os.posix_fallocate(writing, 0, 9000)
        blocks = os.fstat(writing).st_blocks
        with pytest.raises(OSError) as overlap:
            os.copy_file_range(reading, writing, 10, 0, 5)
        flag = os.statvfs("/").f_flag

    assert (refused.value.errno, blocks, overlap.value.errno) == (errno.EBADF, 24, errno.EINVAL)
    assert flag & 4096
