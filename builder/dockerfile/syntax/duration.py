"""Durations as Go writes them: ``1m30s`` (package time, ParseDuration)."""

from __future__ import annotations

import re
from typing import Final

_UNITS_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART: Final = re.compile(r"(\d{1,19}(?:\.\d{0,19})?|\.\d{1,19})(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_MAX_NS: Final = 2**63 - 1


def parse_duration(text: str) -> int:
    """The nanoseconds in ``text``, such as ``1m30s``, ``1.5h`` or ``0``; ValueError if it is no duration.

    >>> parse_duration("1m30s")
    90000000000
    """
    from fractions import Fraction  # here, as few Dockerfiles have a duration

    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    at, total = 0, Fraction(0)
    while (part := _PART.match(rest, at)) is not None:
        total += Fraction(part[1].rstrip(".")) * _UNITS_NS[part[2]]
        at = part.end()
    if not rest or at != len(rest) or total > _MAX_NS:
        raise ValueError(f"not a duration: {text!r}")
    return sign * int(total)
