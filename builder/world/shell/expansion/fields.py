"""Where expanded text goes: into fields (split by IFS), into one text, or into a pattern."""

from __future__ import annotations

import functools
import re
from typing import Final

from builder.world.matching.pattern import SPECIAL, escaped


class Builder:
    """Takes the pieces of one word from left to right, and makes one text of them."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def literal(self, text: str) -> None:
        """Unquoted text of the script itself."""
        self.pieces.append(text)

    def quoted(self, text: str) -> None:
        """Quoted text, or a quoted expansion."""
        self.pieces.append(text)

    def split(self, text: str) -> None:
        """The result of an unquoted expansion."""
        self.pieces.append(text)

    def boundary(self) -> None:
        """Between two positional parameters of ``$@``."""
        self.pieces.append(" ")


class PatternBuilder(Builder):
    """Makes a pattern: quoted text loses its special meaning."""

    def quoted(self, text: str) -> None:
        """Text that matches itself."""
        self.pieces.append(escaped(text))


@functools.lru_cache(maxsize=64)
def _delimiter(ifs: str) -> re.Pattern[str]:
    """What ends a field (POSIX XCU 2.6.5): group 1 is there if a character that is no blank is in it."""
    blanks = (
        "[" + re.escape("".join(c for c in ifs if c in " \t\n")) + "]"
        if any(c in " \t\n" for c in ifs)
        else ""
    )
    others = "".join(c for c in ifs if c not in " \t\n")
    around = f"{blanks}*" if blanks else ""
    alternatives = ([f"{around}([{re.escape(others)}]){around}"] if others else []) + (
        [f"{blanks}+"] if blanks else []
    )
    return re.compile("|".join(alternatives))


class FieldBuilder(Builder):
    """Makes fields of one word. A field is a list of pieces, each quoted or not."""

    def __init__(self, ifs: str) -> None:
        super().__init__()
        self._ifs = ifs
        self._current: list[tuple[str, bool]] | None = None
        self.fields: list[list[tuple[str, bool]]] = []

    def literal(self, text: str) -> None:
        """Text that is matched against names, and not split."""
        self._add(text, quoted=False)

    def quoted(self, text: str) -> None:
        """Text that is neither split nor matched; "" makes a field too."""
        self._add(text, quoted=True)

    def _add(self, text: str, *, quoted: bool) -> None:
        if self._current is None:
            self._current = []
        self._current.append((text, quoted))

    def split(self, text: str) -> None:
        """Text that IFS splits and that is matched against names."""
        if not text:
            return
        if not self._ifs:
            self._add(text, quoted=False)
            return
        position = 0
        for match in _delimiter(self._ifs).finditer(text):
            if match.start() > position:
                self._add(text[position : match.start()], quoted=False)
            position = match.end()
            self._delimit(hard=match.lastindex is not None)
        if position < len(text):
            self._add(text[position:], quoted=False)

    def _delimit(self, *, hard: bool) -> None:
        if self._current is not None:
            self.fields.append(self._current)
            self._current = None
        elif hard:
            self.fields.append([])

    def boundary(self) -> None:
        """End the field, whatever IFS is."""
        if self._current is not None:
            self.fields.append(self._current)
            self._current = None

    def finish(self) -> list[list[tuple[str, bool]]]:
        """The fields of the word."""
        self.boundary()
        return self.fields


_TEST: Final = [("[", False)]
"""The commonest word with a bracket is no pattern: no directory need be read for it."""


def field_text(field: list[tuple[str, bool]]) -> str:
    """The field as plain text."""
    return field[0][0] if len(field) == 1 else "".join(piece for piece, _ in field)


def field_pattern(field: list[tuple[str, bool]]) -> str | None:
    """The field as a pattern; None if nothing unquoted in it is special."""
    if field == _TEST or not any(not quoted and SPECIAL.search(piece) for piece, quoted in field):
        return None
    return "".join(escaped(piece) if quoted else piece for piece, quoted in field)
