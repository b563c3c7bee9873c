"""Word expansions, in their order: tilde, parameters, commands, arithmetic, fields, names (POSIX XCU 2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from builder.world.shell.arithmetic import evaluate
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import ShellError
from builder.world.shell.fields import Builder, FieldBuilder, PatternBuilder, field_pattern, field_text
from builder.world.shell.pathname import matching_paths
from builder.world.shell.pattern import (
    as_bytes,
    from_bytes,
    matches,
    replaced,
    without_prefix,
    without_suffix,
)
from builder.world.shell.syntax import (
    ArithmeticExpansion,
    CommandSubstitution,
    DoubleQuoted,
    Literal,
    Node,
    Parameter,
    Part,
    Quoted,
    Word,
)
from builder.world.shell.variables import Variables
from unionfs_sim.posix import Posix

_NEEDS_WORK: Final = re.compile(r"[*?\[]|^~")
DEFAULT_IFS: Final = " \t\n"


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

    def home_of(self, user: str, /) -> str | None:
        """The home directory of a user ("": of the caller), or None."""
        ...


class Expander:
    """Expands the words of one shell."""

    def __init__(self, context: Context) -> None:
        self._context = context

    # ---- what a word may become ---------------------------------------------------------------

    def fields(self, words: Iterable[Word]) -> list[str]:
        """The fields that the words of a command become."""
        result: list[str] = []
        for word in words:
            parts = word.parts
            if len(parts) == 1:
                part = parts[0]
                if part.__class__ is Literal and not _NEEDS_WORK.search(part.text):
                    result.append(part.text)
                    continue
                if part.__class__ is Quoted:
                    result.append(part.text)
                    continue
            self._add_fields(parts, result)
        return result

    def _add_fields(self, parts: tuple[Part, ...], result: list[str]) -> None:
        ifs = self._context.variables.get("IFS")
        builder = FieldBuilder(DEFAULT_IFS if ifs is None else ifs)
        self._emit(self._tilde(parts, builder), builder)
        for field in builder.finish():
            pattern = None if self._context.option("f") else field_pattern(field)
            found = matching_paths(self._context.fs, pattern) if pattern is not None else None
            if found:
                result.extend(found)
            else:
                result.append(field_text(field))

    def text(self, word: Word) -> str:
        """The word as one text, neither split nor matched: a target, the subject of ``case``."""
        builder = Builder()
        self._emit(self._tilde(word.parts, builder), builder)
        return builder.text()

    def assigned(self, word: Word) -> str:
        """The value of an assignment: a tilde counts after each colon too."""
        builder = Builder()
        first = True
        for part in word.parts:
            if isinstance(part, Literal) and "~" in part.text:
                pieces = part.text.split(":")
                for number, piece in enumerate(pieces):
                    if number:
                        builder.literal(":")
                    at_start = bool(number) or first
                    self._emit(
                        self._tilde((Literal(piece),), builder) if at_start else (Literal(piece),), builder
                    )
            else:
                self._emit((part,), builder)
            first = False
        return builder.text()

    def pattern(self, word: Word) -> str:
        """The word as a pattern: quoted characters are escaped in it."""
        builder = PatternBuilder()
        self._emit(self._tilde(word.parts, builder), builder)
        return builder.text()

    def matches(self, word: Word, subject: str) -> bool:
        """Whether ``subject`` matches the pattern that the word is (``case``)."""
        pattern = self.pattern(word)
        if self._context.dialect is Dialect.DASH:
            return matches(as_bytes(pattern), as_bytes(subject))
        return matches(pattern, subject)

    def arithmetic(self, parts: tuple[Part, ...]) -> int:
        """The value of an arithmetic expression."""
        builder = Builder()
        self._emit(parts, builder, quoted=True)
        return evaluate(builder.text(), self._context.variables, dialect=self._context.dialect)

    # ---- parts --------------------------------------------------------------------------------

    def _tilde(self, parts: tuple[Part, ...], builder: Builder) -> tuple[Part, ...]:
        """Expand a leading tilde into ``builder``; the parts that are left."""
        if not parts or not isinstance(parts[0], Literal) or not parts[0].text.startswith("~"):
            return parts
        user, slash, rest = parts[0].text[1:].partition("/")
        if not slash and len(parts) > 1:
            return parts
        home = self._context.home_of(user)
        if home is None:
            return parts
        builder.quoted(home)
        return (Literal(slash + rest), *parts[1:]) if slash else parts[1:]

    def _emit(
        self, parts: tuple[Part, ...], builder: Builder, *, quoted: bool = False, operand: bool = False
    ) -> None:
        """Expand ``parts`` into ``builder``. ``operand``: plain text is split too (in ``${x:-word}``)."""
        for part in parts:
            kind = part.__class__
            if kind is Quoted:
                builder.quoted(part.text)  # type: ignore[union-attr]
            elif kind is Literal:
                text = part.text  # type: ignore[union-attr]
                if quoted:
                    builder.quoted(text)
                elif operand:
                    builder.split(text)
                else:
                    builder.literal(text)
            elif isinstance(part, Parameter):
                self._parameter(part, builder, quoted=quoted)
            elif isinstance(part, DoubleQuoted):
                if part.parts != _ALL_PARAMETERS:
                    builder.quoted("")
                self._emit(part.parts, builder, quoted=True)
            elif isinstance(part, CommandSubstitution):
                self._add(self._context.output_of(part.body), builder, quoted=quoted)
            else:
                assert isinstance(part, ArithmeticExpansion), "the last kind of part"
                self._add(str(self.arithmetic(part.parts)), builder, quoted=quoted)

    @staticmethod
    def _add(text: str, builder: Builder, *, quoted: bool) -> None:
        if quoted:
            builder.quoted(text)
        else:
            builder.split(text)

    def _parameter(self, part: Parameter, builder: Builder, *, quoted: bool) -> None:
        name, operator = part.name, part.operator
        if operator == "" and name[0] not in "@*":
            value = self.value(name)
            if value is None:
                self._check_set(name)
            elif quoted:
                builder.quoted(value)
            else:
                builder.split(value)
            return
        if operator == "bad":
            raise ShellError("Bad substitution")
        if operator == "length":
            builder.split(self._length(name)) if not quoted else builder.quoted(self._length(name))
            return
        if operator.lstrip(":") in ("-", "=", "?", "+") and operator:
            self._conditional(part, builder, quoted=quoted)
            return
        if name in ("@", "*") and operator == "":
            self._all_parameters(name, builder, quoted=quoted)
            return
        value = self.value(name)
        if value is None:
            self._check_set(name)
            value = ""
        self._add(self._altered(value, part), builder, quoted=quoted)

    def value(self, name: str) -> str | None:
        """The value of any parameter as one text, or None if it is unset."""
        first = name[0]
        if first.isalpha() or first == "_":
            return self._context.variables.get(name)
        if first in "@*":
            return self._joined(name) if self._context.positional else None
        return self._context.special(name)

    def _check_set(self, name: str) -> None:
        if self._context.option("u") and name not in "@*":
            raise ShellError(f"{name}: parameter not set")

    def _joined(self, name: str) -> str:
        ifs = self._context.variables.get("IFS")
        separator = " " if ifs is None or name == "@" else ifs[:1]
        return separator.join(self._context.positional)

    def _all_parameters(self, name: str, builder: Builder, *, quoted: bool) -> None:
        if name == "*" and quoted:
            builder.quoted(self._joined("*"))
            return
        if not quoted and not isinstance(builder, FieldBuilder):
            builder.split(self._joined("*"))
            return
        for number, value in enumerate(self._context.positional):
            if number:
                builder.boundary()
            self._add(value, builder, quoted=quoted)

    def _length(self, name: str) -> str:
        dash = self._context.dialect is Dialect.DASH
        if name in ("@", "*") and not dash:
            return str(len(self._context.positional))
        value = self.value(name)
        if value is None:
            self._check_set(name)
            return "0"
        # dash counts bytes: it knows no multibyte characters.
        return str(
            len(value.encode("utf-8", "surrogateescape")) if dash and not value.isascii() else len(value)
        )

    def _conditional(self, part: Parameter, builder: Builder, *, quoted: bool) -> None:
        name, operator = part.name, part.operator
        word = part.operand or Word(())
        value = self.value(name)
        use_value = value is not None and not (operator[0] == ":" and value == "")
        kind = operator[-1]
        if kind == "+":
            if use_value:
                self._operand(word, builder, quoted=quoted)
        elif use_value:
            if name in ("@", "*"):
                self._all_parameters(name, builder, quoted=quoted)
            else:
                self._add(value or "", builder, quoted=quoted)
        elif kind == "-":
            self._operand(word, builder, quoted=quoted)
        elif kind == "=":
            if not (name[0].isalpha() or name[0] == "_"):
                raise ShellError(f"{name}: bad variable name")
            assigned = self.text(word)
            self._context.variables.set(name, assigned)
            self._add(assigned, builder, quoted=quoted)
        else:
            message = self.text(word) or (
                "parameter not set or null" if operator[0] == ":" else "parameter not set"
            )
            raise ShellError(f"{name}: {message}")

    def _operand(self, word: Word, builder: Builder, *, quoted: bool) -> None:
        parts = word.parts if quoted else self._tilde(word.parts, builder)
        self._emit(parts, builder, quoted=quoted, operand=True)

    def _altered(self, value: str, part: Parameter) -> str:
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
            return replaced(value, self.pattern(operand), replacement, every=operator == "//")
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


_ALL_PARAMETERS: Final = (Parameter("@"),)
