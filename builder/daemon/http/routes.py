"""Which function answers which path: versions are checked here, names are cut out of paths."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import unquote

from builder.daemon.http.connection import Exchange
from builder.daemon.http.errors import ApiError, BadRequest, NotFound
from builder.daemon.http.query import Query

OLDEST: Final = (1, 40)
NEWEST: Final = (1, 55)
"""The versions of the Docker Engine API that are spoken."""

_VERSIONED: Final = re.compile(r"/v(\d{1,3})\.(\d{1,3})(/.*)")
_MAX_PATH: Final = 4096

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks: the words of its path, its query, and the version of the API that it speaks."""

    names: dict[str, str]
    query: Query
    version: tuple[int, int]

    @property
    def name(self) -> str:
        """The word of the path that names an object."""
        return self.names["name"]


Answer = Callable[[S, Exchange, Asked], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route(Generic[S]):
    """A method and a path. ``{name}`` in it is one word, ``{name:.+}`` may have slashes."""

    method: str
    path: str
    answer: Answer[S]

    def pattern(self) -> re.Pattern[str]:
        """The path as a pattern."""
        return re.compile(
            re.sub(r"\{(\w+)(?::([^}]+))?\}", lambda m: f"(?P<{m[1]}>{m[2] or '[^/]+'})", self.path)
        )


def shown(version: tuple[int, int]) -> str:
    """A version as it is written."""
    return f"{version[0]}.{version[1]}"


class Routes(Generic[S]):
    """The table of all paths; the first that fits answers."""

    def __init__(self, routes: Iterable[Route[S]]) -> None:
        self._routes = [(route, route.pattern()) for route in routes]

    def find(self, exchange: Exchange) -> tuple[Answer[S], Asked]:
        """The function that answers, and what it is asked; ApiError if the path means nothing."""
        target, _, query = exchange.target.partition("?")
        path, version = _version(target)
        try:
            path = unquote(path, errors="strict")
        except UnicodeDecodeError:
            raise BadRequest("the path is not UTF-8") from None
        if len(path) > _MAX_PATH or not path.isprintable() or {".", ".."} & set(path.split("/")):
            raise BadRequest("the path is too long, or leads elsewhere: it may hold neither . nor ..")
        method = "GET" if exchange.method == "HEAD" else exchange.method
        others = set()
        for route, pattern in self._routes:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if route.method in (method, exchange.method):
                return route.answer, Asked(match.groupdict(), Query(query), version)
            others.add(route.method)
        if others:
            raise ApiError(
                405, f"{exchange.method} {path}: only {', '.join(sorted(others))} is possible here"
            )
        raise NotFound(f"page not found: {exchange.method} {path} is no part of what this daemon speaks")


def _version(target: str) -> tuple[str, tuple[int, int]]:
    """The path without its version, and the version; ApiError if it is not spoken here."""
    match = _VERSIONED.fullmatch(target)
    if match is None:
        return target, NEWEST
    version = (int(match[1]), int(match[2]))
    if version > NEWEST:
        raise BadRequest(
            f"client version {shown(version)} is too new. Maximum supported API version is {shown(NEWEST)}"
        )
    if version < OLDEST:
        raise BadRequest(
            f"client version {shown(version)} is too old. Minimum supported API version is {shown(OLDEST)}, "
            "please upgrade your client to a newer version"
        )
    return match[3], version
