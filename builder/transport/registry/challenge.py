"""What a registry that answers 401 asks for, and to whom a password may go.

RFC 9110, 11.6.1 (``WWW-Authenticate``), RFC 7617 (Basic), RFC 6750 (Bearer).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from builder.transport.registry.endpoint import Origin

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SCHEME: Final = re.compile(rf"[\s,]*({_TOKEN})(?:\s+|$|(?=,))")
_PARAMETER: Final = re.compile(rf'[\s,]*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))')
_MAX_HEADER: Final = 16_384
_SECOND_LEVEL: Final = frozenset(["ac", "co", "com", "edu", "gov", "gob", "go", "ne", "net", "or", "org"])
"""Names under which countries register domains: ``a.co.uk`` and ``b.co.uk`` have nothing in common."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate that is offered. ``scheme`` and the parameters' names: lower case."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(header: str) -> list[Challenge]:
    """The challenges in a ``WWW-Authenticate`` header, as far as they can be understood.

    >>> [c.scheme for c in parse_challenges('Bearer realm="https://a/t",service="s", Basic realm=x')]
    ['bearer', 'basic']
    """
    found: list[Challenge] = []
    rest = header[:_MAX_HEADER]
    while match := _SCHEME.match(rest):
        rest = rest[match.end() :]
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(rest):
            name, quoted, bare = parameter.groups()
            parameters[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
            rest = rest[parameter.end() :]
        found.append(Challenge(match[1].lower(), MappingProxyType(parameters)))
    return found


def may_receive_password(realm: Origin, registry: Origin) -> bool:
    """Whether the password for ``registry`` may be sent to the token server that it names.

    Only to itself, or to a host of the same domain: ``auth.docker.io`` for ``registry-1.docker.io``,
    ``gitlab.com`` for ``registry.gitlab.com``. Never over plain HTTP for a registry that speaks TLS.

    >>> hub = Origin.of("https://registry-1.docker.io")
    >>> may_receive_password(Origin.of("https://auth.docker.io/token"), hub)
    True
    >>> may_receive_password(Origin.of("https://docker.io.evil.example/token"), hub)
    False
    """
    if registry.scheme == "https" and realm.scheme != "https":
        return False
    if realm.host == registry.host:
        return True
    domain = _domain(registry)
    return domain is not None and (realm.host == domain or realm.host.endswith("." + domain))


def _domain(origin: Origin) -> str | None:
    """What is left of a host name without its first label, if that is more than a public suffix."""
    labels = origin.host.split(".")[1:]
    if len(labels) < 2 or origin.host.replace(".", "").isdigit() or ":" in origin.host:
        return None
    if len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SECOND_LEVEL:
        return None
    return ".".join(labels)
