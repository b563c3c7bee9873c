"""Ports inside the simulated world: who listens, and what a request to a port is answered."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request; ``target`` is path and query as sent."""

    method: str = "GET"
    target: str = "/"
    host: str = "localhost"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One answer; ``headers`` in the order in which they are sent."""

    status: int
    reason: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)


Handler: TypeAlias = Callable[[HttpRequest], HttpResponse]


class Serving(Exception):
    """Raised by a program that serves in the foreground: it never ends by itself.

    Whoever started it decides what that means: ``layerlab run`` sends requests to the ports, a background
    job goes on, a RUN instruction would never end and says so.
    """

    def __init__(self, name: str, ports: tuple[int, ...]) -> None:
        super().__init__(f"{name} serves on port {', '.join(map(str, ports))} and does not end by itself")
        self.name = name
        self.ports = ports


class Network:
    """The listeners of one simulated container."""

    def __init__(self) -> None:
        self._listeners: dict[int, Handler] = {}

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports on which somebody listens, ascending."""
        return tuple(sorted(self._listeners))

    def listen(self, port: int, handler: Handler) -> None:
        """Let ``handler`` answer on ``port``; OSError(EADDRINUSE) if somebody listens there."""
        if port in self._listeners:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        self._listeners[port] = handler

    def close(self, port: int) -> None:
        """Stop listening on ``port``; idempotent."""
        self._listeners.pop(port, None)

    def request(self, port: int, request: HttpRequest) -> HttpResponse:
        """What the listener on ``port`` answers; ConnectionRefusedError if there is none."""
        handler = self._listeners.get(port)
        if handler is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        return handler(request)
