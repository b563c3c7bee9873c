"""The functions of ``os`` that take or give a descriptor."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from unionfs_sim.fakefs.attribute_verbs import statvfs
from unionfs_sim.fakefs.scanning import told
from unionfs_sim.fakefs.session import Session
from unionfs_sim.fakefs.spelling import spelt
from unionfs_sim.vfs import flags
from unionfs_sim.vfs.openfile import as_bytes

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


def open(session: Session, path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    place = spelt("open", path)
    return session.descriptors.add(session.at(place, dir_fd).open(place, flags, mode))


def close(session: Session, fd: int) -> None:
    session.descriptors.close(fd)


def closerange(session: Session, fd_low: int, fd_high: int, /) -> None:
    for fd in [fd for fd in session.descriptors.numbers() if fd_low <= fd < fd_high]:
        session.descriptors.close(fd)


def read(session: Session, fd: int, length: int, /) -> bytes:
    if length < 0:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return session.descriptors.get(fd).read(length)


def write(session: Session, fd: int, data: object, /) -> int:
    piece = as_bytes(data)
    return session.descriptors.get(fd).write(piece)


def pread(session: Session, fd: int, length: int, offset: int, /) -> bytes:
    return session.descriptors.get(fd).pread(length, offset)


def pwrite(session: Session, fd: int, data: object, offset: int, /) -> int:
    piece = as_bytes(data)
    return session.descriptors.get(fd).pwrite(piece, offset)


def readv(session: Session, fd: int, buffers: Sequence[Buffer], /) -> int:
    return _scatter(buffers, session.descriptors.get(fd).read(sum(map(_size, buffers))))


def writev(session: Session, fd: int, buffers: Sequence[Buffer], /) -> int:
    return session.descriptors.get(fd).write(b"".join(map(bytes, buffers)))


def preadv(session: Session, fd: int, buffers: Sequence[Buffer], offset: int, flags: int = 0, /) -> int:  # noqa: ARG001
    return _scatter(buffers, session.descriptors.get(fd).pread(sum(map(_size, buffers)), offset))


def pwritev(session: Session, fd: int, buffers: Sequence[Buffer], offset: int, flags: int = 0, /) -> int:  # noqa: ARG001
    return session.descriptors.get(fd).pwrite(b"".join(map(bytes, buffers)), offset)


def lseek(session: Session, fd: int, position: int, whence: int, /) -> int:
    return session.descriptors.get(fd).seek(position, whence)


def dup(session: Session, fd: int, /) -> int:
    return session.descriptors.add(session.descriptors.get(fd))


def dup2(session: Session, fd: int, fd2: int, inheritable: bool = True) -> int:  # noqa: ARG001, FBT001, FBT002
    file = session.descriptors.get(fd)
    if fd2 not in session.descriptors:
        raise OSError(errno.EBADF, "a descriptor of the host cannot become one of the union")
    if fd != fd2:
        session.descriptors.replace(fd2, file)
    return fd2


def fstat(session: Session, fd: int) -> os.stat_result:
    return told(session.descriptors.get(fd).stat())


def fstatvfs(session: Session, fd: int, /) -> os.statvfs_result:
    return statvfs(session, fd)


def ftruncate(session: Session, fd: int, length: int, /) -> None:
    session.descriptors.get(fd).truncate(length)


def fsync(session: Session, fd: object) -> None:
    session.descriptors.get(session.descriptors.number(fd)).fsync()


def fdatasync(session: Session, fd: object) -> None:
    fsync(session, fd)


def sync(session: Session) -> None:
    """Nothing waits to be written."""


def isatty(session: Session, fd: int, /) -> bool:  # noqa: ARG001 - a union has no terminals
    return False


def get_inheritable(session: Session, fd: int, /) -> bool:
    session.descriptors.get(fd)
    return False


def set_inheritable(session: Session, fd: int, inheritable: bool, /) -> None:  # noqa: ARG001, FBT001
    session.descriptors.get(fd)


def get_blocking(session: Session, fd: int, /) -> bool:
    session.descriptors.get(fd)
    return True


def posix_fadvise(session: Session, fd: int, offset: int, length: int, advice: int, /) -> None:  # noqa: ARG001
    session.descriptors.get(fd)


def posix_fallocate(session: Session, fd: int, offset: int, length: int, /) -> None:
    session.descriptors.get(fd).allocate(offset, length)


def sendfile(session: Session, out_fd: int, in_fd: int, offset: int | None, count: int) -> int:
    source, target = session.descriptors.get(in_fd), session.descriptors.get(out_fd)
    return target.write(source.read(count) if offset is None else source.pread(count, offset))


def copy_file_range(
    session: Session,
    src: int,
    dst: int,
    count: int,
    offset_src: int | None = None,
    offset_dst: int | None = None,
) -> int:
    source, target = session.descriptors.get(src), session.descriptors.get(dst)
    if source.node is target.node:
        start = source.seek(0, flags.SEEK_CUR) if offset_src is None else offset_src
        place = target.seek(0, flags.SEEK_CUR) if offset_dst is None else offset_dst
        if start < place + count and place < start + count:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    if target.flags & flags.APPEND:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    piece = source.read(count) if offset_src is None else source.pread(count, offset_src)
    return target.write(piece) if offset_dst is None else target.pwrite(piece, offset_dst)


def _size(buffer: Buffer) -> int:
    return memoryview(buffer).nbytes


def _scatter(buffers: Sequence[Buffer], piece: bytes) -> int:
    """Fill ``buffers`` one after another; the number of bytes that there were."""
    place = 0
    for buffer in buffers:
        view = memoryview(buffer).cast("B")
        part = piece[place : place + len(view)]
        view[: len(part)] = part
        place += len(part)
    return place
