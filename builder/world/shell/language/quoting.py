"""How a shell writes a text so that it can be read back, and how ``$'…'`` is read."""

from __future__ import annotations

import re
from typing import Final

_ANSI: Final = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}


def quoted(text: str) -> str:
    """``text`` in single quotes.

    >>> print(quoted("it's"))
    'it'"'"'s'
    """
    return "'" + text.replace("'", "'\"'\"'") + "'"


def unescaped_ansi(text: str) -> str:
    r"""What ``$'text'`` stands for (bash and busybox; POSIX.1-2024).

    >>> unescaped_ansi(r"a\tb\x41")
    'a\tbA'
    """

    def replaced(match: re.Match[str]) -> str:
        code = match[1]
        if code in _ANSI:
            return _ANSI[code]
        if code[0] == "x" and len(code) > 1:
            return bytes([int(code[1:], 16)]).decode("utf-8", "surrogateescape")
        if code[0] in "uU" and len(code) > 1:
            return chr(int(code[1:], 16))
        if code[0] in "01234567":
            return bytes([int(code, 8) & 255]).decode("utf-8", "surrogateescape")
        return code if code in "\\'\"?" else "\\" + code

    pattern = r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|[0-7]{1,3}|.)"
    return re.sub(pattern, replaced, text, flags=re.DOTALL)
