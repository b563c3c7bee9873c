"""The pieces of sed's commands, read: delimited text, expressions, replacements, translations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from builder.world.matching.regex import Pattern, RegexError, bracket, compiled
from builder.world.utilities.commandline import UsageError
from builder.world.utilities.escapes import escape


@dataclass(frozen=True, slots=True)
class Substitution:
    """What ``s`` does. ``replacement``: literal bytes, group numbers, and one-letter case conversions."""

    pattern: Pattern | None
    replacement: tuple[bytes | int | str, ...]
    everywhere: bool
    nth: int
    prints: bool
    file: bytes


class Reader:
    """A place in a script, moved on by what is read."""

    def __init__(self, text: bytes, *, extended: bool, check: Callable[[], None]) -> None:
        self.text = text
        self.extended = extended
        self._check = check
        self.at = 0

    def _peek(self) -> bytes:
        return self.text[self.at : self.at + 1]

    def _skip(self, characters: bytes) -> None:
        while self.at < len(self.text) and self.text[self.at] in characters:
            self.at += 1

    def _number(self) -> int:
        start = self.at
        self._skip(b"0123456789")
        return int(self.text[start : self.at])

    def _delimited(self, delimiter: bytes, *, regex: bool) -> bytes:
        """The text up to the next ``delimiter``; an escaped delimiter stands for itself."""
        made = bytearray()
        while True:
            char = self._peek()
            if not char:
                raise UsageError(f"unmatched '{delimiter.decode('latin-1')}'")
            self.at += 1
            if char == delimiter:
                return bytes(made)
            if char == b"[" and regex:
                made += char + self._bracket()
            elif char == b"\\":
                following = self._peek()
                self.at += 1
                if following == delimiter:
                    # Where the delimiter is an operator, escaping it must not make it one again.
                    made += following if not regex or following not in b"()|{}+?.*[]^$" else b"\\" + following
                else:
                    made += char + following
            else:
                made += char

    def _bracket(self) -> bytes:
        try:
            _, end = bracket(self.text, self.at)
        except RegexError:
            return b""
        inside = self.text[self.at : end]
        self.at = end
        return inside.replace(b"\\n", b"\n").replace(b"\\t", b"\t")

    def _pattern(self, delimiter: bytes, flags: bytes = b"") -> Pattern | None:
        return self._compile(self._delimited(delimiter, regex=True), flags or self._flags(b"IM"))

    def _flags(self, allowed: bytes) -> bytes:
        start = self.at
        self._skip(allowed)
        return self.text[start : self.at]

    def _compile(self, source: bytes, flags: bytes) -> Pattern | None:
        if not source:
            return None
        try:
            return compiled(
                _with_escapes(source),
                extended=self.extended,
                ignore_case=b"I" in flags or b"i" in flags,
                multiline=b"M" in flags or b"m" in flags,
                check=self._check,
            )
        except RegexError as error:
            raise UsageError(f"bad regex '{source.decode(errors='replace')}': {error}") from error

    def _substitution(self) -> Substitution:
        delimiter = self._peek()
        if not delimiter or delimiter in b"\n\\":
            raise UsageError("bad format in substitution expression")
        self.at += 1
        source = self._delimited(delimiter, regex=True)
        replacement = self._delimited(delimiter, regex=False)
        everywhere, prints, nth, flags, file = False, False, 0, b"", b""
        while (char := self._peek()) and char not in b"\n;}# \t":
            if char.isdigit():
                nth = self._number()
                continue
            self.at += 1
            if char == b"g":
                everywhere = True
            elif char == b"p":
                prints = True
            elif char in b"iImM":
                flags += char
            elif char == b"w":
                self._skip(b" \t")
                file = self._word(b"\n")
                break
            else:
                raise UsageError("bad option in substitution expression")
        pattern = self._compile(source, flags)
        parts = _replacement(replacement)
        if pattern is not None and any(isinstance(part, int) and part > pattern.groups for part in parts):
            raise UsageError("invalid reference on s command's RHS")
        return Substitution(pattern, parts, everywhere, nth, prints, file)

    def _translation(self) -> bytes:
        delimiter = self._peek()
        self.at += 1
        sides = []
        for _ in range(2):
            side = self._delimited(delimiter, regex=False)
            sides.append(side.replace(b"\\n", b"\n").replace(b"\\t", b"\t").replace(b"\\\\", b"\\"))
        if len(sides[0]) != len(sides[1]):
            raise UsageError("strings for 'y' command are different lengths")
        return bytes.maketrans(sides[0], sides[1])

    def _word(self, ends: bytes) -> bytes:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in ends:
            self.at += 1
        return self.text[start : self.at].rstrip(b" \t")


def _with_escapes(source: bytes) -> bytes:
    r"""The expression with ``\t`` and its kin resolved, which POSIX expressions do not know."""
    made, at = bytearray(), 0
    while at < len(source):
        pair = source[at : at + 2]
        if pair[:1] == b"\\" and len(pair) == 2:
            made += escape(source, at + 1)[0] if pair[1:] in (b"t", b"r", b"f", b"v", b"a") else pair
            at += 2
        else:
            made += pair[:1]
            at += 1
    return bytes(made)


def _replacement(text: bytes) -> tuple[bytes | int | str, ...]:
    parts: list[bytes | int | str] = []
    literal = bytearray()

    def flush(part: int | str) -> None:
        if literal:
            parts.append(bytes(literal))
            literal.clear()
        parts.append(part)

    at = 0
    while at < len(text):
        char = text[at : at + 1]
        at += 1
        if char == b"&":
            flush(0)
        elif char == b"\\" and at < len(text):
            following = text[at : at + 1]
            if following.isdigit():
                flush(int(following))
                at += 1
            elif following in b"ULEul":
                flush(following.decode())
                at += 1
            elif following in b"ntrfvax":
                piece, at = escape(text, at)
                literal += piece
            else:
                literal += following
                at += 1
        else:
            literal += char
    if literal:
        parts.append(bytes(literal))
    return tuple(parts)
