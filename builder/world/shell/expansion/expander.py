"""Word expansions, in their order: tilde, parameters, commands, arithmetic, fields, names (POSIX XCU 2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from builder.world.matching.pattern import (
    as_bytes,
    matches,
)
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import ShellError
from builder.world.shell.expansion.arithmetic import evaluate
from builder.world.shell.expansion.fields import (
    Builder,
    FieldBuilder,
    PatternBuilder,
    field_pattern,
    field_text,
)
from builder.world.shell.expansion.parameters import ParameterValues
from builder.world.shell.expansion.pathname import matching_paths
from builder.world.shell.language.syntax import (
    ArithmeticExpansion,
    CommandSubstitution,
    DoubleQuoted,
    Literal,
    Parameter,
    Part,
    Quoted,
    Word,
)

_NEEDS_WORK: Final = re.compile(r"[*?\[]|^~")
_WORTH_ACCOUNTING: Final = 1 << 16
_MANY_FIELDS: Final = 10_000
_FIELD_BYTES: Final = 64
"""What a short word costs Python."""
DEFAULT_IFS: Final = " \t\n"


class Expander(ParameterValues):
    """Expands the words of one shell."""

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
            if len(result) > _MANY_FIELDS:
                self._context.account_memory(len(result) * _FIELD_BYTES)
        return result

    def _add_fields(self, parts: tuple[Part, ...], result: list[str]) -> None:
        ifs = self._context.variables.get("IFS")
        builder = FieldBuilder(DEFAULT_IFS if ifs is None else ifs)
        self._emit(self._tilde(parts, builder), builder)
        fields = builder.finish()
        self._account(piece for field in fields for piece, _ in field)
        for field in fields:
            pattern = None if self._context.option("f") else field_pattern(field)
            found = matching_paths(self._context.fs, pattern) if pattern is not None else None
            if found:
                result.extend(found)
            else:
                result.append(field_text(field))

    def _account(self, pieces: Iterable[str]) -> None:
        """LimitError before texts that are too long together are put together."""
        held = sum(map(len, pieces))
        if held > _WORTH_ACCOUNTING:
            self._context.account_memory(held)

    def _joined(self, builder: Builder) -> str:
        pieces = builder.pieces
        if len(pieces) == 1:
            return pieces[0]
        self._account(pieces)
        return "".join(pieces)

    def text(self, word: Word) -> str:
        """The word as one text, neither split nor matched: a target, the subject of ``case``."""
        builder = Builder()
        self._emit(self._tilde(word.parts, builder), builder)
        return self._joined(builder)

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
        return self._joined(builder)

    def pattern(self, word: Word) -> str:
        """The word as a pattern: quoted characters are escaped in it."""
        builder = PatternBuilder()
        self._emit(self._tilde(word.parts, builder), builder)
        return self._joined(builder)

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
        return evaluate(self._joined(builder), self._context.variables, dialect=self._context.dialect)

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
                self.check_set(name)
            elif quoted:
                builder.quoted(value)
            else:
                builder.split(value)
            return
        if operator == "bad":
            raise ShellError("Bad substitution")
        if operator == "length":
            builder.split(self.length(name)) if not quoted else builder.quoted(self.length(name))
            return
        if operator.lstrip(":") in ("-", "=", "?", "+") and operator:
            self._conditional(part, builder, quoted=quoted)
            return
        if name in ("@", "*") and operator == "":
            self._all_parameters(name, builder, quoted=quoted)
            return
        value = self.value(name)
        if value is None:
            self.check_set(name)
            value = ""
        self._add(self.altered(value, part), builder, quoted=quoted)

    def _all_parameters(self, name: str, builder: Builder, *, quoted: bool) -> None:
        if name == "*" and quoted:
            builder.quoted(self.joined("*"))
            return
        if not quoted and not isinstance(builder, FieldBuilder):
            builder.split(self.joined("*"))
            return
        for number, value in enumerate(self._context.positional):
            if number:
                builder.boundary()
            self._add(value, builder, quoted=quoted)

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


_ALL_PARAMETERS: Final = (Parameter("@"),)
