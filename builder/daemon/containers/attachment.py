"""A client that looks at a command while it runs: what it is sent, and what it sends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from builder.daemon.containers.log import ERR, OUT, framed
from builder.daemon.http.connection import Upgraded
from builder.daemon.http.errors import ClientGone

RAW: Final = "application/vnd.docker.raw-stream"
MULTIPLEXED: Final = "application/vnd.docker.multiplexed-stream"
_WAITING: Final = 64
_PATIENCE_SECONDS: Final = 10.0
"""How long a command waits for a client that does not read; then the client is let go."""


class Attachment:
    """One client. ``streams``: what it wants of OUT and ERR; ``is_raw``: a terminal's has no frames."""

    def __init__(self, streams: frozenset[int], *, is_raw: bool) -> None:
        self._streams = streams
        self._is_raw = is_raw
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING)
        self.is_left = False

    async def put(self, stream: int, data: bytes) -> None:
        """Send what was printed; waits for room, but not for ever."""
        if stream in self._streams and not self.is_left:
            await self._put(data if self._is_raw else framed(stream, data))

    async def end(self) -> None:
        """Nothing more is printed."""
        await self._put(None)

    async def _put(self, item: bytes | None) -> None:
        if self.is_left:
            return
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._waiting.put(item)
        except TimeoutError:
            self.is_left = True

    async def serve(self, upgraded: Upgraded, take: Callable[[bytes | None], Awaitable[None]] | None) -> None:
        """Send all that is printed to its end. ``take``: gets what the client sends, and None at its end."""
        reading = asyncio.ensure_future(_read(upgraded, take))
        try:
            while not self.is_left:
                waiting = asyncio.ensure_future(self._waiting.get())
                await asyncio.wait({waiting, reading}, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done() and reading.done() and upgraded.is_gone():
                    waiting.cancel()
                    raise ClientGone
                item = await waiting
                if item is None:
                    return
                await upgraded.write(item)
        finally:
            self.is_left = True
            while not self._waiting.empty():  # whoever waits for room is let go
                self._waiting.get_nowait()
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await reading


async def _read(upgraded: Upgraded, take: Callable[[bytes | None], Awaitable[None]] | None) -> None:
    """Hand on what the client sends; returns when it is gone."""
    while piece := await upgraded.read():
        if take is not None:
            await take(piece)
    if take is not None:
        await take(None)
    while not upgraded.is_gone():
        await asyncio.sleep(0.2)


BOTH: Final = frozenset([OUT, ERR])
