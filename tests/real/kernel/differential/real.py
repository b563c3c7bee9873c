"""The kernel's side: layers on a tmpfs in a private mount namespace, this process chrooted in the union."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from . import syscalls
from .machine import Slots, perform
from .modes import Layout, Mode, Turn
from .operation import CALLERS, Op, Outcome
from .realcalls import RealCalls
from .records import Classes
from .stacks import Entry, write
from .trees import HostTree, Node, Tree, walk


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


class RealMachine(RealCalls):
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
        self.classes = Classes(together=mode.is_together, reads=not mode.splits_inodes)
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

    def walk(self, tree: Tree) -> dict[str, Node]:
        """See Machine.walk."""
        return dict(walk(tree, self.classes))

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

    def misexplained(self, paths: Sequence[str]) -> str:
        """See Machine.misexplained: the kernel explains nothing."""
        del paths
        return ""

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
