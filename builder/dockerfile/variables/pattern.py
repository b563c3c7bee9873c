"""The patterns of ``${name#pattern}`` and its kin: ``*``, ``?`` and literal text.

Every operation takes time linear in the value, but for a factor of the pattern's length where it holds
``?``: a regular expression with several ``.*`` could take for ever on a hostile Dockerfile.
"""

from __future__ import annotations

import enum
import re
from functools import cached_property
from typing import Final

from unionfs_sim.nodes.record import Record

MAX_PATTERN: Final = 1024
"""Longer patterns are refused: matching ``?`` costs pattern times value."""


class Extent(enum.Enum):
    """How much of the value a pattern with stars takes."""

    SHORTEST = "shortest"
    LONGEST = "longest"


class Which(enum.Enum):
    """Which matches are replaced."""

    FIRST = "first"
    ALL = "all"


class PatternError(ValueError):
    """The pattern cannot be read."""


class Piece(Record):
    """Text between two stars; None stands for any one character."""

    characters: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.characters)

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(
            "".join("." if each is None else re.escape(each) for each in self.characters), re.DOTALL
        )

    @cached_property
    def _literal(self) -> str | None:
        return None if None in self.characters else "".join(filter(None, self.characters))

    def begins(self, value: str) -> bool:
        """Whether ``value`` starts with this piece."""
        return (
            value.startswith(self._literal) if self._literal is not None else bool(self._regex.match(value))
        )

    def find(self, value: str, start: int) -> int:
        """Where the piece first stands at or after ``start``; -1 if nowhere."""
        if self._literal is not None:
            return value.find(self._literal, start)
        found = self._regex.search(value, start)
        return -1 if found is None else found.start()

    def find_last(self, value: str, start: int) -> int:
        """Where the piece last stands at or after ``start``; -1 if nowhere."""
        if self._literal is not None:
            return value.rfind(self._literal, start)
        mirrored = Piece(self.characters[::-1]).find(value[start:][::-1], 0)
        return -1 if mirrored < 0 else len(value) - mirrored - len(self)


class Pattern(Record):
    """Pieces that stars separate: ``a*b`` is two, ``*`` is two empty ones."""

    pieces: tuple[Piece, ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        r"""The pattern in ``text``; a backslash makes ``*``, ``?``, ``\``, ``/`` and ``}`` ordinary."""
        if len(text) > MAX_PATTERN:
            raise PatternError(f"a pattern may have {MAX_PATTERN} characters, this one has {len(text)}")
        pieces: list[list[str | None]] = [[]]
        at = 0
        while at < len(text):
            character = text[at]
            if character == "*":
                pieces.append([])
            elif character == "\\":
                at += 1
                character = text[at : at + 1]
                if character not in ("*", "?", "\\", "/", "}"):
                    raise PatternError(f"'\\{character}' is no escape in a pattern")
                pieces[-1].append(character)
            else:
                pieces[-1].append(None if character == "?" else character)
            at += 1
        return cls(tuple(Piece(tuple(each)) for each in pieces))

    def mirrored(self) -> Pattern:
        """The pattern that matches reversed text."""
        return Pattern(tuple(Piece(each.characters[::-1]) for each in reversed(self.pieces)))

    def shortest(self, value: str) -> int:
        """The length of the shortest beginning of ``value`` that matches; -1 if none does."""
        if not self.pieces[0].begins(value):
            return -1
        return self._through(value, len(self.pieces[0]), self.pieces[1:])

    def longest(self, value: str) -> int:
        """The length of the longest beginning of ``value`` that matches; -1 if none does."""
        if not self.pieces[0].begins(value):
            return -1
        return self._to_last(value, len(self.pieces[0]))

    def search(self, value: str, start: int) -> tuple[int, int] | None:
        """The leftmost, then longest match at or after ``start``."""
        # If the rest of the pattern fits after any place of the first piece, it fits after the first one.
        first = self.pieces[0].find(value, start)
        end = -1 if first < 0 else self._to_last(value, first + len(self.pieces[0]))
        return None if end < 0 else (first, end)

    def _through(self, value: str, at: int, pieces: tuple[Piece, ...]) -> int:
        for piece in pieces:
            found = piece.find(value, at)
            if found < 0:
                return -1
            at = found + len(piece)
        return at

    def _to_last(self, value: str, at: int) -> int:
        if len(self.pieces) == 1:
            return at
        at = self._through(value, at, self.pieces[1:-1])
        if at < 0:
            return -1
        last = self.pieces[-1].find_last(value, at)
        return -1 if last < 0 else last + len(self.pieces[-1])


def without_prefix(value: str, pattern: Pattern, extent: Extent) -> str:
    """``value`` without the shortest or longest beginning that matches."""
    length = pattern.longest(value) if extent is Extent.LONGEST else pattern.shortest(value)
    return value[max(length, 0) :]


def without_suffix(value: str, pattern: Pattern, extent: Extent) -> str:
    """``value`` without the shortest or longest end that matches."""
    return without_prefix(value[::-1], pattern.mirrored(), extent)[::-1]


def replaced(value: str, pattern: Pattern, replacement: str, which: Which, *, limit: int) -> str:
    """``value`` with its first match or all matches replaced.

    Raises PatternError if the result would be longer than ``limit``.
    """
    pieces: list[str] = []
    at, begun, size = 0, 0, 0
    while at <= len(value) and (found := pattern.search(value, at)) is not None:
        begin, end = found
        # As in Go, an empty match directly after another match does not count.
        if begin != end or begin != begun or not pieces:
            pieces += (value[begun:begin], replacement)
            size += begin - begun + len(replacement)
            begun = end
        if size > limit:
            raise PatternError(f"the result has more than {limit} characters")
        if which is Which.FIRST:
            break
        at = end if end > begin else end + 1
    return "".join((*pieces, value[begun:]))
