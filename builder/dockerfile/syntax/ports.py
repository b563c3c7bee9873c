"""What EXPOSE names: ports, ranges of ports and protocols (BuildKit ``convert_expose.go``)."""

from __future__ import annotations

import re
from typing import Final

PROTOCOLS: Final = ("tcp", "udp", "sctp")
_RANGE: Final = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?", re.ASCII)


class PortError(ValueError):
    """Text that names no port: what is wrong, and what to write instead."""

    def __init__(self, what: str, *, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


def parse_ports(written: str) -> tuple[str, ...]:
    """The ports in ``[[address:]host-port:]port[-port][/protocol]``, each as ``80/tcp``.

    >>> parse_ports("8000-8002/udp")
    ('8000/udp', '8001/udp', '8002/udp')
    """
    place, _, inside = written.rpartition(":")
    address, _, host = place.rpartition(":")
    ports, _, protocol = inside.partition("/")
    protocol = protocol.lower() or "tcp"
    if protocol not in PROTOCOLS:
        raise PortError(f"{written}: no such protocol: {protocol!r}", fix="use tcp, udp or sctp")
    first, last = _range(ports, written)
    if host:
        begun, ended = _range(host, written)
        if ended - begun != last - first and first != last:
            raise PortError(
                f"{written}: the two ranges differ in length", fix="name the container's ports alone"
            )
    if address:
        _check_address(address, written)
    return tuple(f"{port}/{protocol}" for port in range(first, last + 1))


def maps_host(written: str) -> bool:
    """Whether the text also names an address or a port of the host, which EXPOSE cannot use."""
    return ":" in written


def _range(text: str, written: str) -> tuple[int, int]:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise PortError(f"{written}: {text!r} is no port", fix="write a number, or a range such as 8000-8010")
    first, last = int(found[1]), int(found[2] or found[1])
    if last > 65535 or first > 65535:
        raise PortError(f"{written}: ports go to 65535", fix="write a number from 0 to 65535")
    if last < first:
        raise PortError(f"{written}: the range ends before it begins", fix=f"write {last}-{first}")
    return first, last


def _check_address(address: str, written: str) -> None:
    import ipaddress  # here, as next to nobody names an address

    try:
        ipaddress.ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise PortError(f"{written}: {address!r} is no IP address", fix="name the port alone") from None
