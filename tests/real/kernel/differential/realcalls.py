"""The calls themselves, on the kernel: each method makes one and returns what is compared."""

from __future__ import annotations

import os
import stat

from . import syscalls
from .machine import Slots
from .records import Classes, Record, content
from .syscalls import AT_SYMLINK_FOLLOW


class RealCalls:
    """The verbs by name (``do_`` + verb); the process stands where the paths begin."""

    classes: Classes
    _slots: Slots

    def do_stat(self, path: str, *, follow: bool = True) -> Record:
        return self.classes.record(os.stat(path, follow_symlinks=follow))

    def do_lstat(self, path: str) -> Record:
        return self.classes.record(os.lstat(path))

    def do_access(self, path: str, mode: int) -> bool:
        return os.access(path, mode)

    def do_readlink(self, path: str) -> str:
        return os.readlink(path)

    def do_listdir(self, path: str) -> list[str]:
        return sorted(os.listdir(path))

    def do_mkdir(self, path: str, mode: int) -> None:
        os.mkdir(path, mode)

    def do_rmdir(self, path: str) -> None:
        os.rmdir(path)

    def do_unlink(self, path: str) -> None:
        os.unlink(path)

    def do_rename(self, source: str, target: str) -> None:
        os.rename(source, target)

    def do_renameat2(self, source: str, target: str, flags: int) -> None:
        syscalls.renameat2(os.fsencode(source), os.fsencode(target), flags)

    def do_link(self, source: str, target: str, follow: bool) -> None:
        # os.link calls link(2) where it could ask for following, and link(2) does not follow on Linux.
        syscalls.link(os.fsencode(source), os.fsencode(target), AT_SYMLINK_FOLLOW if follow else 0)

    def do_symlink(self, target: str, path: str) -> None:
        os.symlink(target, path)

    def do_mknod(self, path: str, mode: int, rdev: int) -> None:
        os.mknod(path, mode, rdev)

    def do_chmod(self, path: str, mode: int) -> None:
        os.chmod(path, mode)

    def do_chown(self, path: str, uid: int, gid: int, follow: bool) -> None:
        os.chown(path, uid, gid, follow_symlinks=follow)

    def do_utime(self, path: str, atime_ns: int, mtime_ns: int, follow: bool) -> None:
        os.utime(path, ns=(atime_ns, mtime_ns), follow_symlinks=follow)

    def do_utime_now(self, path: str) -> None:
        os.utime(path)

    def do_chdir(self, path: str) -> None:
        os.chdir(path)

    def do_truncate(self, path: str, size: int) -> None:
        os.truncate(path, size)

    def do_getxattr(self, path: str, name: str, follow: bool) -> bytes:
        return os.getxattr(path, name, follow_symlinks=follow)

    def do_setxattr(self, path: str, name: str, value: bytes, flags: int, follow: bool) -> None:
        os.setxattr(path, name, value, flags, follow_symlinks=follow)

    def do_listxattr(self, path: str, follow: bool) -> list[str]:
        return sorted(os.listxattr(path, follow_symlinks=follow))

    def do_removexattr(self, path: str, name: str, follow: bool) -> None:
        os.removexattr(path, name, follow_symlinks=follow)

    def do_list_while_unlinking(self, path: str, name: str) -> list[str]:
        """The names that an open listing still gives after one of them, not yet read, is unlinked."""
        with os.scandir(path) as entries:
            found = [next(entries).name]
            os.unlink(f"{path}/{name}")
            found += [entry.name for entry in entries]
        return sorted(found)

    def do_statvfs(self, path: str) -> int:
        return os.statvfs(path).f_namemax

    def do_open(self, slot: int, path: str, flags: int, mode: int) -> str | None:
        descriptor = os.open(path, flags | os.O_NONBLOCK, mode)
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode) and not flags & os.O_PATH:
            os.close(descriptor)  # a pipe with a reader is another subject
            return "fifo"
        self._slots.put(slot, descriptor)
        return None

    def do_close(self, slot: int) -> None:
        _ = self._slots[slot]
        self._slots.put(slot, None)

    def do_read(self, slot: int, size: int) -> bytes:
        return os.read(self._slots[slot], size)

    def do_write(self, slot: int, content: bytes) -> int:
        return os.write(self._slots[slot], content)

    def do_pread(self, slot: int, size: int, offset: int) -> bytes:
        return os.pread(self._slots[slot], size, offset)

    def do_pwrite(self, slot: int, content: bytes, offset: int) -> int:
        return os.pwrite(self._slots[slot], content, offset)

    def do_seek(self, slot: int, offset: int, whence: int) -> int:
        return os.lseek(self._slots[slot], offset, whence)

    def do_ftruncate(self, slot: int, size: int) -> None:
        os.ftruncate(self._slots[slot], size)

    def do_fstat(self, slot: int) -> Record:
        return self.classes.record(os.fstat(self._slots[slot]))

    def do_fsync(self, slot: int) -> None:
        os.fsync(self._slots[slot])

    def do_fchmod(self, slot: int, mode: int) -> None:
        os.chmod(self._slots[slot], mode)

    def do_fchown(self, slot: int, uid: int, gid: int) -> None:
        os.chown(self._slots[slot], uid, gid)

    def do_futime(self, slot: int, atime_ns: int, mtime_ns: int) -> None:
        os.utime(self._slots[slot], ns=(atime_ns, mtime_ns))

    def do_fsetxattr(self, slot: int, name: str, value: bytes, flags: int) -> None:
        os.setxattr(self._slots[slot], name, value, flags)

    def do_fgetxattr(self, slot: int, name: str) -> bytes:
        return os.getxattr(self._slots[slot], name)

    def do_flistdir(self, slot: int) -> list[str]:
        # From the start: the positions inside a listing are the file system's own.
        os.lseek(self._slots[slot], 0, os.SEEK_SET)
        return sorted(os.listdir(self._slots[slot]))

    def do_link_open(self, slot: int, target: str) -> None:
        syscalls.link_descriptor(self._slots[slot], os.fsencode(target))

    def do_read_file(self, path: str) -> bytes:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return content(os.read(descriptor, 1 << 22))
        finally:
            os.close(descriptor)

    def do_write_file(self, path: str, data: bytes, mode: int) -> int:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, mode)
        try:
            return os.write(descriptor, data)
        finally:
            os.close(descriptor)
