"""File modes as people write them: octal, or chmod(1)'s symbols (``u=rwX,go=rX``, ``g=u``)."""

from __future__ import annotations

import re
from typing import Final

from unionfs_sim.nodes.record import Record

_OCTAL: Final = re.compile(r"[0-7]{1,5}")
_CLAUSE: Final = re.compile(r"([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)")
_ACTION: Final = re.compile(r"([-+=])([ugo]|[rwxXst]*)")
_WHO: Final = {"u": 0o4700, "g": 0o2070, "o": 0o1007}
_BITS: Final = {"r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000}
_SHIFT: Final = {"u": 6, "g": 3, "o": 0}
_NEW_DIRECTORY: Final = 0o755


class ModeChange(Record):
    """What --chmod does: a number for everything (``fixed``), or actions on the bits that are there."""

    fixed: int | None
    actions: tuple[tuple[str, str, str], ...] = ()

    def __call__(self, mode: int, *, is_directory: bool) -> int:
        """The permission bits that a file with ``mode`` shall have."""
        if self.fixed is not None:
            return self.fixed
        for who, sign, letters in self.actions:
            mode = _act(mode, who, sign, letters, executable=is_directory or bool(mode & 0o111))
        return mode

    @property
    def new_directory(self) -> int:
        """The mode of directories that are made on the way: a number holds for them too, symbols do not.

        Source: fsutil ``copy.go``, ``Copy``: the mode that ``MkdirAll`` is given, cut to nine bits.
        """
        return _NEW_DIRECTORY if self.fixed is None else self.fixed & 0o777


def parse_mode(text: str) -> ModeChange:
    """What ``text`` does to permission bits; ValueError if it is neither octal nor symbolic.

    >>> oct(parse_mode("755")(0o644, is_directory=False)), oct(parse_mode("g=u")(0o640, is_directory=False))
    ('0o755', '0o660')
    """
    if _OCTAL.fullmatch(text):
        fixed = int(text, 8)
        if fixed > 0o7777:
            raise ValueError(f"{text!r} has more than the twelve permission bits")
        return ModeChange(fixed)
    actions: list[tuple[str, str, str]] = []
    for clause in text.split(","):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise ValueError(f"{text!r} is not a mode: write it as 644, 0755, u=rwX,go=rX or g=u")
        actions += [(match[1], sign, bits) for sign, bits in _ACTION.findall(match[2])]
    return ModeChange(None, tuple(actions))


def _act(mode: int, who: str, sign: str, letters: str, *, executable: bool) -> int:
    names = "ugo" if not who or "a" in who else who
    mask = 0
    for name in names:
        mask |= _WHO[name]
    bits = 0
    if letters in _SHIFT:
        bits = (mode >> _SHIFT[letters] & 7) * 0o111
    else:
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
