"""The functions of ``os`` that take or give a descriptor."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import Any

from unionfs_sim.fakefs.scanning import told
from unionfs_sim.fakefs.session import Session
from unionfs_sim.fakefs.spelling import spelt


class DescriptorVerbs:
    """``os.open`` to ``os.sendfile``, on the union's own descriptors only."""

    _session: Session

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        path = spelt("open", path)
        return self._session.descriptors.add(self._session.at(path, dir_fd).open(path, flags, mode))

    def close(self, fd: int) -> None:
        self._session.descriptors.close(fd)

    def closerange(self, fd_low: int, fd_high: int, /) -> None:
        for fd in [fd for fd in self._session.descriptors.numbers() if fd_low <= fd < fd_high]:
            self._session.descriptors.close(fd)

    def read(self, fd: int, length: int, /) -> bytes:
        if length < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return self._session.descriptors.get(fd).read(length)

    def write(self, fd: int, data: Any, /) -> int:
        piece = _bytes(data)
        return self._session.descriptors.get(fd).write(piece)

    def pread(self, fd: int, length: int, offset: int, /) -> bytes:
        return self._session.descriptors.get(fd).pread(length, offset)

    def pwrite(self, fd: int, data: Any, offset: int, /) -> int:
        piece = _bytes(data)
        return self._session.descriptors.get(fd).pwrite(piece, offset)

    def readv(self, fd: int, buffers: Sequence[Any], /) -> int:
        return _scatter(buffers, self._session.descriptors.get(fd).read(sum(map(_size, buffers))))

    def writev(self, fd: int, buffers: Sequence[Any], /) -> int:
        return self._session.descriptors.get(fd).write(b"".join(map(bytes, buffers)))

    def preadv(self, fd: int, buffers: Sequence[Any], offset: int, flags: int = 0, /) -> int:  # noqa: ARG002
        return _scatter(buffers, self._session.descriptors.get(fd).pread(sum(map(_size, buffers)), offset))

    def pwritev(self, fd: int, buffers: Sequence[Any], offset: int, flags: int = 0, /) -> int:  # noqa: ARG002
        return self._session.descriptors.get(fd).pwrite(b"".join(map(bytes, buffers)), offset)

    def lseek(self, fd: int, position: int, whence: int, /) -> int:
        return self._session.descriptors.get(fd).seek(position, whence)

    def dup(self, fd: int, /) -> int:
        return self._session.descriptors.add(self._session.descriptors.get(fd))

    def dup2(self, fd: int, fd2: int, inheritable: bool = True) -> int:  # noqa: ARG002, FBT001, FBT002
        file = self._session.descriptors.get(fd)
        if fd2 not in self._session.descriptors:
            raise OSError(errno.EBADF, "a descriptor of the host cannot become one of the union")
        if fd != fd2:
            self._session.descriptors.replace(fd2, file)
        return fd2

    def fstat(self, fd: int) -> os.stat_result:
        return told(self._session.descriptors.get(fd).stat())

    def fstatvfs(self, fd: int, /) -> os.statvfs_result:
        return self.statvfs(fd)  # type: ignore[attr-defined, no-any-return]

    def ftruncate(self, fd: int, length: int, /) -> None:
        self._session.descriptors.get(fd).truncate(length)

    def fsync(self, fd: Any) -> None:
        self._session.descriptors.get(self._session.descriptors.number(fd)).fsync()

    def fdatasync(self, fd: Any) -> None:
        self.fsync(fd)

    def sync(self) -> None:
        """Nothing waits to be written."""

    def isatty(self, fd: int, /) -> bool:  # noqa: ARG002 - a union has no terminals
        return False

    def get_inheritable(self, fd: int, /) -> bool:
        self._session.descriptors.get(fd)
        return False

    def set_inheritable(self, fd: int, inheritable: bool, /) -> None:  # noqa: ARG002, FBT001
        self._session.descriptors.get(fd)

    def get_blocking(self, fd: int, /) -> bool:
        self._session.descriptors.get(fd)
        return True

    def posix_fadvise(self, fd: int, offset: int, length: int, advice: int, /) -> None:  # noqa: ARG002
        self._session.descriptors.get(fd)

    def posix_fallocate(self, fd: int, offset: int, length: int, /) -> None:
        file = self._session.descriptors.get(fd)
        if offset < 0 or length <= 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if file.stat().st_size < offset + length:
            file.truncate(offset + length)

    def sendfile(self, out_fd: int, in_fd: int, offset: int | None, count: int) -> int:
        source, target = self._session.descriptors.get(in_fd), self._session.descriptors.get(out_fd)
        return target.write(source.read(count) if offset is None else source.pread(count, offset))

    def copy_file_range(
        self, src: int, dst: int, count: int, offset_src: int | None = None, offset_dst: int | None = None
    ) -> int:
        source, target = self._session.descriptors.get(src), self._session.descriptors.get(dst)
        piece = source.read(count) if offset_src is None else source.pread(count, offset_src)
        return target.write(piece) if offset_dst is None else target.pwrite(piece, offset_dst)


def _bytes(data: Any) -> bytes:
    try:
        return memoryview(data).tobytes()
    except TypeError:
        raise TypeError(f"a bytes-like object is required, not '{type(data).__name__}'") from None


def _size(buffer: Any) -> int:
    return memoryview(buffer).nbytes


def _scatter(buffers: Sequence[Any], piece: bytes) -> int:
    """Fill ``buffers`` one after another; the number of bytes that there were."""
    place = 0
    for buffer in buffers:
        view = memoryview(buffer).cast("B")
        part = piece[place : place + len(view)]
        view[: len(part)] = part
        place += len(part)
    return place
