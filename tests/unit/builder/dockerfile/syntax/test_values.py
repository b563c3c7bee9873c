"""Ports, durations and signals, as Go and moby read them."""

from __future__ import annotations

import pytest

from builder.dockerfile.syntax.duration import parse_duration
from builder.dockerfile.syntax.ports import PortError, parse_ports
from builder.dockerfile.syntax.signals import SignalError, parse_signal


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("80", ("80/tcp",)),
        ("80/", ("80/tcp",)),
        ("53/UDP", ("53/udp",)),
        ("80-82/sctp", ("80/sctp", "81/sctp", "82/sctp")),
        ("8080:80", ("80/tcp",)),
        ("127.0.0.1:8080:80", ("80/tcp",)),
        ("[::1]:8080:80", ("80/tcp",)),
        ("8000-8010:80", ("80/tcp",)),
        ("0", ("0/tcp",)),
        ("65535", ("65535/tcp",)),
    ],
)
def test_a_port_is_read(written: str, expected: tuple[str, ...]) -> None:
    assert parse_ports(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "",
        "/tcp",
        "http",
        "80/icmp",
        "65536",
        "90-80",
        "80-",
        "-80",
        "1.2.3:80:80",
        "1-2:3-9",
        "٨٠",
        "9" * 5000,
    ],
)
def test_what_is_no_port_is_refused(written: str) -> None:
    with pytest.raises(PortError):
        parse_ports(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0", 0),
        ("5s", 5_000_000_000),
        ("1h2m3s", 3_723_000_000_000),
        ("1.5s", 1_500_000_000),
        (".5s", 500_000_000),
        ("1.s", 1_000_000_000),
        ("-1ms", -1_000_000),
        ("+1us", 1_000),
        ("1µs", 1_000),
        ("100ns", 100),
    ],
)
def test_a_duration_is_read(written: str, expected: int) -> None:
    assert parse_duration(written) == expected


@pytest.mark.parametrize("written", ["", "5", "s", "5 s", "1d", ".s", "-", "9999999999999h", "1e3s", "--1s"])
def test_what_is_no_duration_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("SIGTERM", 15), ("term", 15), ("9", 9), ("SIGRTMIN+3", 37), ("RTMAX-1", 63), ("SIGIOT", 6)],
)
def test_a_signal_is_read(written: str, expected: int) -> None:
    assert parse_signal(written) == expected


@pytest.mark.parametrize("written", ["", "0", "65", "SIGNONSENSE", "-9", "1e1", "9" * 5000])
def test_what_is_no_signal_is_refused(written: str) -> None:
    with pytest.raises(SignalError):
        parse_signal(written)
