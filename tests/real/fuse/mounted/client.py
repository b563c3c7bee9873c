"""The process that stands in the FUSE mount and makes the calls; it speaks pickles on a socket."""

from __future__ import annotations

import array
import os
import pickle
import socket
import sys
import tempfile
from typing import Any

from differential import syscalls
from differential.machine import Slots, perform
from differential.operation import CALLERS, Op, Outcome
from differential.realcalls import RealCalls
from differential.trees import HostTree


class AsTheyAre:
    """In place of Classes: stat results travel to the parent, which makes them comparable."""

    def record(self, st: os.stat_result) -> os.stat_result:
        """The same."""
        return st


class Client(RealCalls):
    """Mounts, stands inside, calls."""

    classes: Any

    def __init__(self, parent: socket.socket, directory: str) -> None:
        self.classes = AsTheyAre()
        self._parent = parent
        self._directory = directory
        self._host = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        self._caller = 0
        self._inside = False
        self._slots = Slots(os.close)

    def mount(self, read_only: bool) -> None:
        """Mount, hand the descriptor to the parent, and enter once it serves."""
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
        flags = syscalls.MS_RDONLY if read_only else 0
        syscalls.mount("model", self._directory, "fuse.model", flags=flags, options=options)
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [device]))]
        self._parent.sendmsg([b"m"], ancillary)
        os.close(device)
        os.chdir(self._directory)
        os.chroot(".")
        self._inside = True

    def unmount(self) -> None:
        """Close everything and leave."""
        self._become(0)
        self._slots.clear()
        if self._inside:
            os.fchdir(self._host)
            os.chroot(".")
            self._inside = False
            syscalls.unmount(self._directory)

    def call(self, op: Op) -> Outcome:
        """The outcome, stat results as they are."""
        if not self._inside:
            raise RuntimeError("no union is mounted")
        self._become(op.caller)
        return perform(getattr(self, "do_" + op.verb), op.args)

    def look(self, name: str, path: str) -> Outcome:
        """A question of a walk, asked as root."""
        self._become(0)
        return perform(getattr(HostTree(), name), (path,))

    def _become(self, number: int) -> None:
        if number == self._caller:
            return
        caller = CALLERS[number]
        if os.geteuid() != 0:
            os.setresuid(-1, 0, -1)
        os.setgroups(sorted(caller.groups))
        os.setresgid(caller.gid, caller.gid, caller.gid)
        os.umask(caller.umask)
        os.setresuid(caller.uid, caller.uid, 0)
        self._caller = number


def main() -> None:
    """Answer the parent's questions until it closes the socket."""
    parent = socket.socket(fileno=int(sys.argv[1]))
    syscalls.enter_private_mounts()
    with tempfile.TemporaryDirectory() as directory, parent.makefile("rb") as questions:
        os.umask(CALLERS[0].umask)
        client = Client(parent, directory)
        while True:
            try:
                name, args = pickle.load(questions)
            except EOFError:
                break
            try:
                answer: Any = getattr(client, name)(*args)
            except OSError as error:
                answer = error
            if name != "mount" or isinstance(answer, OSError):
                parent.sendall(pickle.dumps(answer))
        client.unmount()
