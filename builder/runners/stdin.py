"""The input of a simulated command that somebody writes while it runs."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from typing import Final

_CAPACITY_BYTES: Final = 1 << 16
"""As a pipe's (pipe(7), "Pipe capacity"): who writes more waits until it is read."""

_PATIENCE_SECONDS: Final = 0.05
"""How long a reader waits before it asks again whether it is to end."""


class Stdin:
    """A pipe from the caller's thread to the simulation's. Implements ``builder.protocols.Input``."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._changed = threading.Condition()
        self._ended = False
        self._unread = False

    def reader(self, check: Callable[[], None]) -> Reader:
        """The end that the command reads; ``check`` raises what ends a command that waits for input."""
        return Reader(self, check)

    def write(self, data: bytes, /) -> None:
        """Hand over all of ``data``; waits for room. EPIPE once nobody reads any more."""
        left = memoryview(data)
        with self._changed:
            while True:
                if self._unread:
                    raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
                room = _CAPACITY_BYTES - len(self._bytes)
                self._bytes += left[:room]
                left = left[room:]
                self._changed.notify_all()
                if not left:
                    return
                self._changed.wait()

    def close(self) -> None:
        """Nobody writes any more: what is there is read, then the end."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Nobody reads any more."""
        with self._changed:
            self._unread = True
            self._changed.notify_all()

    def take(self, size: int, check: Callable[[], None]) -> bytes:
        """At least one byte, at most ``size``; waits for it, b"" at the end."""
        while True:
            check()
            with self._changed:
                if not self._bytes and not self._ended:
                    self._changed.wait(_PATIENCE_SECONDS)
                if self._bytes or self._ended:
                    piece = bytes(self._bytes[:size])
                    del self._bytes[:size]
                    self._changed.notify_all()
                    return piece


class Reader:
    """What descriptor 0 of the command reads. Implements ``builder.world.machine.descriptor.Stream``."""

    def __init__(self, pipe: Stdin, check: Callable[[], None]) -> None:
        self._pipe = pipe
        self._check = check

    def read(self, size: int = -1, /) -> bytes:
        """What is there, at least one byte; -1: all that will ever come."""
        if size >= 0:
            return self._pipe.take(size, self._check) if size else b""
        pieces = []
        while piece := self._pipe.take(_CAPACITY_BYTES, self._check):
            pieces.append(piece)
        return b"".join(pieces)

    def write(self, data: bytes, /) -> int:  # noqa: ARG002
        """Refused: EBADF, as a descriptor that is open for reading only has it."""
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def close(self) -> None:
        """Nobody reads any more."""
        self._pipe.abandon()
