"""Bodies too large for memory: a request's, in a file without a name; an answer's, as a file to write."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, BinaryIO, Final

from builder.daemon.http.connection import Exchange
from builder.daemon.http.errors import ApiError
from builder.daemon.threads import aside, from_thread

_GATHERED_BYTES: Final = 1 << 20
MAX_BODY_BYTES: Final = 16 << 30


@asynccontextmanager
async def received(exchange: Exchange, *, limit: int = MAX_BODY_BYTES) -> AsyncIterator[BinaryIO]:
    """The whole body of a request, on disk, at its beginning. ApiError if it is longer than ``limit``."""
    with tempfile.TemporaryFile() as file:
        gathered = bytearray()
        size = 0
        async for piece in exchange.body():
            size += len(piece)
            if size > limit:
                raise ApiError(413, f"the body has more than {limit} bytes")
            gathered += piece
            if len(gathered) >= _GATHERED_BYTES:
                await aside(lambda full=bytes(gathered): file.write(full))  # type: ignore[misc]
                gathered.clear()
        file.write(gathered)
        file.seek(0)
        yield file


class ChunkWriter:
    """An answer, which has begun, as a file that a thread writes."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._loop = asyncio.get_running_loop()

    def file(self) -> io.BufferedWriter:
        """The file. What is written to it is sent when it is a mebibyte, and when it is closed."""
        return io.BufferedWriter(_Raw(self), _GATHERED_BYTES)

    def send(self, data: bytes) -> None:
        """Send bytes, from another thread than the loop's; waits until the client has room for them."""
        from_thread(self._loop, self._exchange.send(data))


class _Raw(io.RawIOBase):
    def __init__(self, writer: ChunkWriter) -> None:
        self._writer = writer

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._writer.send(bytes(data))
        return len(data)
