"""Sizes as people read them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = "KMGTPE"


def human(size: int) -> str:
    """A size with one decimal and a unit, as busybox's -h shows it.

    >>> human(1536), human(10)
    ('1.5K', '10')
    """
    if size < 1024:
        return str(size)
    power = 1
    while (tenths := (size * 10 + 1024**power // 2) // 1024**power) >= 10240 and power < len(_UNITS):
        power += 1
    return f"{tenths // 10}.{tenths % 10}{_UNITS[power - 1]}"
