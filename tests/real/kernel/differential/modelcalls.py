"""The calls themselves, on the model: each method makes one and returns what is compared."""

from __future__ import annotations

import os
import stat
from typing import Any

from .machine import Slots
from .operation import CALLERS
from .records import Classes, Record, content


class ModelCalls:
    """The verbs by name (``do_`` + verb), on the tree as the caller of the call sees it."""

    classes: Classes
    _slots: Slots
    _fs: Any
    _views: list[Any]

    def do_stat(self, path: str) -> Record:
        return self.classes.record(self._fs.stat(path))

    def do_lstat(self, path: str) -> Record:
        return self.classes.record(self._fs.lstat(path))

    def do_access(self, path: str, mode: int) -> bool:
        allowed: bool = self._fs.access(path, mode)
        return allowed

    def do_readlink(self, path: str) -> str:
        target: str = self._fs.readlink(path)
        return target

    def do_listdir(self, path: str) -> list[str]:
        return sorted(self._fs.listdir(path))

    def do_mkdir(self, path: str, mode: int) -> None:
        self._fs.mkdir(path, mode)

    def do_rmdir(self, path: str) -> None:
        self._fs.rmdir(path)

    def do_unlink(self, path: str) -> None:
        self._fs.unlink(path)

    def do_rename(self, source: str, target: str) -> None:
        self._fs.rename(source, target)

    def do_renameat2(self, source: str, target: str, flags: int) -> None:
        self._fs.renameat2(source, target, flags)

    def do_link(self, source: str, target: str, follow: bool) -> None:
        self._fs.link(source, target, follow_symlinks=follow)

    def do_symlink(self, target: str, path: str) -> None:
        self._fs.symlink(target, path)

    def do_mknod(self, path: str, mode: int, rdev: int) -> None:
        self._fs.mknod(path, mode, rdev)

    def do_chmod(self, path: str, mode: int) -> None:
        self._fs.chmod(path, mode)

    def do_chown(self, path: str, uid: int, gid: int, follow: bool) -> None:
        self._fs.chown(path, uid, gid, follow_symlinks=follow)

    def do_utime(self, path: str, atime_ns: int, mtime_ns: int, follow: bool) -> None:
        self._fs.utime(path, ns=(atime_ns, mtime_ns), follow_symlinks=follow)

    def do_utime_now(self, path: str) -> None:
        self._fs.utime(path)

    def do_chdir(self, path: str) -> None:
        self._views = [self._views[0].acting_as(caller, cwd=path) for caller in CALLERS]

    def do_truncate(self, path: str, size: int) -> None:
        self._fs.truncate(path, size)

    def do_getxattr(self, path: str, name: str, follow: bool) -> bytes:
        value: bytes = self._fs.getxattr(path, name, follow_symlinks=follow)
        return value

    def do_setxattr(self, path: str, name: str, value: bytes, flags: int, follow: bool) -> None:
        self._fs.setxattr(path, name, value, flags, follow_symlinks=follow)

    def do_listxattr(self, path: str, follow: bool) -> list[str]:
        return sorted(self._fs.listxattr(path, follow_symlinks=follow))

    def do_removexattr(self, path: str, name: str, follow: bool) -> None:
        self._fs.removexattr(path, name, follow_symlinks=follow)

    def do_list_while_unlinking(self, path: str, name: str) -> list[str]:
        with self._fs.open(path, os.O_RDONLY | os.O_DIRECTORY) as directory:
            directory.listdir()
            self._fs.unlink(f"{path}/{name}")
            return sorted(directory.listdir())

    def do_statvfs(self, path: str) -> int:
        longest: int = self._fs.statvfs(path).f_namemax
        return longest

    def do_open(self, slot: int, path: str, flags: int, mode: int) -> str | None:
        file = self._fs.open(path, flags | os.O_NONBLOCK, mode)
        if stat.S_ISFIFO(file.stat().st_mode) and not flags & os.O_PATH:
            file.close()
            return "fifo"
        self._slots.put(slot, file)
        return None

    def _held(self, slot: int) -> Any:
        """The open file, used by the caller of this call (a descriptor can be handed to another process)."""
        file = self._slots[slot]
        file.caller = self._fs.caller
        return file

    def do_close(self, slot: int) -> None:
        self._held(slot)
        self._slots.put(slot, None)

    def do_read(self, slot: int, size: int) -> bytes:
        content: bytes = self._held(slot).read(size)
        return content

    def do_write(self, slot: int, content: bytes) -> int:
        count: int = self._held(slot).write(content)
        return count

    def do_pread(self, slot: int, size: int, offset: int) -> bytes:
        content: bytes = self._held(slot).pread(size, offset)
        return content

    def do_pwrite(self, slot: int, content: bytes, offset: int) -> int:
        count: int = self._held(slot).pwrite(content, offset)
        return count

    def do_seek(self, slot: int, offset: int, whence: int) -> int:
        position: int = self._held(slot).seek(offset, whence)
        return position

    def do_ftruncate(self, slot: int, size: int) -> None:
        self._held(slot).truncate(size)

    def do_fstat(self, slot: int) -> Record:
        return self.classes.record(self._held(slot).stat())

    def do_fsync(self, slot: int) -> None:
        self._held(slot).fsync()

    def do_fchmod(self, slot: int, mode: int) -> None:
        self._fs.chmod(self._held(slot), mode)

    def do_fchown(self, slot: int, uid: int, gid: int) -> None:
        self._fs.chown(self._held(slot), uid, gid)

    def do_futime(self, slot: int, atime_ns: int, mtime_ns: int) -> None:
        self._fs.utime(self._held(slot), ns=(atime_ns, mtime_ns))

    def do_fsetxattr(self, slot: int, name: str, value: bytes, flags: int) -> None:
        self._fs.setxattr(self._held(slot), name, value, flags)

    def do_fgetxattr(self, slot: int, name: str) -> bytes:
        value: bytes = self._fs.getxattr(self._held(slot), name)
        return value

    def do_flistdir(self, slot: int) -> list[str]:
        file = self._held(slot)
        file.seek(0)
        return sorted(file.listdir())

    def do_link_open(self, slot: int, target: str) -> None:
        self._fs.link(self._held(slot), target)

    def do_read_file(self, path: str) -> bytes:
        file = self._fs.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return content(file.read(1 << 22))
        finally:
            file.close()

    def do_write_file(self, path: str, data: bytes, mode: int) -> int:
        file = self._fs.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, mode)
        try:
            count: int = file.write(data)
            return count
        finally:
            file.close()
