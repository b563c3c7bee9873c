"""The door: accepts clients at a socket, answers each by the table of routes, and ends without a trace."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Callable
from typing import Final

from builder.daemon.api import archives, build, containers, distribution, execs, images, system
from builder.daemon.http.connection import Bounds, Connection, Exchange
from builder.daemon.http.errors import ApiError, ClientGone, api_error
from builder.daemon.http.routes import Routes
from builder.daemon.service import Configuration, Service
from builder.errors import BuildError
from builder.stores.layout import LayoutStore

_ROUTES: Final = (
    *system.ROUTES,
    *archives.ROUTES,
    *images.ROUTES,
    *distribution.ROUTES,
    *build.ROUTES,
    *containers.ROUTES,
    *execs.ROUTES,
)
MAX_CONNECTIONS: Final = 2048
_READ_BYTES: Final = 1 << 17
_SECONDS_TO_END: Final = 15.0


async def serve(
    listener: socket.socket,
    configuration: Configuration,
    store: LayoutStore,
    ending: asyncio.Event,
    *,
    bounds: Bounds | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve clients until ``ending`` is set; then builds are stopped, containers killed, clients let go."""
    daemon = Daemon(Service(configuration, store), bounds or Bounds())
    listener.setblocking(False)  # noqa: FBT003 - socket's own signature
    server = await asyncio.start_unix_server(
        daemon.connected, sock=listener, limit=_READ_BYTES, backlog=MAX_CONNECTIONS
    )
    try:
        ready()
        await ending.wait()
    finally:
        server.close()
        await daemon.close()


class Daemon:
    """All connections of one daemon."""

    def __init__(self, service: Service, bounds: Bounds) -> None:
        self._service = service
        self._bounds = bounds
        self._routes: Routes[Service] = Routes(_ROUTES)
        self._hello = system.hello(service.configuration.version)
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._most = _most_connections()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client to its end."""
        connection = Connection(reader, writer, self._answer, hello=self._hello, bounds=self._bounds)
        self._make_room()
        task = asyncio.current_task()
        assert task is not None
        self._connections[connection] = task
        try:
            await connection.run()
        except asyncio.CancelledError:
            pass  # the daemon ends
        finally:
            self._connections.pop(connection, None)

    def _make_room(self) -> None:
        """Let go of whoever has been asking for nothing for longest, if there are too many."""
        if len(self._connections) >= self._most:
            waiting = next((each for each in self._connections if each.is_waiting), None)
            if waiting is not None:
                self._connections.pop(waiting)
                waiting.abort()

    async def _answer(self, exchange: Exchange) -> None:
        try:
            answer, asked = self._routes.find(exchange)
            await answer(self._service, exchange, asked)
        except ApiError as error:
            await self._refuse(exchange, error)
        except BuildError as error:
            await self._refuse(exchange, api_error(error))
        except OSError as error:
            await self._refuse(exchange, ApiError(500, f"{error.strerror or error}"))

    async def _refuse(self, exchange: Exchange, error: ApiError) -> None:
        """Answer with an error; one that comes amid an answer breaks it off."""
        if exchange.is_answered:
            raise ClientGone
        await exchange.answer(error.status, {"message": error.message})

    async def close(self) -> None:
        """Stop what runs, and let go of all clients."""
        tasks = list(self._connections.values())
        for connection in list(self._connections):
            connection.abort()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_SECONDS_TO_END)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_END):
                await self._service.close()


def _most_connections() -> int:
    """How many connections may be open: each is a descriptor, and the work behind them needs some too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MAX_CONNECTIONS
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(MAX_CONNECTIONS, soft // 2)
