"""A docker daemon at a unix socket: as much of the Engine API as a build and fetching its image need."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast
from urllib.parse import quote, urlencode

from builder.errors import BuildError, StepFailedError

_OLDEST: Final = (1, 24)
_NEWEST: Final = (1, 55)
_MAX_MESSAGE_BYTES: Final = 1 << 16


class DockerSocket:
    """The daemon that listens at ``path``. Each question has a connection of its own; safe for threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version: str | None = None

    def ping(self) -> None:
        """BuildError if nobody answers there, or nobody who speaks the API."""
        with self._asked("GET", "/_ping") as answer:
            words = (answer.headers.get("Api-Version") or "").split(".")
        if len(words) != 2 or not all(word.isdigit() for word in words):
            raise BuildError("whoever answers there is no docker daemon", where=str(self.path))
        theirs = (int(words[0]), int(words[1]))
        if theirs < _OLDEST:
            raise BuildError(f"the daemon speaks no newer API than {'.'.join(words)}", where=str(self.path))
        major, minor = min(theirs, _NEWEST)
        self._version = f"/v{major}.{minor}"

    @contextmanager
    def build(self, query: Mapping[str, str], context: Iterable[bytes]) -> Iterator[Build]:
        """A build of a context (a tar), while it goes on; leaving the block early stops it."""
        target = f"/build?{urlencode(query)}"
        connection = _Connection(self.path)
        with self._asked("POST", target, context, connection=connection) as answer:
            yield Build(answer, connection.leave)

    @contextmanager
    def image(self, name: str) -> Iterator[BinaryIO]:
        """An archive with the image of that name, to be read once."""
        with self._asked("GET", f"/images/{quote(name)}/get") as answer:
            yield cast(BinaryIO, answer)

    def remove(self, name: str) -> None:
        """Take a name away; with its last one the image goes."""
        with self._asked("DELETE", f"/images/{quote(name)}") as answer:
            answer.read()

    @contextmanager
    def _asked(
        self,
        method: str,
        target: str,
        body: Iterable[bytes] | None = None,
        *,
        connection: _Connection | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        with closing(connection or _Connection(self.path)) as opened:
            try:
                path = f"{self._version or ''}{target}"
                headers = {} if body is None else {"Content-Type": "application/x-tar"}
                if body is not None:
                    headers["Transfer-Encoding"] = "chunked"
                opened.request(method, path, body=body, headers=headers, encode_chunked=body is not None)
                answer = opened.getresponse()
                if answer.status >= 400:
                    raise BuildError(_message(answer), where=str(self.path))
                yield answer
            except (OSError, http.client.HTTPException) as error:
                said = error.strerror if isinstance(error, OSError) else None
                raise BuildError(
                    f"the daemon cannot be spoken to: {said or error}",
                    where=str(self.path),
                    fix="does it run, and may this user open its socket?",
                ) from None


class Build:
    """A build that a daemon does: what it says, and the ID of the image at the end.

    ``stop``: ends it, from any thread, by leaving: then what it says breaks off.
    """

    def __init__(self, answer: http.client.HTTPResponse, stop: Callable[[], None]) -> None:
        self._answer = answer
        self.stop = stop
        self.image: str | None = None

    def said(self) -> Iterator[str]:
        """What the daemon says, piece by piece. StepFailedError if the build fails."""
        for line in self._answer:
            if not line.strip():
                continue
            told = _object(line)
            if "error" in told:
                detail = told.get("errorDetail")
                code = detail.get("code") if isinstance(detail, dict) else None
                raise StepFailedError(str(told["error"]), exit_status=code if isinstance(code, int) else 1)
            aux = told.get("aux")
            if isinstance(aux, dict) and isinstance(aux.get("ID"), str):
                self.image = aux["ID"]
            if isinstance(told.get("stream"), str):
                yield told["stream"]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path
        self._own: socket.socket | None = None

    def connect(self) -> None:
        self._own = self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))

    def leave(self) -> None:
        """Break it off, whoever reads from it."""
        if self._own is not None:
            with suppress(OSError):
                self._own.shutdown(socket.SHUT_RDWR)


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise BuildError(f"the daemon says what cannot be understood: {line!r:.200}") from None
    if not isinstance(found, dict):
        raise BuildError(f"the daemon says what cannot be understood: {line!r:.200}")
    return found


def _message(answer: http.client.HTTPResponse) -> str:
    """What an error says, else its status."""
    raw = answer.read(_MAX_MESSAGE_BYTES)
    try:
        return str(json.loads(raw)["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return f"{answer.status} {answer.reason}"
