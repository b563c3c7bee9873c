"""Reads one word with variables, quotes and escapes: the machine behind ``expand`` and ``heredoc``."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from functools import cache
from typing import Final, TypeAlias

from builder.dockerfile.variables.pattern import (
    Extent,
    Pattern,
    PatternError,
    Which,
    replaced,
    without_prefix,
    without_suffix,
)
from unionfs_sim.nodes.record import Record

Lookup: TypeAlias = Callable[[str], str | None]
"""A variable's value by name; None if it is not set."""

MAX_WORD: Final = 128 * 1024
"""No expanded word is longer: the kernel refuses longer ones (MAX_ARG_STRLEN, execve(2)). Without a limit
forty lines of ``ENV a=$a$a`` would fill any memory."""

_MAX_DEPTH: Final = 60
_NAME: Final = re.compile(r"\d+|[@*#?\-$!]|\w+")
_MODIFIERS: Final = "use one of :- - :+ + :? ? # ## % %% / //"
_CLOSE: Final = "close it with }"


class ExpansionError(ValueError):
    """A word that cannot be expanded: what is wrong, and what to write instead."""

    def __init__(self, what: str, *, fix: str | None = None) -> None:
        super().__init__(what)
        self.fix = fix


class Quotes(enum.Enum):
    """What becomes of quotes."""

    REMOVE = "they group and vanish"
    KEEP = "they group and stay"
    ORDINARY = "they are characters like others"


class Dialect(Record):
    """How a word is read, and what of it stays as written."""

    escape: str = "\\"
    quotes: Quotes = Quotes.REMOVE
    escapes_stay: bool = False
    unset_stays: bool = False
    limit: int = MAX_WORD


Piece: TypeAlias = tuple[str, bool]
"""Text, and whether blanks in it separate words."""


@cache
def _ordinary(escape: str, stop: str | None, quotes: Quotes) -> re.Pattern[str]:
    special = "$<" + escape + (stop or "") + ("" if quotes is Quotes.ORDINARY else "'\"")
    return re.compile(f"[^{re.escape(special)}]+")


class Reader:
    """Reads one word from left to right."""

    __slots__ = ("_at", "_depth", "_dialect", "_literal", "_lookup", "_room", "_text")

    def __init__(self, text: str, lookup: Lookup, dialect: Dialect) -> None:
        self._text = text
        self._lookup = lookup
        self._dialect = dialect
        self._literal = dialect.escapes_stay
        self._at = 0
        self._depth = 0
        self._room = max(dialect.limit, len(text))

    def read(self) -> list[Piece]:
        """The pieces of the whole word."""
        return self._until(None, literal=self._literal)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1 : self._at]

    def _until(self, stop: str | None, *, literal: bool) -> list[Piece]:
        """The pieces before ``stop``, which is passed over, or before the end where there is no ``stop``."""
        dialect = self._dialect
        ordinary = _ordinary(dialect.escape, stop, dialect.quotes)
        before, self._literal = self._literal, literal
        pieces: list[Piece] = []
        while self._at < len(self._text):
            if (run := ordinary.match(self._text, self._at)) is not None:
                pieces.append((run.group(), True))
                self._at = run.end()
                continue
            sign = self._peek()
            if sign == stop:
                self._at += 1
                self._literal = before
                return pieces
            pieces += self._special(sign)
        if stop is not None:
            raise ExpansionError(f"{stop!r} is missing", fix=_CLOSE if stop == "}" else f"add {stop!r}")
        self._literal = before
        return pieces

    def _special(self, sign: str) -> list[Piece]:
        if sign == "$":
            return [(self._dollar(), True)]
        if sign == "<":
            return [(self._less(), False)]
        if sign == "'" and self._dialect.quotes is not Quotes.ORDINARY:
            return [(self._single(), False)]
        if sign == '"' and self._dialect.quotes is not Quotes.ORDINARY:
            return [(self._double(), False)]
        self._at += 1
        escaped = [(sign, False)] if self._literal else []
        return [*escaped, (self._next(), False)]

    def _less(self) -> str:
        """``<``, or ``<<`` with the blanks behind it: they belong to the delimiter of a heredoc."""
        self._at += 1
        if self._peek() != "<":
            return "<"
        begun = self._at
        self._at += 1
        while self._peek() in (" ", "\t", "\r", "\n"):
            self._at += 1
        return "<" + self._text[begun : self._at]

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise ExpansionError("a single quote is opened and never closed", fix="close it with '")
        inner = self._text[self._at + 1 : end]
        self._at = end + 1
        return f"'{inner}'" if self._dialect.quotes is Quotes.KEEP else inner

    def _double(self) -> str:
        escape = self._dialect.escape
        inner = _ordinary(escape, '"', Quotes.ORDINARY)
        out = [self._next() if self._dialect.quotes is Quotes.KEEP else self._next()[:0]]
        while self._at < len(self._text):
            if (run := inner.match(self._text, self._at)) is not None:
                out.append(run.group())
                self._at = run.end()
                continue
            sign = self._peek()
            if sign == "$":
                out.append(self._dollar())
                continue
            self._at += 1
            if sign == '"':
                out.append('"' if self._dialect.quotes is Quotes.KEEP else "")
                return "".join(out)
            if sign == escape:
                # Between double quotes an escape counts only before these three; else it is a character.
                out.append(escape if self._literal else "")
                follows = self._peek()
                if not follows:
                    continue
                sign = self._next() if follows in ('"', "$", escape) else escape
            out.append(sign)
        raise ExpansionError("a double quote is opened and never closed", fix='close it with "')

    def _name(self) -> str:
        found = _NAME.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found.group()

    def _value(self, name: str) -> str | None:
        value = self._lookup(name)
        self._spend(value or "")
        return value

    def _spend(self, text: str) -> None:
        self._room -= len(text)
        if self._room < 0:
            raise ExpansionError(
                f"the expanded word is longer than {self._dialect.limit} characters",
                fix="no program could be started with it: write less into the variable",
            )

    def _dollar(self) -> str:
        self._at += 1
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            value = self._value(name)
            return value if value is not None else f"${name}" if self._dialect.unset_stays else ""
        self._at += 1
        follows = self._peek()
        if not follows:
            raise ExpansionError("'}' is missing", fix=_CLOSE)
        if follows in "{}:":
            raise ExpansionError(f"${{{follows}: a variable's name is missing", fix="write ${name}")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ExpansionError(f"more than {_MAX_DEPTH} ${{…}} inside each other", fix="use fewer of them")
        result = self._braced(self._name())
        self._depth -= 1
        return result

    def _braced(self, name: str) -> str:
        sign = self._next()
        if sign == "}":
            value = self._value(name)
            return value if value is not None else f"${{{name}}}" if self._dialect.unset_stays else ""
        if sign == "/":
            return self._replace(name)
        colon = sign == ":"
        if colon:
            sign = self._next()
        modifier = ":" + sign if colon else sign
        if not sign:
            raise ExpansionError("'}' is missing", fix=_CLOSE)
        if sign not in "-+?#%" or (colon and sign in "#%"):
            raise ExpansionError(f"${{{name}{modifier}…}}: {modifier!r} is no modifier", fix=_MODIFIERS)
        word = "".join(text for text, _ in self._until("}", literal=sign in "#%"))
        value = self._value(name)
        if value is None and self._dialect.unset_stays:
            return f"${{{name}{modifier}{word}}}"
        if sign in "#%":
            return self._trimmed(value or "", sign, word)
        return _chosen(name, modifier, value, word)

    def _trimmed(self, value: str, sign: str, word: str) -> str:
        extent = Extent.LONGEST if word.startswith(sign) else Extent.SHORTEST
        pattern = self._pattern(word.removeprefix(sign))
        return (
            without_prefix(value, pattern, extent) if sign == "#" else without_suffix(value, pattern, extent)
        )

    def _replace(self, name: str) -> str:
        which = Which.FIRST
        if self._peek() == "/":
            self._at += 1
            which = Which.ALL
        text = "".join(text for text, _ in self._until("/", literal=True))
        replacement = "".join(text for text, _ in self._until("}", literal=True))
        value = self._value(name)
        if value is None and self._dialect.unset_stays:
            return f"${{{name}/{text}/{replacement}}}"
        try:
            result = replaced(value or "", self._pattern(text), replacement, which, limit=self._dialect.limit)
        except PatternError as error:
            raise ExpansionError(f"${{{name}/{text}/…}}: {error}") from None
        self._spend(result)
        return result

    def _pattern(self, text: str) -> Pattern:
        try:
            return Pattern.parse(text)
        except PatternError as error:
            raise ExpansionError(
                f"pattern {text[:40]!r}: {error}", fix="use * and ?; escape with \\"
            ) from None


def _chosen(name: str, modifier: str, value: str | None, word: str) -> str:
    """The result of ``${name:-word}`` and its kin (POSIX Shell Command Language, 2.6.2)."""
    missing = value is None or (modifier.startswith(":") and not value)
    match modifier[-1]:
        case "-":
            return word if missing else value or ""
        case "+":
            return "" if missing else word
    if missing:
        state = "unset" if value is None else "empty"
        raise ExpansionError(
            f"{name}: {word or f'must not be {state}'}",
            fix=f"give it a value with --build-arg {name}=…, ARG {name}=… or ENV {name}=…",
        )
    return value or ""
