"""The backslash escapes that echo, printf, tr and sed know."""

from __future__ import annotations

from typing import Final

SIMPLE: Final = {
    ord("a"): 7,
    ord("b"): 8,
    ord("e"): 27,
    ord("f"): 12,
    ord("n"): 10,
    ord("r"): 13,
    ord("t"): 9,
    ord("v"): 11,
    ord("\\"): 92,
}
"""What one letter after a backslash stands for."""

_OCTAL: Final = b"01234567"
_HEX: Final = b"0123456789abcdefABCDEF"


def _digits(text: bytes, at: int, alphabet: bytes, most: int) -> int:
    end = at
    while end < len(text) and end - at < most and text[end] in alphabet:
        end += 1
    return end


def escape(text: bytes, at: int) -> tuple[bytes, int]:
    r"""The byte that the escape at ``text[at]`` (after the backslash) stands for, and where it ends.

    An unknown escape stands for itself, backslash included.

    >>> escape(b"\\101b", 1)
    (b'A', 4)
    """
    if at >= len(text):
        return b"\\", at
    letter = text[at]
    if letter in SIMPLE:
        return bytes([SIMPLE[letter]]), at + 1
    if letter in _OCTAL:
        end = _digits(text, at, _OCTAL, 3)
        if int(text[at:end], 8) > 255:
            end -= 1
        return bytes([int(text[at:end], 8)]), end
    if letter == ord("x"):
        end = _digits(text, at + 1, _HEX, 2)
        if end > at + 1:
            return bytes([int(text[at + 1 : end], 16)]), end
    return b"\\" + text[at : at + 1], at + 1


def unescape(text: bytes) -> tuple[bytes, bool]:
    r"""``text`` with its escapes resolved, and whether ``\c`` ended it (echo -e and printf's %b).

    An octal number may have a zero before its three digits (POSIX printf, "%b").

    >>> unescape(b"a\\0101\\cb")
    (b'aA', True)
    """
    pieces: list[bytes] = []
    at = 0
    while True:
        backslash = text.find(b"\\", at)
        if backslash < 0:
            pieces.append(text[at:])
            return b"".join(pieces), False
        pieces.append(text[at:backslash])
        at = backslash + 1
        if text[at : at + 1] == b"c":
            return b"".join(pieces), True
        if text[at : at + 1] == b"0" and text[at + 1 : at + 2].strip(_OCTAL) == b"" and at + 1 < len(text):
            at += 1
        piece, at = escape(text, at)
        pieces.append(piece)
