"""Answers that grow while the work goes on: one JSON object a line (moby ``pkg/jsonmessage``)."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from builder.daemon.http.connection import JSON, Exchange
from builder.daemon.http.errors import ApiError
from builder.daemon.threads import from_thread
from builder.errors import BuildError, StepFailedError
from builder.events import Event, TransferBegan, TransferDone, TransferMoved
from builder.image.digest import short


class Progress:
    """The lines of one answer, told from any thread. The answer begins with the first of them.

    ClientGone is raised in the thread that tells, once nobody listens: that ends the work.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()

    def tell(self, document: Mapping[str, Any]) -> None:
        """Send a line; waits until the client has room for it."""
        raw = json.dumps(document).encode() + b"\r\n"
        with self._lock:
            from_thread(self._loop, self._send(raw))

    def say(self, text: str) -> None:
        """Send a line that a terminal shows as it is."""
        self.tell({"stream": text})

    async def finish(self) -> None:
        """The end of the answer, also if there was nothing to say."""
        if not self._exchange.is_answered:
            await self._exchange.begin(JSON)
        await self._exchange.end()

    async def fail(self, error: BuildError | ApiError) -> None:
        """Say in the answer, which has begun, how the work failed."""
        code = error.exit_status if isinstance(error, StepFailedError) and error.exit_status else 1
        told = {"errorDetail": {"code": code, "message": str(error)}, "error": str(error)}
        await self._send(json.dumps(told).encode() + b"\r\n")
        await self._exchange.end()

    async def _send(self, raw: bytes) -> None:
        if not self._exchange.is_answered:
            await self._exchange.begin(JSON)
        await self._exchange.send(raw)


@asynccontextmanager
async def telling(exchange: Exchange) -> AsyncIterator[Progress]:
    """The lines of an answer. What fails before the first of them is an error of its own, later a line."""
    progress = Progress(exchange)
    try:
        yield progress
    except (BuildError, ApiError) as error:
        if not exchange.is_answered:
            raise
        await progress.fail(error)
    else:
        await progress.finish()


class Transfers:
    """Shows blobs on their way as docker does; a listener of ``builder.events``. ``sent``: they go out."""

    def __init__(self, progress: Progress, *, verb: str, done: str) -> None:
        self._progress = progress
        self._verb = verb
        self._done = done
        self._sizes: dict[str, int | None] = {}
        self._shown: dict[str, int] = {}

    def __call__(self, event: Event) -> None:
        """Tell what happened to a blob; of what moves, some twenty times."""
        match event:
            case TransferBegan(blob=blob, size=size):
                self._sizes[blob] = size
                self._status(blob, "Waiting")
            case TransferMoved(blob=blob, count=count):
                size = self._sizes.get(blob) or 0
                if count - self._shown.get(blob, 0) < max(size // 20, 1 << 16):
                    return
                self._shown[blob] = count
                detail = {"current": count, **({"total": size} if size else {})}
                self._progress.tell({"status": self._verb, "progressDetail": detail, "id": short(blob)})
            case TransferDone(blob=blob, how=how):
                self._status(blob, {"there": "Already exists", "mounted": "Mounted"}.get(how, self._done))

    def _status(self, blob: str, status: str) -> None:
        self._progress.tell({"status": status, "progressDetail": {}, "id": short(blob)})
