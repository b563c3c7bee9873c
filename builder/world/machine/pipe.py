"""Pipes: 64 KiB between two processes (pipe(7))."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from builder.world.machine.descriptor import Descriptor, opened
from builder.world.machine.scheduler import Scheduler
from builder.world.machine.stopped import StoppedError

CAPACITY: Final = 65536
_WRITES_IN_A_ROW: Final = 32
"""A process that writes little at a time lets the reader look after so many writes: it may have enough."""
_CAPACITY_WITHOUT_THREADS: Final = 64 * 1024 * 1024


class Pipe:
    """The bytes between the two ends, and which ends are still open."""

    def __init__(self, scheduler: Scheduler, account_memory: Callable[[int], None]) -> None:
        self._scheduler = scheduler
        self.account_memory = account_memory
        self._buffer = bytearray()
        self._has_reader = True
        self._has_writer = True
        self._writes = 0

    def read_line(self) -> bytes:
        """The bytes up to the next newline, with it; waits until it or the end is there."""
        pieces: list[bytes] = []
        held = 0
        while True:
            self.account_memory(held)
            if not self._buffer and self._has_writer:
                self._scheduler.block(lambda: bool(self._buffer) or not self._has_writer)
            end = self._buffer.find(b"\n") + 1
            piece = bytes(self._buffer[: end or None])
            del self._buffer[: len(piece)]
            pieces.append(piece)
            held += len(piece)
            if end or not piece:
                return b"".join(pieces)

    def _room(self) -> int:
        return CAPACITY - len(self._buffer)

    def read(self, size: int) -> bytes:
        """What is there, at most ``size`` bytes; waits for the first one; b"" once nobody can write."""
        if size == 0:
            return b""
        if not self._buffer and self._has_writer:
            self._scheduler.block(lambda: bool(self._buffer) or not self._has_writer)
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        return piece

    def write(self, data: bytes) -> int:
        """Write all of ``data``, waiting for room as long as somebody reads; else BrokenPipeError."""
        rest = memoryview(data)
        self._writes += 1
        if self._writes % _WRITES_IN_A_ROW == 0:
            self._scheduler.let_others_run()
        self._scheduler.check()
        while True:
            if not self._has_reader:
                raise BrokenPipeError(32, "Broken pipe")
            if not rest:
                return len(data)
            room = self._room()
            if not self._scheduler.has_threads:
                room = self._room_without_threads(len(rest))
            elif room <= 0:
                self._scheduler.block(lambda: self._room() > 0 or not self._has_reader)
                continue
            self._buffer += rest[:room]
            rest = rest[room:]

    def _room_without_threads(self, wanted: int) -> int:
        """Where one process runs to its end before the next begins, a pipe must hold everything."""
        if len(self._buffer) + wanted > _CAPACITY_WITHOUT_THREADS:
            raise StoppedError(
                f"a pipe holds over {_CAPACITY_WITHOUT_THREADS >> 20} MiB, and this Python has no threads",
                "write to a file instead, or run this where threads exist",
            )
        return wanted

    def close_reader(self) -> None:
        """The reading end is gone: writers get SIGPIPE."""
        self._has_reader = False
        self._buffer.clear()

    def close_writer(self) -> None:
        """The writing end is gone: readers find the end."""
        self._has_writer = False


class ReadEnd:
    """What the reading descriptor refers to."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes, or (-1) all that will ever come."""
        if size >= 0:
            return self._pipe.read(size)
        pieces: list[bytes] = []
        held = 0
        while piece := self._pipe.read(CAPACITY):
            pieces.append(piece)
            held += len(piece)
            self._pipe.account_memory(held)
        return b"".join(pieces)

    def read_line(self) -> bytes:
        """The bytes up to the next newline, with it."""
        return self._pipe.read_line()

    def write(self, data: bytes, /) -> int:  # noqa: ARG002
        """Refused: EBADF."""
        raise OSError(9, "Bad file descriptor")

    def close(self) -> None:
        """Close the reading end."""
        self._pipe.close_reader()


class WriteEnd:
    """What the writing descriptor refers to."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def read(self, size: int = -1, /) -> bytes:  # noqa: ARG002
        """Refused: EBADF."""
        raise OSError(9, "Bad file descriptor")

    def write(self, data: bytes, /) -> int:
        """Write all of ``data``."""
        return self._pipe.write(data)

    def close(self) -> None:
        """Close the writing end."""
        self._pipe.close_writer()


def pipe(
    scheduler: Scheduler, account_memory: Callable[[int], None] = lambda _size: None
) -> tuple[Descriptor, Descriptor]:
    """A new pipe: the descriptor to read from and the one to write to.

    ``account_memory`` is told how much a reader holds that wants a whole line, or everything.
    """
    channel = Pipe(scheduler, account_memory)
    return opened(ReadEnd(channel)), opened(WriteEnd(channel))
