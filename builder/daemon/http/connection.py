"""One connection of a client: requests in, answers out, one after the other (RFC 9112, by h11).

While an answer is being made, the connection is watched: a client that has gone away cancels the work. Bytes
of a next request that come early are kept. An upgraded connection leaves HTTP for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import select
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import h11

from builder.daemon.http.errors import ApiError, ClientGone

_PIECE: Final = 1 << 16
_EARLY_BYTES: Final = 1 << 16
_DRAINED_BYTES: Final = 64 << 20
_LINGER_BYTES: Final = 8 << 20
_LINGER_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.2
_BODY_HEADERS: Final = frozenset([b"content-length", b"transfer-encoding"])

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a client may use up. ``head_bytes``: request line and headers; build arguments stand in there.

    ``head_seconds``: until they are complete; ``idle_seconds``: between requests; ``body_seconds``: between
    two pieces of a body.
    """

    head_bytes: int = 512 << 10
    head_seconds: float = 20.0
    idle_seconds: float = 300.0
    body_seconds: float = 300.0
    json_bytes: int = 4 << 20


class Upgraded:
    """A connection that was taken out of HTTP: raw bytes in both directions."""

    def __init__(self, connection: Connection, early: bytes) -> None:
        self._connection = connection
        self._early = early

    async def read(self) -> bytes:
        """The next bytes from the client; b"" when it will send no more (it may still read)."""
        if self._early:
            early, self._early = self._early, b""
            return early
        try:
            return await self._connection.reader.read(_PIECE)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        """Send ``data``; waits until the client reads. ClientGone if it never will."""
        await self._connection.write(data)

    def is_gone(self) -> bool:
        """Whether the client has closed the connection, not merely its own side of it."""
        return self._connection.is_gone()


class Exchange:
    """One request and the answer to it. Exactly one of the answering methods is called."""

    def __init__(self, connection: Connection, request: h11.Request) -> None:
        self.method = request.method.decode("ascii")
        self.target = request.target.decode("ascii")
        self.headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
        self.is_answered = False
        self._connection = connection

    # ---- the request ----

    async def body(self) -> AsyncIterator[bytes]:
        """The pieces of the body. ClientGone if it is cut, or is not as long as it said."""
        async for piece in self._connection.body():
            yield piece

    async def json(self) -> dict[str, Any]:
        """The body as a JSON object; {} if there is none. ApiError if it is something else."""
        raw = bytearray()
        async for piece in self.body():
            raw += piece
            if len(raw) > self._connection.bounds.json_bytes:
                raise ApiError(413, f"the body has more than {self._connection.bounds.json_bytes} bytes")
        if not raw.strip():
            return {}
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, f"the body is not JSON: {error!s:.200}") from None
        if not isinstance(found, dict):
            raise ApiError(400, "the body must be a JSON object")
        return found

    # ---- the answer ----

    async def answer(self, status: int, document: object = None) -> None:
        """Answer with a JSON document, or with nothing."""
        raw = b"" if document is None else json.dumps(document).encode() + b"\n"
        await self.answer_bytes(status, raw, {} if document is None else {"Content-Type": JSON})

    async def answer_bytes(self, status: int, raw: bytes, headers: dict[str, str]) -> None:
        """Answer with these bytes."""
        length = {} if status in (204, 304) else {"Content-Length": str(len(raw))}
        await self._begin(status, {**headers, **length})
        if raw and self.method != "HEAD" and length:
            await self.send(raw)
        await self.end()

    async def begin(self, content_type: str, headers: Mapping[str, str] | None = None) -> None:
        """Begin an answer of unknown length; its status is 200."""
        chunked = {"Content-Type": content_type, "Transfer-Encoding": "chunked"}
        await self._begin(200, {**chunked, **(headers or {})})

    async def send(self, data: bytes) -> None:
        """Send the next piece; waits until the client reads. ClientGone if it never will."""
        await self._connection.send(h11.Data(data=data))

    async def end(self) -> None:
        """The end of the answer."""
        await self._connection.send(h11.EndOfMessage())

    async def upgrade(self, content_type: str) -> Upgraded:
        """Leave HTTP: 101 if the client asked for it, else 200, as clients before API 1.22 had it."""
        async for _ in self.body():
            pass
        self.is_answered = True
        asked = self.headers.get("upgrade", "").lower() == "tcp"
        return await self._connection.upgraded(content_type, asked=asked)

    async def _begin(self, status: int, headers: dict[str, str]) -> None:
        self.is_answered = True
        await self._connection.begin(status, headers)


Handler = Callable[[Exchange], Awaitable[None]]


class Connection:
    """One client. ``handler`` answers each request; ``hello``: headers that every answer bears."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handler: Handler,
        *,
        hello: dict[str, str],
        bounds: Bounds,
    ) -> None:
        self.reader = reader
        self.bounds = bounds
        self.is_waiting = True
        self._writer = writer
        self._handler = handler
        self._hello = hello
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=bounds.head_bytes)
        self._early = bytearray()
        self._is_abandoned = False
        self._watching: asyncio.Future[None]

    async def run(self) -> None:
        """Answer requests until the client leaves, is upgraded and done, or breaks the rules of HTTP."""
        try:
            while await self._one():
                pass
        except (ClientGone, ConnectionError, TimeoutError):
            pass
        finally:
            self._writer.close()
            with contextlib.suppress(Exception):
                await self._writer.wait_closed()

    def abort(self) -> None:
        """End it at once."""
        self._writer.transport.abort()

    def is_gone(self) -> bool:
        """Whether the client has closed its end altogether (POLLHUP), not merely ended what it sends."""
        found = self._writer.get_extra_info("socket")
        if found is None or self._writer.transport.is_closing():
            return True
        poll = select.poll()
        poll.register(found.fileno(), select.POLLHUP | select.POLLERR)
        return bool(poll.poll(0))

    async def _one(self) -> bool:
        """Read and answer one request; whether another may follow."""
        try:
            request = await self._request()
            if request is None:
                return False
            if not {name for name, _ in request.headers} & _BODY_HEADERS:
                self._http.next_event()  # its end, which needs no more bytes
        except h11.RemoteProtocolError as error:
            await self._refuse(error)
            return False
        self.is_waiting = False
        await self._answered(Exchange(self, request))
        if self._http.our_state is not h11.DONE or not await self._drain():
            return False
        self._http.start_next_cycle()
        self.is_waiting = True
        return True

    async def _request(self) -> h11.Request | None:
        """The next request; None if there is none any more. TimeoutError if its head stays incomplete."""
        event = self._http.next_event()
        if event is h11.NEED_DATA:
            async with asyncio.timeout(self.bounds.idle_seconds):
                self._http.receive_data(await self._read())
        async with asyncio.timeout(self.bounds.head_seconds):
            while True:
                event = self._http.next_event() if event is h11.NEED_DATA else event
                if event is not h11.NEED_DATA:
                    return event if isinstance(event, h11.Request) else None
                self._http.receive_data(await self._read())

    async def _read(self) -> bytes:
        if self._early:
            early, self._early = bytes(self._early), bytearray()
            return early
        return await self.reader.read(_PIECE)

    async def body(self) -> AsyncIterator[bytes]:
        """The pieces of the body of the present request, as far as nobody has read it."""
        while self._http.their_state is h11.SEND_BODY:
            try:
                if self._http.they_are_waiting_for_100_continue:
                    await self.send(h11.InformationalResponse(status_code=100, headers=[]))
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise ApiError(400, f"the request is broken: {error}") from None
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.ConnectionClosed):
                raise ClientGone
            elif event is h11.NEED_DATA:
                async with asyncio.timeout(self.bounds.body_seconds):
                    data = await self._read()
                self._http.receive_data(data)

    async def _answered(self, exchange: Exchange) -> None:
        """Let the handler answer; it is cancelled if the client goes away meanwhile."""
        working = asyncio.ensure_future(self._handler(exchange))
        self._watching = asyncio.ensure_future(self._watch(working))
        try:
            await working
        except asyncio.CancelledError:
            if self._is_abandoned:
                raise ClientGone from None
            raise
        finally:
            await self._watch_no_more()

    async def _watch_no_more(self) -> None:
        self._watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watching

    async def _watch(self, working: asyncio.Future[None]) -> None:
        """Cancel the work when the client has gone; what it sends before that is for the next request."""
        while self._http.their_state is h11.SEND_BODY:
            await asyncio.sleep(_LOOK_SECONDS)
        with contextlib.suppress(OSError):
            while len(self._early) < _EARLY_BYTES and (data := await self.reader.read(_PIECE)):
                self._early += data
        while not self.is_gone():
            await asyncio.sleep(_LOOK_SECONDS)
        self._is_abandoned = True
        working.cancel()

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the head of an answer."""
        listed = [*self._hello.items(), *headers.items()]
        reason = HTTPStatus(status).phrase.encode()
        await self.send(h11.Response(status_code=status, headers=listed, reason=reason))

    async def send(self, event: h11.Event) -> None:
        """Send a part of an answer."""
        await self.write(self._http.send(event) or b"")

    async def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        if self._writer.transport.is_closing():
            raise ClientGone
        self._writer.write(data)
        try:
            await self._writer.drain()
        except (ConnectionError, OSError):
            raise ClientGone from None

    async def upgraded(self, content_type: str, *, asked: bool) -> Upgraded:
        """Answer that the connection now carries raw bytes."""
        await self._watch_no_more()
        lines = [("Content-Type", content_type)]
        if asked:
            lines += [("Connection", "Upgrade"), ("Upgrade", "tcp")]
            await self.send(h11.InformationalResponse(status_code=101, headers=lines, reason=b"UPGRADED"))
        else:
            await self.write(f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n".encode())
        early, _ = self._http.trailing_data
        kept, self._early = bytes(self._early), bytearray()
        return Upgraded(self, early + kept)

    async def _drain(self) -> bool:
        """Read on to the end of a body that nobody wanted; False if that is not worth it."""
        drained = 0
        try:
            async for piece in self.body():
                drained += len(piece)
                if drained > _DRAINED_BYTES:
                    return False
        except ApiError:
            return False
        return self._http.their_state is h11.DONE

    async def _refuse(self, error: h11.RemoteProtocolError) -> None:
        """Say what is wrong with a request that cannot be read, and leave."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        status = error.error_status_hint
        what = (
            f"the head of the request has more than {self.bounds.head_bytes} bytes"
            if status == 431
            else f"the request is broken: {error}"
        )
        raw = json.dumps({"message": what}).encode() + b"\n"
        headers = {"Content-Type": JSON, "Content-Length": str(len(raw)), "Connection": "close"}
        await self.begin(status, headers)
        await self.send(h11.Data(data=raw))
        await self.send(h11.EndOfMessage())
        await self._linger()

    async def _linger(self) -> None:
        """Let the client finish its sentence, or it would see a broken pipe and not the answer."""
        left = _LINGER_BYTES
        with contextlib.suppress(OSError, TimeoutError):
            self._writer.write_eof()
            async with asyncio.timeout(_LINGER_SECONDS):
                while left > 0 and (data := await self.reader.read(_PIECE)):
                    left -= len(data)
