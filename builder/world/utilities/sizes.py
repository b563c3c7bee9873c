"""Sizes as people read them."""

from __future__ import annotations


def human(size: int) -> str:
    """A size with one decimal and a unit, as busybox's -h shows it.

    >>> human(1536), human(10)
    ('1.5K', '10')
    """
    if size < 1024:
        return str(size)
    scale = 1024
    for unit in "KMGTPE":
        tenths = (size * 10 + scale // 2) // scale
        if tenths < 10240:
            break
        scale *= 1024
    return f"{tenths // 10}.{tenths % 10}{unit}"
