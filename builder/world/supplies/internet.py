"""The toy internet: a few hosts whose pages and archives lie in the package or are made from it.

``sites/HOST/PATH`` is what ``https://HOST/PATH`` answers; a directory whose name ends with ``.tar.gz`` is
served as that archive. Nothing here opens a socket.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote, urlsplit

from builder.world.supplies.archive import gzip_stored, make_tar, with_directories
from builder.world.supplies.description import Entry
from builder.world.supplies.packages.repositories import archive_of, index_of, packages

MAX_PATH: Final = 200
_SITES: Final = Path(__file__).parent / "sites"
_PACKAGE_HOSTS: Final = (
    "archive.ubuntu.example",
    "deb.debian.example",
    "dl-cdn.alpinelinux.example",
    "packages.example.org",
    "security.debian.example",
)
"""Hosts of package repositories; each serves all of them. Their names end as RFC 2606 keeps for examples."""


class UnreachableError(Exception):
    """A host that does not exist in the toy internet; ``hosts`` are those that do."""

    def __init__(self, host: str, hosts: tuple[str, ...]) -> None:
        super().__init__(f"bad address '{host}'")
        self.host = host
        self.hosts = hosts


@dataclass(frozen=True, slots=True)
class Response:
    """What a host answers to GET."""

    status: int
    reason: str
    body: bytes = b""
    location: str = ""


@dataclass(frozen=True)
class Internet:
    """Hosts by name; each answers a path with bytes, or with None for 404."""

    hosts: Mapping[str, Callable[[str], bytes | None]]

    def fetch(self, url: str) -> Response:
        """What ``url`` answers; UnreachableError if its host does not exist here."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https", "ftp") or host not in self.hosts:
            raise UnreachableError(host, self.names)
        body = self.hosts[host](unquote(parts.path) or "/")
        return Response(200, "OK", body) if body is not None else Response(404, "Not Found")

    @property
    def names(self) -> tuple[str, ...]:
        """The hosts that exist, sorted."""
        return tuple(sorted(self.hosts))

    def nearest(self, host: str) -> str | None:
        """An existing host whose name looks like ``host``."""
        return next(iter(difflib.get_close_matches(host, self.names, n=1)), None)


NO_INTERNET: Final = Internet(MappingProxyType({}))
"""What a command sees under RUN --network=none: no host has an address."""


@cache
def toy_internet() -> Internet:
    """The internet of this package."""
    hosts: dict[str, Callable[[str], bytes | None]] = {
        path.name: _site(path) for path in sorted(_SITES.iterdir()) if path.is_dir()
    }
    for host in _PACKAGE_HOSTS:
        hosts[host] = _repositories
    return Internet(MappingProxyType(hosts))


def _site(root: Path) -> Callable[[str], bytes | None]:
    @cache
    def answer(path: str) -> bytes | None:
        parts = [part for part in path.split("/") if part]
        if ".." in parts or "\0" in path or len(path) > MAX_PATH or not path.isascii():
            return None
        if parts and parts[-1].endswith(".sha256"):
            content = answer("/".join([*parts[:-1], parts[-1].removesuffix(".sha256")]))
            name = parts[-1].removesuffix(".sha256")
            return None if content is None else f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()
        place = root.joinpath(*parts)
        if place.is_dir() and place.name.endswith(".tar.gz"):
            return _tarball(place)
        if place.is_dir():
            place = place / "index.html"
        inside_archive = any(part.endswith(".tar.gz") for part in parts[:-1])
        return place.read_bytes() if place.is_file() and not inside_archive else None

    return answer


def _tarball(directory: Path) -> bytes:
    """The archive of everything below ``directory``; scripts are executable, everything belongs to root."""

    def entries() -> Iterator[Entry]:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                content = path.read_bytes()
                mode = 0o755 if content.startswith(b"#!") else 0o644
                yield Entry(path.relative_to(directory).as_posix(), "file", mode, content=content)

    return gzip_stored(make_tar(with_directories(entries())))


@cache
def _repositories(path: str) -> bytes | None:
    """What a package repository answers: an index, or the archive of a package."""
    last = path.rpartition("/")[2]
    name = {"APKINDEX": "alpine", "Packages": "debian"}.get(last)
    if name is not None:
        return index_of(name)
    for ending, repository in ((".apk", "alpine"), (".deb", "debian")):
        if last.endswith(ending):
            for package in packages(repository).values():
                if last == package.file_name + ending:
                    return archive_of(package)
    return None
