"""What a container has printed: the last of it, line by line, and whoever waits for more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

OUT: Final = 1
ERR: Final = 2

_KEPT_BYTES: Final = 8 << 20
_LINE_BYTES: Final = 16 << 10
"""A longer line is kept in pieces, as docker's json-file does (moby ``copier.go``)."""

_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or a piece of one that is long or not yet ended. ``stream``: OUT or ERR."""

    number: int
    stream: int
    time_ns: int
    data: bytes

    def stamped(self) -> bytes:
        """The line with its time before it (RFC 3339, nanoseconds)."""
        seconds, rest = divmod(self.time_ns, _SECOND_NS)
        day = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{day}.{rest:09}Z ".encode() + self.data


class Log:
    """The last eight mebibytes. Written and read in the loop."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque()
        self._size = 0
        self._next = 0
        self._open: dict[int, tuple[int, bytearray]] = {}
        self._grown = asyncio.Event()
        self._is_ended = False

    def add(self, stream: int, data: bytes, time_ns: int) -> None:
        """Keep what was printed; an unfinished line waits for its end."""
        began, rest = self._open.pop(stream, (time_ns, bytearray()))
        rest += data
        while True:
            end = rest.find(b"\n") + 1 or (_LINE_BYTES if len(rest) >= _LINE_BYTES else 0)
            if not end:
                break
            self._keep(stream, bytes(rest[: min(end, _LINE_BYTES)]), began)
            del rest[: min(end, _LINE_BYTES)]
            began = time_ns
        if rest:
            self._open[stream] = (began, rest)
        self._wake()

    def end(self) -> None:
        """Nothing more is printed."""
        for stream, (began, rest) in sorted(self._open.items()):
            self._keep(stream, bytes(rest), began)
        self._open.clear()
        self._is_ended = True
        self._wake()

    def begin(self) -> None:
        """Something may be printed again."""
        self._is_ended = False

    async def read(
        self, *, tail: int | None, since_ns: int, until_ns: int | None, follows: bool
    ) -> AsyncIterator[Line]:
        """The lines, from the last ``tail`` on (None: all); with ``follows`` until the container ends."""
        chosen = [each for each in self._lines if since_ns <= each.time_ns]
        at = self._next
        for line in chosen if tail is None else chosen[max(len(chosen) - tail, 0) :]:
            if until_ns is None or line.time_ns <= until_ns:
                yield line
        while follows:
            fresh = self._since(at)
            at = self._next
            for line in fresh:
                if until_ns is not None and line.time_ns > until_ns:
                    return
                yield line
            if self._next > at:
                continue
            if self._is_ended:
                return
            await self._grown.wait()

    def _since(self, number: int) -> list[Line]:
        """The lines from that number on."""
        count = min(self._next - number, len(self._lines))
        return [self._lines[-back] for back in range(count, 0, -1)]

    def _keep(self, stream: int, data: bytes, time_ns: int) -> None:
        self._lines.append(Line(self._next, stream, time_ns, data))
        self._next += 1
        self._size += len(data)
        while self._size > _KEPT_BYTES:
            self._size -= len(self._lines.popleft().data)

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()


def framed(stream: int, data: bytes) -> bytes:
    """A frame of a multiplexed stream: which one, how long, the bytes (Engine API, "Stream format")."""
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data
