"""A real directory as a ``Filesystem``: safely through directory descriptors (``hostwalk``).

Fifos, sockets and devices are never opened: they could block for ever, or have no end.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import AnyStr, Final

from unionfs_sim.filesystem import Attributes, Stat
from unionfs_sim.host.walk import DIRECTORY, NOFOLLOW, PLACE, HostWalk, flag
from unionfs_sim.vfs import flags as asked

_SAFELY: Final = NOFOLLOW | flag("O_CLOEXEC") | flag("O_NONBLOCK") | flag("O_NOCTTY")
_OF_THE_MACHINE: Final = (1 << 32) - 1
"""The bits of flags that a system call takes; above are those that this machine lacks."""


class HostFile:
    """An open file of a real directory (``unionfs_sim.filesystem.OpenFile``); closed with its last use."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes from the position on (-1: all); b"" at the end."""
        if size >= 0:
            return os.read(self._descriptor, size)
        pieces = []
        while piece := os.read(self._descriptor, 1 << 20):
            pieces.append(piece)
        return b"".join(pieces)

    def write(self, data: bytes, /) -> int:
        """The number of bytes written: all of them."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """The new position, in bytes."""
        return os.lseek(self._descriptor, offset, whence)

    def truncate(self, size: int, /) -> None:
        """Cut or extend (with a hole) to ``size`` bytes."""
        os.ftruncate(self._descriptor, size)

    def stat(self) -> Stat:
        """What fstat(2) tells."""
        return stat_of(os.fstat(self._descriptor))

    def close(self) -> None:
        """Release it; a second close does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> HostFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class HostDirectory:
    """The tree below a real directory. Implements ``unionfs_sim.filesystem.Filesystem``.

    Paths are relative to the directory, or absolute within it. What the machine's umask and permissions
    do to the calling process, they do here.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._walk = HostWalk(self.path)
        self._at = self._walk.at

    def __enter__(self) -> HostDirectory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all descriptors; a second close does nothing."""
        self._walk.close()

    def lstat(self, path: str | bytes, /) -> Stat:
        """The attributes of the name itself."""
        with self._at(path) as (directory, name):
            return stat_of(os.stat(name, dir_fd=directory, follow_symlinks=False))

    def listdir(self, path: AnyStr, /) -> list[AnyStr]:
        """The names in a directory, without ``.`` and ``..``; order is not promised."""
        with self._at(path, follow=True) as (directory, name):
            descriptor = os.open(name, os.O_RDONLY | DIRECTORY, dir_fd=directory)
            try:
                names = os.listdir(descriptor)
            finally:
                os.close(descriptor)
        return [os.fsencode(name) for name in names] if isinstance(path, bytes) else names

    def readlink(self, path: AnyStr, /) -> AnyStr:
        """The target of a symlink, as stored."""
        with self._at(path) as (directory, name):
            target = os.readlink(name, dir_fd=directory)
        return os.fsencode(target) if isinstance(path, bytes) else target

    def xattrs(self, path: str | bytes, /) -> dict[str, bytes]:
        """All extended attributes that the process may read; none where there are no such things."""
        if sys.platform != "linux" or not hasattr(os, "listxattr"):
            return {}
        with self._at(path) as (directory, name):
            os.stat(name, dir_fd=directory, follow_symlinks=False)
            place = f"/proc/self/fd/{directory}/{name}"
            try:
                names = os.listxattr(place, follow_symlinks=False)
                return {each: os.getxattr(place, each, follow_symlinks=False) for each in names}
            except OSError as error:
                if error.errno in (errno.ENOTSUP, errno.ENODATA):
                    return {}
                raise

    def open(self, path: str | bytes, flags: int = 0, mode: int = 0o666, /) -> HostFile:
        """An open file; ENXIO for a fifo, socket or device, which could block for ever or have no end."""
        follow = not flags & asked.NOFOLLOW and not (flags & os.O_CREAT and flags & os.O_EXCL)
        with self._at(path, follow=follow) as (directory, name):
            _refuse_special(directory, name)
            file = HostFile(os.open(name, flags & _OF_THE_MACHINE | _SAFELY, mode, dir_fd=directory))
            if stat.S_IFMT(os.fstat(file.fileno()).st_mode) not in (stat.S_IFREG, stat.S_IFDIR):
                raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
            return file

    def mkdir(self, path: str | bytes, mode: int = 0o777, /) -> None:
        """Make a directory."""
        with self._at(_without_slash(path)) as (directory, name):
            os.mkdir(_new(name), mode, dir_fd=directory)

    def mknod(self, path: str | bytes, mode: int = 0o600, rdev: int = 0, /) -> None:
        """Make a regular file, fifo, socket or device; the S_IFMT bits of ``mode`` say which."""
        with self._at(path) as (directory, name):
            os.mknod(_new(name), mode, rdev, dir_fd=directory)

    def symlink(self, target: str | bytes, path: str | bytes, /) -> None:
        """Make a symlink at ``path``."""
        with self._at(path) as (directory, name):
            os.symlink(os.fsdecode(target), _new(name), dir_fd=directory)

    def link(self, source: str | bytes, path: str | bytes, /) -> None:
        """Give the file at ``source`` a second name."""
        with self._at(source) as (old_directory, old), self._at(path) as (directory, name):
            os.link(old, _new(name), src_dir_fd=old_directory, dst_dir_fd=directory, follow_symlinks=False)

    def remove(self, path: str | bytes, /) -> None:
        """Take a name away: unlink(2), or rmdir(2) if it is a directory."""
        with self._at(_without_slash(path)) as (directory, name):
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode):
                os.unlink(name, dir_fd=directory)
                return
            os.rmdir(name, dir_fd=directory)
        self._walk.forget(found)

    def setattr(self, path: str | bytes, change: Attributes, /) -> None:
        """Change owner, then mode, xattrs and times, of the name itself (as root would restore them)."""
        with self._at(path) as (directory, name):
            if change.uid is not None or change.gid is not None:
                uid = -1 if change.uid is None else change.uid
                gid = -1 if change.gid is None else change.gid
                os.chown(name, uid, gid, dir_fd=directory, follow_symlinks=False)
            if change.mode is not None:
                _chmod(directory, name, change.mode)
            if change.xattrs:
                _change_xattrs(f"/proc/self/fd/{directory}/{name}", change)
            if change.atime_ns is not None or change.mtime_ns is not None:
                now = os.stat(name, dir_fd=directory, follow_symlinks=False)
                atime = now.st_atime_ns if change.atime_ns is None else change.atime_ns
                mtime = now.st_mtime_ns if change.mtime_ns is None else change.mtime_ns
                os.utime(name, ns=(atime, mtime), dir_fd=directory, follow_symlinks=False)


def stat_of(found: os.stat_result) -> Stat:
    """The machine's answer as this package has it."""
    return Stat(
        found.st_mode,
        found.st_ino,
        found.st_dev,
        found.st_nlink,
        found.st_uid,
        found.st_gid,
        found.st_size,
        found.st_atime_ns,
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_rdev,
        found.st_blocks,
    )


def _without_slash(path: str | bytes) -> str | bytes:
    """mkdir(2) and rmdir(2) take ``name/``; the walk would look for what is at the end of a symlink."""
    return os.fsdecode(path).rstrip("/") or "/"


def _new(name: str) -> str:
    """A name to be made; the directory itself (the end of ``/`` and ``..``) exists."""
    if name == ".":
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
    return name


def _refuse_special(directory: int, name: str) -> None:
    try:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_IFMT(found.st_mode) in (stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK):
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))


def _chmod(directory: int, name: str, mode: int) -> None:
    """chmod(2) of the name itself; a symlink has no mode of its own on Linux."""
    if os.chmod in os.supports_follow_symlinks:
        os.chmod(name, mode, dir_fd=directory, follow_symlinks=False)
        return
    descriptor = os.open(name, PLACE | NOFOLLOW | flag("O_CLOEXEC"), dir_fd=directory)
    try:
        if not stat.S_ISLNK(os.fstat(descriptor).st_mode):
            # Through the descriptor, so that nobody can put a symlink there meanwhile.
            os.chmod(f"/proc/self/fd/{descriptor}", mode)
    finally:
        os.close(descriptor)


def _change_xattrs(place: str, change: Attributes) -> None:
    for name, value in (change.xattrs or {}).items():
        if value is not None:
            os.setxattr(place, name, value, follow_symlinks=False)
            continue
        try:
            os.removexattr(place, name, follow_symlinks=False)
        except OSError as error:
            if error.errno != errno.ENODATA:
                raise
