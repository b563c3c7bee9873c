"""The model's side: the same layers as ``Layer`` trees, the union mounted in memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from unionfs_sim.caller import Caller
from unionfs_sim.inode import Volume
from unionfs_sim.layer import Layer

from .machine import Slots, perform
from .modes import Layout, Mode, Turn
from .operation import CALLERS, Op, Outcome
from .records import FRESH_NS, Classes, Record
from .stacks import Entry, write
from .trees import Tree

BUILDER = Caller(0, 0, frozenset(), 0)


def put_file(fs: Any, path: str, content: bytes) -> None:
    """Make a file; runs of zero pages become holes."""
    file = fs.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        for start in range(0, len(content), 4096):
            page = content[start : start + 4096]
            if page.strip(b"\0"):
                file.pwrite(page, start)
        file.truncate(len(content))
    finally:
        file.close()


class ModelTree:
    """A tree of the model, as a walk needs it."""

    def __init__(self, fs: Any) -> None:
        self.lstat = fs.lstat
        self.listdir = fs.listdir
        self.readlink = fs.readlink
        self.xattrs = fs.xattrs
        self._fs = fs

    def content(self, path: str) -> bytes:
        file = self._fs.open(path, os.O_RDONLY | os.O_NOATIME | os.O_NOFOLLOW)
        try:
            content: bytes = file.read(1 << 22)
            return content
        finally:
            file.close()


class ModelMachine:
    """Drives the model with the same calls; see Machine."""

    def __init__(self) -> None:
        self.classes = Classes()
        self._slots = Slots(lambda file: file.close())

    def begin(self, mode: Mode, lowers: Sequence[Sequence[Entry]], upper: Entry) -> None:
        """See Machine.begin."""
        self.classes = Classes(together=mode.is_together)
        self._mode = mode
        self._time = FRESH_NS
        self._turns = 0
        self._upper_root = upper
        self._upper: Any = None
        self._union: Any = None
        self._workdir: Any = None
        self._stacked: list[Any] = []
        self._volumes = Volume(1), Volume(2 if mode.layout is Layout.SEVERAL else 1)
        self._lowers: list[Any] = [
            self._layer(entries, self._volumes[mode.layout is Layout.SEVERAL and number % 2 == 1])
            for number, entries in enumerate(lowers)
        ]

    def _clock(self) -> int:
        self._time += 1000
        return self._time

    def _layer(self, entries: Sequence[Entry], volume: Volume) -> Any:
        made = Layer(clock=self._clock, volume=volume)
        fs = made.acting_as(BUILDER)
        write(fs, "", entries, lambda path, content: put_file(fs, path, content))
        return made

    def mount(self, turn: Turn) -> Outcome:
        """See Machine.mount."""
        self.classes.forget_devices()
        self._turns += 1
        if self._mode.raw:
            self._union = self._lowers[-1]
            self._views = [self._union.acting_as(caller) for caller in CALLERS]
            return Outcome(0)
        if turn is Turn.NEST:
            self._lowers = [self._union]
        elif turn is Turn.STACK:
            self._lowers.append(self._upper)
        elif turn is Turn.OTHER:
            self._lowers.append(self._layer([self._upper_root], self._volumes[0]))
        elif turn is Turn.SELF:
            self._lowers = [self._upper]
        if turn in (Turn.FIRST, Turn.STACK, Turn.NEST) and self._mode.writable:
            self._upper = self._layer([self._upper_root], self._volumes[0])
        outcome = perform(self._mount, ())
        if outcome.errno == 0 and not outcome.crash:
            self._views = [self._union.acting_as(caller) for caller in CALLERS]
        return outcome

    def _mount(self) -> None:
        from unionfs_sim import mount

        self._union = mount(
            lowers=self._lowers[self._mode.data_lowers :],
            data_lowers=self._lowers[: self._mode.data_lowers],
            upper=self._upper,
            options=options_of(self._mode, self._turns - 1),
            clock=self._clock,
        )

    def merged(self) -> Tree:
        """See Machine.merged."""
        return ModelTree(self._views[0])

    def unmount(self, *, keep: bool = False) -> None:
        """See Machine.unmount."""
        self.classes.forget_devices()
        self._slots.clear()
        if not self._mode.raw and not keep:
            self._union.unmount()

    def raw(self) -> Mapping[str, Tree]:
        """See Machine.raw."""
        trees: dict[str, Tree] = {} if self._upper is None else {"upper": ModelTree(self._upper)}
        return trees | {f"lower{number}": ModelTree(fs) for number, fs in enumerate(self._lowers)}

    @contextmanager
    def outside(self) -> Iterator[Mapping[str, Tree]]:
        """See Machine.outside."""
        yield self.raw()

    def end(self) -> None:
        """See Machine.end."""
        self._slots.clear()

    # --- calls

    def call(self, op: Op) -> Outcome:
        """See Machine.call."""
        self._fs = self._views[op.caller]
        return perform(getattr(self, "do_" + op.verb), op.args)

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

    def do_link_open(self, slot: int, target: str) -> None:
        self._held(slot).link(target)

    def do_read_file(self, path: str) -> bytes:
        file = self._fs.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            content: bytes = file.read(1 << 22)
            return content
        finally:
            file.close()

    def do_write_file(self, path: str, content: bytes, mode: int) -> int:
        file = self._fs.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, mode)
        try:
            count: int = file.write(content)
            return count
        finally:
            file.close()


def options_of(mode: Mode, phase: int) -> Any:
    """The options of a phase as the model has them."""
    from unionfs_sim import Options

    words = [f"{key}={value}" if value else key for key, value in mode.options_of(phase).items()]
    if mode.writable:
        words += ["upperdir=upper", "workdir=work"]
    return Options.parse(",".join(words))
