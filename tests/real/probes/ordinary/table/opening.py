"""open(2) through ``os.open``: flags, creation, what is refused."""

from __future__ import annotations

import os

from ordinary.outcome import failure
from ordinary.probe import ANN, by


def _got(path: str, flags: int, mode: int = 0o666) -> object:
    descriptor = os.open(path, flags, mode)
    told = os.fstat(descriptor)
    os.close(descriptor)
    return oct(told.st_mode), told.st_size, told.st_uid


def open_for_reading() -> object:
    return _got("/etc/motd", os.O_RDONLY)


def open_absent() -> object:
    return _got("/absent", os.O_RDONLY)


def open_below_a_file() -> object:
    return _got("/etc/motd/x", os.O_RDONLY)


def open_with_trailing_slash() -> object:
    return _got("/etc/motd/", os.O_RDONLY)


def open_empty_path() -> object:
    return _got("", os.O_RDONLY)


def open_with_a_nul() -> object:
    return _got("/etc/mo\0td", os.O_RDONLY)


def open_a_name_of_256_bytes() -> object:
    return _got("/" + "x" * 256, os.O_RDONLY)


def open_a_path_of_5000_bytes() -> object:
    return _got("/a" * 2500, os.O_RDONLY)


def open_create_exclusive() -> object:
    return failure(os.open, "/etc/motd", os.O_CREAT | os.O_EXCL), _got("/new", os.O_CREAT | os.O_EXCL)


def open_create_excl_on_dangling_link() -> object:
    return _got("/dangling", os.O_CREAT | os.O_EXCL | os.O_WRONLY)


def open_create_through_dangling_link() -> object:
    return _got("/dangling", os.O_CREAT | os.O_WRONLY), os.listdir("/").count("nowhere")


def open_truncates() -> object:
    return _got("/etc/motd", os.O_WRONLY | os.O_TRUNC), os.stat("/etc/motd").st_size


def open_read_only_truncates_too() -> object:
    return _got("/etc/motd", os.O_RDONLY | os.O_TRUNC)


def open_directory_for_writing() -> object:
    return _got("/etc", os.O_WRONLY)


def open_directory_for_reading_and_read() -> object:
    return failure(os.read, os.open("/etc", os.O_RDONLY), 1)


def open_directory_with_create() -> object:
    return _got("/etc", os.O_RDONLY | os.O_CREAT)


def open_file_as_directory() -> object:
    return _got("/etc/motd", os.O_RDONLY | os.O_DIRECTORY)


def open_link_without_following() -> object:
    return _got("/link", os.O_RDONLY | os.O_NOFOLLOW)


def open_path_of_a_link() -> object:
    return _got("/link", os.O_PATH | os.O_NOFOLLOW)


def open_path_cannot_be_read() -> object:
    return failure(os.read, os.open("/etc/motd", os.O_PATH), 1)


def open_loop() -> object:
    return _got("/loop", os.O_RDONLY)


def open_mode_and_umask() -> object:
    os.umask(0o027)
    return _got("/new", os.O_CREAT | os.O_WRONLY, 0o6777)


def open_unnamed_file() -> object:
    descriptor = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(descriptor, b"abc")
    return os.pread(descriptor, 9, 0), os.fstat(descriptor).st_nlink, sorted(os.listdir("/tmp"))


def open_whited_out() -> object:
    return _got("/d/a", os.O_RDONLY)


def open_creates_over_whiteout() -> object:
    return _got("/d/a", os.O_CREAT | os.O_EXCL | os.O_RDWR), sorted(os.listdir("/d"))


def open_null_device() -> object:
    descriptor = os.open("/dev/null", os.O_RDWR)
    return os.write(descriptor, b"gone"), os.read(descriptor, 5)


def open_fifo_for_writing_without_a_reader() -> object:
    return _got("/pipe", os.O_WRONLY | os.O_NONBLOCK)


@by(ANN)
def open_noatime_of_anothers_file() -> object:
    return _got("/etc/motd", os.O_RDONLY | os.O_NOATIME)


def open_with_bytes() -> object:
    return _got(b"/etc/motd", os.O_RDONLY), failure(os.open, b"/absent", os.O_RDONLY)


def open_directory_that_is_a_link_with_nofollow() -> object:
    return _got("/dlink", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
