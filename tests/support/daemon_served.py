"""Our daemon, served in this process at a socket of its own, and a client that speaks to it plainly."""

from __future__ import annotations

import asyncio
import http.client
import io
import itertools
import json
import socket
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from builder.daemon.daemon import serve
from builder.daemon.http.connection import Bounds
from builder.daemon.listening import listening
from builder.daemon.service import Configuration
from builder.stores.layout import LayoutStore
from builder.strategies.strategy import Strategy

_PATIENCE_SECONDS = 60


class Answer(NamedTuple):
    """What the daemon answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def lines(self) -> list[Any]:
        """The body as one JSON object a line."""
        return [json.loads(line) for line in self.body.splitlines()]

    def stream(self) -> str:
        """What a build says."""
        return "".join(line.get("stream", "") for line in self.lines())


class Client:
    """A client at a socket."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def connect(self) -> socket.socket:
        """A connection as it is."""
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        found.settimeout(_PATIENCE_SECONDS)
        found.connect(str(self.path))
        return found

    def ask(self, method: str, target: str, body: Any = None, headers: Mapping[str, str] = {}) -> Answer:
        """The whole answer to one request. A body that is no bytes is sent as JSON."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = self.connect()
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, target, body=raw, headers=dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def raw(self, sent: bytes) -> bytes:
        """Everything that comes back for these bytes, when nothing more is sent."""
        with self.connect() as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))

    def build(self, files: Mapping[str, str], query: str = "t=made") -> Answer:
        """Build a context of these files."""
        return self.ask("POST", f"/build?{query}", context(files))

    def pulled(self, name: str = "alpine") -> None:
        """Have an image."""
        assert self.ask("POST", f"/images/create?fromImage={name}&tag=latest").status == 200

    def container(self, *command: str, **body: Any) -> str:
        """The id of a new container of alpine."""
        answer = self.ask("POST", "/containers/create", {"Image": "alpine", "Cmd": list(command), **body})
        assert answer.status == 201, answer
        found: str = answer.json()["Id"]
        return found

    def hijacked(self, target: str, body: bytes = b"") -> socket.socket:
        """A connection that was upgraded."""
        connection = self.connect()
        head = f"POST {target} HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1)
        assert answer.startswith(b"HTTP/1.1 101 UPGRADED\r\n"), answer
        return connection


def told(value: Any) -> str:
    """A value as JSON in a query."""
    return quote(json.dumps(value))


def context(files: Mapping[str, str]) -> bytes:
    """A tar of these files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()


def frames(raw: bytes) -> list[tuple[int, bytes]]:
    """The frames of a multiplexed stream."""
    found = []
    while raw:
        size = int.from_bytes(raw[4:8], "big")
        found.append((raw[0], raw[8 : 8 + size]))
        raw = raw[8 + size :]
    return found


@contextmanager
def served(
    directory: Path, strategy: Strategy = Strategy.SIMULATED, *, bounds: Bounds | None = None
) -> Iterator[Client]:
    """A daemon that keeps its images in ``directory``, for as long as the block lasts."""
    numbers = itertools.count(1)
    configuration = Configuration(
        strategy=strategy,
        state_dir=directory / "state",
        version="0",
        now_ns=lambda: 1_700_000_000_000_000_000,
        token=lambda: f"{next(numbers):08x}".ljust(64, "0"),
    )
    ready = threading.Event()
    stop = []

    def run() -> None:
        async def main() -> None:
            ending = asyncio.Event()
            loop = asyncio.get_running_loop()
            stop.append(lambda: loop.call_soon_threadsafe(ending.set))
            await serve(listener, configuration, store, ending, bounds=bounds, ready=ready.set)

        asyncio.run(main())

    path = directory / "d.sock"
    with LayoutStore(str(directory / "state")) as store, listening(path) as listener:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert ready.wait(_PATIENCE_SECONDS)
        try:
            yield Client(path)
        finally:
            stop[0]()
            thread.join(_PATIENCE_SECONDS)
            assert not thread.is_alive()
