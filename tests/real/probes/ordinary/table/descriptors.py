"""Reading and writing through descriptors."""

from __future__ import annotations

import errno
import os

from ordinary.outcome import failure


def read_and_position() -> object:
    fd = os.open("/home/ann/notes", os.O_RDONLY)
    return os.read(fd, 4), os.lseek(fd, 0, os.SEEK_CUR), os.read(fd, 100), os.read(fd, 1)


def pread_leaves_the_position() -> object:
    fd = os.open("/home/ann/notes", os.O_RDONLY)
    return os.pread(fd, 3, 4), os.lseek(fd, 0, os.SEEK_CUR)


def write_on_read_only_descriptor() -> object:
    return os.write(os.open("/etc/motd", os.O_RDONLY), b"x")


def read_on_write_only_descriptor() -> object:
    return os.read(os.open("/etc/motd", os.O_WRONLY), 1)


def read_after_close() -> object:
    fd = os.open("/etc/motd", os.O_RDONLY)
    os.close(fd)
    return failure(os.read, fd, 1), failure(os.close, fd)


def read_negative_length() -> object:
    return os.read(os.open("/etc/motd", os.O_RDONLY), -1)


def append_ignores_the_position() -> object:
    fd = os.open("/etc/motd", os.O_RDWR | os.O_APPEND)
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, b"!")
    return os.lseek(fd, 0, os.SEEK_CUR), os.pread(fd, 99, 0)


def pwrite_under_append() -> object:
    fd = os.open("/etc/motd", os.O_RDWR | os.O_APPEND)
    os.pwrite(fd, b"!", 0)
    return os.pread(fd, 99, 0)


def seek_beyond_the_end_leaves_a_hole() -> object:
    fd = os.open("/new", os.O_RDWR | os.O_CREAT)
    os.lseek(fd, 10000, os.SEEK_SET)
    os.write(fd, b"x")
    return os.fstat(fd).st_size, os.pread(fd, 3, 9998), os.fstat(fd).st_blocks


def seek_data_and_hole() -> object:
    fd = os.open("/new", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"x", 8192)
    return os.lseek(fd, 0, os.SEEK_DATA), os.lseek(fd, 8192, os.SEEK_HOLE), os.lseek(fd, 0, os.SEEK_HOLE)


def seek_data_beyond_the_end() -> object:
    return os.lseek(os.open("/etc/motd", os.O_RDONLY), 100, os.SEEK_DATA)


def seek_negative() -> object:
    return os.lseek(os.open("/etc/motd", os.O_RDONLY), -1, os.SEEK_SET)


def seek_whence_unknown() -> object:
    return os.lseek(os.open("/etc/motd", os.O_RDONLY), 0, 99)


def dup_shares_the_position() -> object:
    fd = os.open("/home/ann/notes", os.O_RDONLY)
    other = os.dup(fd)
    os.read(fd, 4)
    os.close(fd)
    return os.read(other, 3)


def dup2_replaces() -> object:
    fd, other = os.open("/etc/motd", os.O_RDONLY), os.open("/etc/hosts", os.O_RDONLY)
    return os.dup2(fd, other) == other, os.read(other, 5)


def ftruncate_shrinks_and_grows() -> object:
    fd = os.open("/etc/motd", os.O_RDWR)
    os.ftruncate(fd, 2)
    os.ftruncate(fd, 4)
    return os.pread(fd, 9, 0)


def ftruncate_read_only() -> object:
    return os.ftruncate(os.open("/etc/motd", os.O_RDONLY), 0)


def ftruncate_negative() -> object:
    return os.ftruncate(os.open("/etc/motd", os.O_RDWR), -1)


def truncate_by_path_and_descriptor() -> object:
    os.truncate("/etc/motd", 3)
    fd = os.open("/etc/hosts", os.O_RDWR)
    os.truncate(fd, 1)
    return os.stat("/etc/motd").st_size, os.stat("/etc/hosts").st_size


def truncate_a_directory() -> object:
    return os.truncate("/etc", 0)


def readv_and_writev() -> object:
    fd = os.open("/new", os.O_RDWR | os.O_CREAT)
    count = os.writev(fd, [b"ab", bytearray(b"cde")])
    os.lseek(fd, 0, os.SEEK_SET)
    buffers = [bytearray(3), bytearray(4)]
    return count, os.readv(fd, buffers), buffers


def preadv_and_pwritev() -> object:
    fd = os.open("/new", os.O_RDWR | os.O_CREAT)
    buffers = [bytearray(2), bytearray(2)]
    return os.pwritev(fd, [b"ab", b"cd"], 3), os.preadv(fd, buffers, 2), buffers


def copy_file_range_copies() -> object:
    source, target = os.open("/home/ann/notes", os.O_RDONLY), os.open("/new", os.O_RDWR | os.O_CREAT)
    return os.copy_file_range(source, target, 5), os.pread(target, 9, 0), os.lseek(source, 0, os.SEEK_CUR)


def sendfile_from_file_to_file() -> object:
    source, target = os.open("/home/ann/notes", os.O_RDONLY), os.open("/new", os.O_RDWR | os.O_CREAT)
    return os.sendfile(target, source, 4, 3), os.pread(target, 9, 0)


def posix_fallocate_extends() -> object:
    fd = os.open("/new", os.O_RDWR | os.O_CREAT)
    os.posix_fallocate(fd, 0, 5000)
    return os.fstat(fd).st_size


def fsync_works_on_files_and_directories() -> object:
    os.fsync(os.open("/etc/motd", os.O_RDONLY))
    os.fdatasync(os.open("/etc", os.O_RDONLY))
    os.sync()


def descriptor_survives_unlink() -> object:
    fd = os.open("/etc/motd", os.O_RDWR)
    os.unlink("/etc/motd")
    os.write(fd, b"J")
    return os.pread(fd, 99, 0), os.fstat(fd).st_nlink, os.path.exists("/etc/motd")


def descriptor_follows_rename() -> object:
    fd = os.open("/etc/motd", os.O_RDWR)
    os.rename("/etc/motd", "/etc/other")
    os.write(fd, b"J")
    return open("/etc/other").read()


def old_descriptor_reads_new_bytes_after_copy_up() -> object:
    fd = os.open("/etc/motd", os.O_RDONLY)
    with open("/etc/motd", "r+") as file:
        file.write("J")
    return os.read(fd, 99)


def fd_of_nothing() -> object:
    return [
        failure(verb, 987, *rest)
        for verb, *rest in ((os.fstat,), (os.read, 1), (os.write, b""), (os.lseek, 0, 0))
    ]


def fd_that_is_not_a_number() -> object:
    return failure(os.read, "x", 1), failure(os.fstat, None), failure(os.close, 1.5)


def fdopen_reads() -> object:
    with os.fdopen(os.open("/etc/motd", os.O_RDONLY)) as file:
        return file.read(), file.mode


def inheritable_is_off() -> object:
    fd = os.open("/etc/motd", os.O_RDONLY)
    return os.get_inheritable(fd), os.get_inheritable(os.dup(fd)), os.isatty(fd), os.get_blocking(fd)


def closerange_closes() -> object:
    fd = os.open("/etc/motd", os.O_RDONLY)
    os.closerange(fd, fd + 1)
    return failure(os.fstat, fd)


def write_counts_and_errno_constants() -> object:
    fd = os.open("/new", os.O_WRONLY | os.O_CREAT)
    return os.write(fd, memoryview(b"abcdef")[::2].tobytes()), os.write(fd, b""), errno.errorcode[errno.EXDEV]


def lowest_free_descriptor_is_used_again() -> object:
    first = os.open("/etc/motd", os.O_RDONLY)
    os.close(first)
    return os.open("/etc/hosts", os.O_RDONLY) == first


def device_full_takes_nothing() -> object:
    os.mknod("/full", 0o020666, os.makedev(1, 7))
    return os.write(os.open("/full", os.O_WRONLY), b"x")
