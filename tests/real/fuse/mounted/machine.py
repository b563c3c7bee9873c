"""The model's side of the comparison, behind a FUSE mount that a thread of this process serves."""

from __future__ import annotations

import array
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from differential.model import ModelMachine
from differential.modes import Turn
from differential.operation import Op, Outcome
from differential.trees import Tree

from unionfs_sim.fuse.server import Server

CLIENT = Path(__file__).parent.parent / "client.py"


class FuseMachine(ModelMachine):
    """Drives the model through the kernel's VFS and FUSE; see Machine."""

    def __init__(self, remember_seconds: int = 0) -> None:
        super().__init__()
        self._remember_seconds = remember_seconds
        ours, theirs = socket.socketpair()
        self._socket = ours
        with theirs:
            self._client = subprocess.Popen(
                [sys.executable, str(CLIENT), str(theirs.fileno())], pass_fds=[theirs.fileno()]
            )
        self._answers = ours.makefile("rb")
        self._server: threading.Thread | None = None
        self.bugs: list[Exception] = []
        # This process stands in another root (the kernel's union) when the server asks.
        self._proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)

    def _ask(self, name: str, *args: Any) -> Any:
        self._socket.sendall(pickle.dumps((name, args)))
        answer = pickle.load(self._answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def mount(self, turn: Turn) -> Outcome:
        """See Machine.mount."""
        outcome = super().mount(turn)
        if outcome.errno == 0 and not outcome.crash:
            self._serve()
        return outcome

    def _serve(self) -> None:
        self._socket.sendall(pickle.dumps(("mount", (not self._mode.writable,))))
        _, ancillary, _, _ = self._socket.recvmsg(1, socket.CMSG_SPACE(4))
        device = array.array("i", ancillary[0][2][:4])[0]
        server = Server(
            self._union,
            remember_seconds=self._remember_seconds,
            on_bug=self.bugs.append,
            groups_of=self._groups_of,
        )

        def serve() -> None:
            try:
                server.serve(device)
            finally:
                os.close(device)

        self._server = threading.Thread(target=serve, daemon=True)
        self._server.start()

    def _groups_of(self, pid: int) -> frozenset[int]:
        with open(os.open(f"{pid}/status", os.O_RDONLY, dir_fd=self._proc)) as status:
            (line,) = [line for line in status if line.startswith("Groups:")]
        return frozenset(map(int, line.split()[1:]))

    def call(self, op: Op) -> Outcome:
        """See Machine.call."""
        self.bugs.clear()
        outcome: Outcome = self._ask("call", op)
        if self.bugs:
            return Outcome(outcome.errno, outcome.value, repr(self.bugs[0]))
        if isinstance(outcome.value, os.stat_result):
            return outcome._replace(value=self.classes.record(outcome.value))
        return outcome

    def merged(self) -> Tree:
        """See Machine.merged."""
        return FuseTree(lambda name, path: self._ask("look", name, path))

    def unmount(self, *, keep: bool = False) -> None:
        """See Machine.unmount."""
        self._stop()
        super().unmount(keep=keep)

    def _stop(self) -> None:
        self._ask("unmount")
        if self._server is not None:
            self._server.join()
            self._server = None

    def end(self) -> None:
        """See Machine.end."""
        self._stop()
        super().end()

    def stop(self) -> None:
        """End the client; its mounts go with it."""
        self._answers.close()
        self._socket.close()
        self._client.wait()
        os.close(self._proc)


class FuseTree:
    """The mounted union as root sees it through the mount."""

    def __init__(self, ask: Callable[[str, str], Outcome]) -> None:
        self._ask = ask

    def _value(self, name: str, path: str) -> Any:
        outcome = self._ask(name, path)
        if outcome.errno:
            raise OSError(outcome.errno, os.strerror(outcome.errno))
        return outcome.value

    def lstat(self, path: str) -> Any:
        return self._value("lstat", path)

    def listdir(self, path: str) -> list[str]:
        found: list[str] = self._value("listdir", path)
        return found

    def readlink(self, path: str) -> str:
        target: str = self._value("readlink", path)
        return target

    def xattrs(self, path: str) -> dict[str, bytes]:
        found: dict[str, bytes] = self._value("xattrs", path)
        return found

    def content(self, path: str) -> bytes:
        content: bytes = self._value("content", path)
        return content
