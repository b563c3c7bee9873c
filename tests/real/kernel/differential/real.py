"""The kernel's side: layers on a tmpfs in a private mount namespace, this process chrooted in the union."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from . import syscalls
from .machine import Slots, perform
from .modes import Layout, Mode, Turn
from .operation import CALLERS, Op, Outcome
from .records import Classes, Record
from .stacks import Entry, write
from .syscalls import AT_SYMLINK_FOLLOW
from .trees import HostTree, Tree


def put_file(path: str, content: bytes) -> None:
    """Make a file; runs of zero pages become holes, as the model stores them."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        for start in range(0, len(content), 4096):
            page = content[start : start + 4096]
            if page.strip(b"\0"):
                os.pwrite(descriptor, page, start)
        os.ftruncate(descriptor, len(content))
    finally:
        os.close(descriptor)


class RealMachine:
    """Drives the kernel. Enter a private mount namespace before making one; needs root."""

    def __init__(self, workspace: str) -> None:
        self.classes = Classes()
        self._workspace = workspace
        self._host = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        self._caller = 0
        self._slots = Slots(os.close)
        self._scenario = 0
        self._inside = False
        syscalls.mount("tmpfs", workspace, "tmpfs", options="mode=755")
        os.mkdir(f"{workspace}/second")
        syscalls.mount("tmpfs", f"{workspace}/second", "tmpfs", options="mode=755")

    # --- the life of a scenario

    def begin(self, mode: Mode, lowers: Sequence[Sequence[Entry]], upper: Entry) -> None:
        """See Machine.begin."""
        self.classes = Classes(together=mode.is_together)
        self._mode = mode
        self._scenario += 1
        self._turns = 0
        self._homes = [
            f"{self._workspace}/{self._scenario}",
            f"{self._workspace}/second/{self._scenario}",
        ]
        for home in self._homes:
            os.mkdir(home)
        self._mounts: list[str] = []
        self._lowers: list[str] = []
        self._upper = self._work = ""
        self._upper_root = upper
        os.umask(0)
        for number, entries in enumerate(lowers):
            odd = mode.layout is Layout.SEVERAL and number % 2 == 1
            self._lowers.append(self._layer(f"l{number}", entries, self._homes[odd]))
        os.umask(CALLERS[0].umask)

    def _layer(self, name: str, entries: Sequence[Entry], home: str) -> str:
        path = f"{home}/{name}"
        os.mkdir(path)
        write(os, path, entries, put_file)
        return path

    def mount(self, turn: Turn) -> Outcome:
        """See Machine.mount."""
        self.classes.forget_devices()
        number, self._turns = self._turns, self._turns + 1
        if self._mode.raw:
            self._target = self._lowers[-1]
            self._enter()
            return Outcome(0)
        if turn is Turn.NEST:
            self._lowers = [self._target]
        elif turn is Turn.STACK:
            self._lowers.append(self._upper)
        elif turn is Turn.OTHER:
            self._lowers.append(self._layer(f"l{number}other", [self._upper_root], self._homes[0]))
        elif turn is Turn.SELF:
            self._lowers = [self._upper]
        if turn in (Turn.FIRST, Turn.STACK, Turn.NEST) and self._mode.writable:
            self._upper = self._layer(f"u{number}", [self._upper_root], self._homes[0])
            self._work = f"{self._homes[0]}/w{number}"
            os.mkdir(self._work)
        self._target = f"{self._homes[0]}/m{number}"
        os.mkdir(self._target)
        outcome = perform(self._mount_overlay, ())
        if outcome.errno == 0:
            self._mounts.append(self._target)
            self._enter()
        return outcome

    def _mount_overlay(self) -> None:
        words = self._mode.options_of(self._turns - 1).items()
        options = [f"{key}={value}" if value else key for key, value in words]
        data, lowers = self._lowers[: self._mode.data_lowers], self._lowers[self._mode.data_lowers :]
        options.append("lowerdir=" + "::".join((":".join(reversed(lowers)), *reversed(data))))
        if self._mode.writable:
            options += [f"upperdir={self._upper}", f"workdir={self._work}"]
        syscalls.mount("overlay", self._target, "overlay", options=",".join(options))

    def _enter(self) -> None:
        os.chdir(self._target)
        os.chroot(".")
        self._inside = True

    def _leave(self) -> None:
        self._become(0)
        self._slots.clear()
        if self._inside:
            os.fchdir(self._host)
            os.chroot(".")
            self._inside = False

    def merged(self) -> Tree:
        """See Machine.merged."""
        self._inside_only()
        self._become(0)
        return HostTree()

    def unmount(self, *, keep: bool = False) -> None:
        """See Machine.unmount; ``keep`` leaves the mount for a union on top of it."""
        self.classes.forget_devices()
        self._leave()
        if self._mounts and not keep:
            syscalls.unmount(self._mounts.pop())

    def raw(self) -> Mapping[str, Tree]:
        """See Machine.raw."""
        trees: dict[str, Tree] = {} if not self._upper else {"upper": HostTree(self._upper)}
        return trees | {f"lower{number}": HostTree(path) for number, path in enumerate(self._lowers)}

    @contextmanager
    def outside(self) -> Iterator[Mapping[str, Tree]]:
        """See Machine.outside."""
        self._become(0)
        inside, self._inside = self._inside, False
        if inside:
            os.fchdir(self._host)
            os.chroot(".")
        yield self.raw()
        if inside:
            self._enter()

    def end(self) -> None:
        """See Machine.end."""
        self._leave()
        for target in reversed(self._mounts):
            syscalls.unmount(target)
        for home in self._homes:
            shutil.rmtree(home)

    def leave_workspace(self) -> None:
        """Unmount the tmpfs that all scenarios lived on."""
        self._leave()
        os.close(self._host)
        syscalls.unmount(self._workspace, flags=syscalls.MNT_DETACH)

    # --- calls

    def call(self, op: Op) -> Outcome:
        """See Machine.call."""
        self._inside_only()
        if op.caller != self._caller:
            self._become(op.caller)
        return perform(getattr(self, "do_" + op.verb), op.args)

    def _inside_only(self) -> None:
        """Never let a random call loose on the machine itself."""
        if not self._inside:
            raise RuntimeError("no union is mounted")

    def _become(self, number: int) -> None:
        """Switch credentials; the saved uid stays 0 so that the next switch may come."""
        if number == self._caller:
            return
        caller = CALLERS[number]
        if os.geteuid() != 0:
            os.setresuid(-1, 0, -1)
        os.setgroups(sorted(caller.groups))
        os.setresgid(caller.gid, caller.gid, caller.gid)
        os.umask(caller.umask)
        # access(2) asks the real uid, the rest the effective one, whose change drops root's capabilities.
        os.setresuid(caller.uid, caller.uid, 0)
        self._caller = number

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

    def do_link_open(self, slot: int, target: str) -> None:
        syscalls.link_descriptor(self._slots[slot], os.fsencode(target))

    def do_read_file(self, path: str) -> bytes:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return os.read(descriptor, 1 << 22)
        finally:
            os.close(descriptor)

    def do_write_file(self, path: str, content: bytes, mode: int) -> int:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, mode)
        try:
            return os.write(descriptor, content)
        finally:
            os.close(descriptor)
