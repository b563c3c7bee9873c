"""Modes as chmod writes them, octal and symbolic (POSIX chmod), and as ls shows them."""

from __future__ import annotations

import re
import stat
from typing import Final

_CLAUSE: Final = re.compile(r"([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)")
_ACTION: Final = re.compile(r"([-+=])([ugo]|[rwxXst]*)")
_WHO: Final = {"u": 0o4700, "g": 0o2070, "o": 0o0007, "a": 0o7777}
_BITS: Final = {"r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000}
_SHIFT: Final = {"u": 6, "g": 3, "o": 0}


class ModeError(ValueError):
    """A mode that cannot be read."""


def changed_mode(text: str, mode: int, *, umask: int, directory: bool) -> int:
    """The permission bits that ``text`` makes of ``mode``. Raises ModeError.

    >>> oct(changed_mode("u=rw,go-rwx", 0o755, umask=0o022, directory=False))
    '0o600'
    """
    if re.fullmatch("[0-7]+", text):
        value = int(text, 8)
        if value > 0o7777:
            raise ModeError(text)
        return value
    mode &= 0o7777
    for part in text.removesuffix(",").split(",") if text else ():
        clause = _CLAUSE.fullmatch(part)
        if clause is None:
            raise ModeError(text)
        who = 0
        for letter in clause[1]:
            who |= _WHO[letter]
        # Without a who, the bits that the umask names are left alone.
        allowed = who or (0o7777 & ~umask)
        for action in _ACTION.finditer(clause[2]):
            mode = _acted(action[1], action[2], mode, who or 0o7777, allowed, directory=directory)
    return mode


def _acted(operator: str, permissions: str, mode: int, who: int, allowed: int, *, directory: bool) -> int:
    bits = 0
    if permissions in _SHIFT and permissions:
        bits = ((mode >> _SHIFT[permissions]) & 7) * 0o111
    else:
        for letter in permissions:
            if letter == "X":
                bits |= 0o111 if directory or mode & 0o111 else 0
            else:
                bits |= _BITS[letter]
    bits &= allowed
    if operator == "-":
        return mode & ~bits
    if operator == "=":
        mode &= ~(who & 0o7777)
    return mode | bits


def shown(mode: int) -> str:
    """The ten characters that ls -l shows for a mode."""
    return stat.filemode(mode)
