"""File modes as people write them: octal, or chmod(1)'s symbols (``u=rwX,go=rX``)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

ModeChange: TypeAlias = Callable[[int, bool], int]
"""From the permission bits that a file has, and whether it is a directory, to those it shall have."""

_OCTAL: Final = re.compile(r"[0-7]{1,5}")
_CLAUSE: Final = re.compile(r"([ugoa]*)((?:[-+=][rwxXst]*)+)")
_ACTION: Final = re.compile(r"([-+=])([rwxXst]*)")
_WHO: Final = {"u": 0o4700, "g": 0o2070, "o": 0o1007}
_BITS: Final = {"r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000}


def parse_mode(text: str) -> ModeChange:
    """What ``text`` does to permission bits; ValueError if it is neither octal nor symbolic.

    >>> oct(parse_mode("755")(0o644, False)), oct(parse_mode("u=rwX,go=rX")(0o600, True))
    ('0o755', '0o755')
    """
    if _OCTAL.fullmatch(text):
        fixed = int(text, 8)
        if fixed > 0o7777:
            raise ValueError(f"{text!r} has more than the twelve permission bits")
        return lambda _mode, _is_directory: fixed
    actions: list[tuple[str, str, str]] = []
    for clause in text.split(","):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise ValueError(f"{text!r} is not a mode: write it as 644, 0755 or u=rwX,go=rX")
        actions += [(match[1], sign, bits) for sign, bits in _ACTION.findall(match[2])]

    def change(mode: int, is_directory: bool) -> int:  # noqa: FBT001 - the shape that ModeChange promises
        for who, sign, letters in actions:
            mode = _act(mode, who, sign, letters, executable=is_directory or bool(mode & 0o111))
        return mode

    return change


def _act(mode: int, who: str, sign: str, letters: str, *, executable: bool) -> int:
    names = "ugo" if not who or "a" in who else who
    mask = 0
    for name in names:
        mask |= _WHO[name]
    bits = 0
    for letter in letters:
        if letter == "X":
            bits |= 0o111 if executable else 0
        else:
            bits |= _BITS[letter]
    bits &= mask | (0o1000 if "t" in letters else 0)
    match sign:
        case "+":
            return mode | bits
        case "-":
            return mode & ~bits
    return (mode & ~mask) | bits
