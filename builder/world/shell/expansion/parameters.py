"""The values of parameters, and what ``${name operator word}`` makes of them (POSIX XCU 2.6.2)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from builder.world.matching.pattern import (
    as_bytes,
    from_bytes,
    matches,
    replaced,
    without_prefix,
    without_suffix,
)
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import ShellError
from builder.world.shell.expansion.arithmetic import evaluate
from builder.world.shell.expansion.variables import Variables
from builder.world.shell.language.syntax import Node, Parameter, Word
from unionfs_sim.vfs.posix import Posix


class Context(Protocol):
    """The shell that a word is expanded in."""

    @property
    def variables(self) -> Variables:
        """Its variables."""
        ...

    @property
    def positional(self) -> Sequence[str]:
        """``$1`` and so on."""
        ...

    @property
    def fs(self) -> Posix:
        """The tree that patterns are matched against."""
        ...

    @property
    def dialect(self) -> Dialect:
        """Which shell it is."""
        ...

    def option(self, letter: str, /) -> bool:
        """Whether ``set -letter`` is on."""
        ...

    def special(self, name: str, /) -> str | None:
        """The value of ``$?``, ``$#``, ``$$`` and their kin, or of a positional parameter."""
        ...

    def output_of(self, body: Node, /) -> str:
        """What the commands print, run in a subshell."""
        ...

    def account_memory(self, size: int, /) -> None:
        """Be told how many characters are about to be held; raises when they are too many."""
        ...

    def home_of(self, user: str, /) -> str | None:
        """The home directory of a user ("": of the caller), or None."""
        ...


class ParameterValues(ABC):
    """Looks parameters up in a shell, and cuts and changes their values."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @abstractmethod
    def text(self, word: Word) -> str:
        """The word as one text."""

    @abstractmethod
    def pattern(self, word: Word) -> str:
        """The word as a pattern."""

    def value(self, name: str) -> str | None:
        """The value of any parameter as one text, or None if it is unset."""
        first = name[0]
        if first.isalpha() or first == "_":
            return self._context.variables.get(name)
        if first in "@*":
            return self.joined(name) if self._context.positional else None
        return self._context.special(name)

    def check_set(self, name: str) -> None:
        """Raise ShellError for an unset parameter under ``set -u``."""
        if self._context.option("u") and name not in "@*":
            raise ShellError(f"{name}: parameter not set")

    def joined(self, name: str) -> str:
        """All positional parameters as one text: ``$*`` by the first character of IFS, ``$@`` by spaces."""
        ifs = self._context.variables.get("IFS")
        separator = " " if ifs is None or name == "@" else ifs[:1]
        return separator.join(self._context.positional)

    def length(self, name: str) -> str:
        """``${#name}``."""
        dash = self._context.dialect is Dialect.DASH
        if name in ("@", "*") and not dash:
            return str(len(self._context.positional))
        value = self.value(name)
        if value is None:
            self.check_set(name)
            return "0"
        # dash counts bytes: it knows no multibyte characters.
        return str(
            len(value.encode("utf-8", "surrogateescape")) if dash and not value.isascii() else len(value)
        )

    def altered(self, value: str, part: Parameter) -> str:
        """``value`` as the operator of ``part`` cuts or changes it."""
        operator, operand = part.operator, part.operand or Word(())
        if operator[0] in "#%":
            cut = without_prefix if operator[0] == "#" else without_suffix
            pattern, longest = self.pattern(operand), len(operator) == 2
            if self._context.dialect is Dialect.DASH:
                return from_bytes(cut(as_bytes(value), as_bytes(pattern), longest=longest))
            return cut(value, pattern, longest=longest)
        if operator in ("/", "//"):
            replacement = self.text(part.second) if part.second is not None else ""
            every, account = operator == "//", self._context.account_memory
            return replaced(value, self.pattern(operand), replacement, account, every=every)
        if operator == ":":
            return self._piece(value, operand, part.second)
        pattern = self.pattern(operand) or "?"
        change = str.upper if operator[0] == "^" else str.lower
        if len(operator) == 2:
            return "".join(change(c) if matches(pattern, c) else c for c in value)
        return change(value[:1]) + value[1:] if value and matches(pattern, value[0]) else value

    def _piece(self, value: str, offset: Word, length: Word | None) -> str:
        names, dialect = self._context.variables, self._context.dialect
        start = evaluate(self.text(offset) or "0", names, dialect=dialect)
        start = max(0, len(value) + start) if start < 0 else start
        if length is None:
            return value[start:]
        count = evaluate(self.text(length) or "0", names, dialect=dialect)
        return value[start : len(value) + count if count < 0 else start + count]
