"""How a shell writes a text so that it can be read back."""

from __future__ import annotations


def quoted(text: str) -> str:
    """``text`` in single quotes.

    >>> print(quoted("it's"))
    'it'"'"'s'
    """
    return "'" + text.replace("'", "'\"'\"'") + "'"
