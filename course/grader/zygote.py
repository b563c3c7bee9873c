"""Warm processes that fork a child for each submission: started once, used by one grader's thread at a time.

Started programs speak as ``worker.py`` does: a line of JSON says what shall hold the children, ``fork`` with
descriptors begins one, ``end`` kills it. Who asks for a warm process gets an idle one of the same ``kind``,
and gives it back; one that does not answer as it should is ended and not given back.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Final

SECONDS: Final = 20.0
"""How long a warm process may take for what takes it milliseconds; a machine may be busy."""


class ZygoteError(Exception):
    """A warm process that cannot be started, or does not answer; the text says why."""


@dataclass(slots=True)
class Zygote:
    """A warm process. ``number``: which of those that live at the same time it is, from 0."""

    kind: str
    number: int
    process: subprocess.Popen[bytes]
    link: socket.socket
    complaints: IO[bytes]
    _heard: bytearray = field(default_factory=bytearray)

    @classmethod
    def start(cls, kind: str, number: int, argv: Sequence[str], holds: Mapping[str, object]) -> Zygote:
        """A warm process that is ready; the number of its descriptor is added to ``argv``."""
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process has ended
        ours, theirs = socket.socketpair()
        ours.settimeout(SECONDS)
        try:
            process = subprocess.Popen(
                [*argv, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                pass_fds=(theirs.fileno(),),
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            complaints.close()
            raise ZygoteError(str(error)) from None
        finally:
            theirs.close()
        made = cls(kind, number, process, ours, complaints)
        try:
            said = made.ask(holds)
        except ZygoteError:
            raise ZygoteError(made.end() or "it ended before it was ready") from None
        if said != {"ready": True}:
            made.end()
            raise ZygoteError(str(said.get("cannot", said)))
        return made

    def fork(self, order: Mapping[str, object], descriptors: Sequence[int]) -> None:
        """Begin a child; ZygoteError if there is none."""
        self.ask({"fork": order}, descriptors)

    def ask(self, message: Mapping[str, object], descriptors: Sequence[int] = ()) -> Mapping[str, object]:
        """The answer to a message; ZygoteError if none comes."""
        try:
            socket.send_fds(self.link, [json.dumps(message).encode() + b"\n"], descriptors)
            while b"\n" not in self._heard:
                piece = self.link.recv(1 << 16)
                if not piece:
                    raise ZygoteError("it ended")
                self._heard += piece
        except OSError as error:
            raise ZygoteError(str(error)) from None
        line, _, rest = bytes(self._heard).partition(b"\n")
        self._heard[:] = rest
        answer: Mapping[str, object] = json.loads(line)
        return answer

    def end(self) -> str:
        """End it, with its child; what it complained of last. Idempotent."""
        self.link.close()
        if self.process.poll() is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # it has just ended
                pass
        self.process.wait()
        if self.complaints.closed:
            return ""
        self.complaints.seek(0)
        complained = self.complaints.read(1 << 14).decode(errors="replace")
        self.complaints.close()
        return complained.strip().rpartition("\n")[2]


@dataclass(slots=True)
class Stable:
    """The warm processes that nobody uses just now, by kind."""

    idle: dict[str, list[Zygote]] = field(default_factory=dict)
    numbers: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, kind: str) -> Zygote | None:
        """An idle one that lives; the caller has it alone."""
        with self.lock:
            while waiting := self.idle.get(kind):
                zygote = waiting.pop()
                if zygote.process.poll() is None:
                    return zygote
                self._forget(zygote)
        return None

    def start(self, kind: str, argv: Sequence[str], holds: Mapping[str, object]) -> Zygote:
        """A new one, which the caller has alone; ZygoteError if it cannot be started."""
        with self.lock:
            number = next(n for n in range(len(self.numbers) + 1) if n not in self.numbers)
            self.numbers.add(number)
        try:
            return Zygote.start(kind, number, argv, holds)
        except BaseException:
            self.numbers.discard(number)
            raise

    def give_back(self, zygote: Zygote) -> None:
        """Let others use it."""
        with self.lock:
            self.idle.setdefault(zygote.kind, []).append(zygote)

    def drop(self, zygote: Zygote) -> None:
        """End one that is no use any more."""
        with self.lock:
            self._forget(zygote)

    def close(self) -> None:
        """End all that are idle."""
        with self.lock:
            for waiting in self.idle.values():
                while waiting:
                    self._forget(waiting.pop())

    def _forget(self, zygote: Zygote) -> None:
        zygote.end()
        self.numbers.discard(zygote.number)


STABLE: Final = Stable()
"""Warm processes of this process: they outlive a grading, and not their socket."""

atexit.register(STABLE.close)


def _leave_to_parent() -> None:
    """In a forked child: the warm processes are its parent's."""
    STABLE.lock = threading.Lock()
    for waiting in STABLE.idle.values():
        for zygote in waiting:
            zygote.link.close()
            zygote.process.returncode = 0
    STABLE.idle.clear()
    STABLE.numbers.clear()


if hasattr(os, "register_at_fork"):  # not where nothing forks
    os.register_at_fork(after_in_child=_leave_to_parent)
