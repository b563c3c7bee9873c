"""Where a registry is spoken to: its own host, the mirrors in front of it, and how much TLS is asked for."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from builder.errors import RegistryError
from builder.image.reference import DEFAULT_REGISTRY, Reference, ReferenceFormatError

DOCKER_HUB_API: Final = "registry-1.docker.io"
"""The host that answers for the names that begin with ``docker.io`` (moby ``registry/config.go``)."""

_HOW: Final = "write it as docker.io=http://127.0.0.1:5055"


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what credentials belong to (RFC 6454)."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """The origin of a URL; RegistryError unless it is http or https with a host."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise RegistryError(f"not an address: {url!r:.200}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RegistryError(f"not an http or https address: {url!r:.200}")
        return cls(parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80))

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, by name or number."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server to ask. ``base``: ``scheme://host[:port]``; ``registry``: whose credentials are its own.

    ``plain``: the base if the server turns out to speak no TLS; None where TLS is needed.
    """

    base: str
    registry: str
    plain: str | None = None

    @property
    def origin(self) -> Origin:
        """Its scheme, host and port."""
        return Origin.of(self.base)


@dataclass(frozen=True, slots=True)
class Routes:
    """Which servers answer for which registry.

    ``mirrors``: registry → bases, asked in this order before the registry itself, and only to pull.
    ``insecure``: registries that may speak plain HTTP, or TLS that nobody vouches for.
    """

    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    insecure: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, mirrors: Iterable[str] = (), insecure: Iterable[str] = ()) -> Routes:
        """Routes from ``REGISTRY=URL`` and from hosts; RegistryError if one cannot be understood.

        >>> Routes.parse(["docker.io=http://127.0.0.1:5055"]).mirrors["docker.io"]
        ('http://127.0.0.1:5055',)
        """
        found: dict[str, tuple[str, ...]] = {}
        for written in mirrors:
            registry, equals, url = written.partition("=")
            if not equals or not registry:
                raise RegistryError(f"not a mirror: {written!r:.200}", fix=_HOW)
            base = url.rstrip("/")
            Origin.of(base)
            parts = urlsplit(base)
            if parts.path or parts.query or parts.fragment or parts.username is not None:
                raise RegistryError(f"a mirror is only a scheme and a host: {written!r:.200}", fix=_HOW)
            found[registry] = (*found.get(registry, ()), base)
        return cls(MappingProxyType(found), frozenset(insecure))

    def to_pull(self, registry: str) -> tuple[Endpoint, ...]:
        """Whom to ask for an image, in order: mirrors first."""
        mirrors = tuple(Endpoint(base, urlsplit(base).netloc) for base in self.mirrors.get(registry, ()))
        return (*mirrors, self.to_push(registry))

    def to_push(self, registry: str) -> Endpoint:
        """The registry itself."""
        host = DOCKER_HUB_API if registry == DEFAULT_REGISTRY else registry
        base = f"https://{host}"
        may_be_plain = registry in self.insecure or Origin.of(base).is_loopback
        return Endpoint(base, registry, f"http://{host}" if may_be_plain else None)

    def trusts_blindly(self, host: str) -> bool:
        """Whether the certificate of that ``host[:port]`` is not looked at: only if it was named insecure."""
        return host in self.insecure


def host_of(written: str) -> str:
    """The registry that a word of the command line means; RegistryError if it is none.

    >>> host_of("https://index.docker.io/v1/"), host_of("localhost:5000")
    ('docker.io', 'localhost:5000')
    """
    host = written.removeprefix("https://").removeprefix("http://").partition("/")[0]
    if host in ("index.docker.io", DOCKER_HUB_API):
        return DEFAULT_REGISTRY
    try:
        named = Reference.parse(f"{host}/image").registry
    except ReferenceFormatError:
        named = None
    if named != host:
        raise RegistryError(f"not the host of a registry: {written!r:.200}", fix="write HOST or HOST:PORT")
    return host
