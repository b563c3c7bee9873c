"""Text for a terminal: lines with a tone, names that cannot steer it, columns that fit."""

from __future__ import annotations

import enum
import unicodedata
from typing import NamedTuple


class Tone(enum.Enum):
    """What a line says, for whoever colours it."""

    PLAIN = "plain"
    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"
    NOTE = "note"
    ERROR = "error"


class Line(NamedTuple):
    """One line of text."""

    text: str
    tone: Tone = Tone.PLAIN


def printable(text: str) -> str:
    """A name as a terminal can show it: control characters and bytes that are not UTF-8 as escapes.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown)


def width_of(text: str) -> int:
    """Columns on a terminal: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def fitted(text: str, width: int) -> str:
    """``text`` in exactly ``width`` columns: filled with blanks, or cut in its middle with an ellipsis."""
    taken = width_of(text)
    if taken <= width:
        return text + " " * (width - taken)
    if width < 3:
        return "…"[:width] + " " * max(0, width - 1)
    head, tail = "", ""
    while width_of(head + tail) < width - 1:
        side = text[len(head)] if len(head) <= len(tail) else text[-1 - len(tail)]
        if width_of(head + side + tail) > width - 1:
            break
        if len(head) <= len(tail):
            head += side
        else:
            tail = side + tail
    cut = f"{head}…{tail}"
    return cut + " " * (width - width_of(cut))


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 name``, ``2 names``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
