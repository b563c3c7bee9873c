"""Reads parameters, command substitutions and arithmetic: all that begins with ``$`` (POSIX XCU 2.6)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import ShellSyntaxError
from builder.world.shell.language.quoting import unescaped_ansi
from builder.world.shell.language.syntax import (
    ArithmeticExpansion,
    CommandSubstitution,
    Literal,
    Node,
    Parameter,
    Part,
    Quoted,
    Word,
)

if TYPE_CHECKING:
    from typing import Self

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")
_SHORT_PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_OPERATOR: Final = re.compile(r":?[-=?+]|%%?|##?")
_EXTENDED: Final = re.compile(r":?[-=?+]|%%?|##?|//?|:|\^\^?|,,?")


class SubstitutionReader(ABC):
    """Reads what begins with ``$`` or a backquote, in ``source`` at ``position``."""

    def __init__(self, source: str, position: int, dialect: Dialect, first_line: int) -> None:
        self.source = source
        self.position = position
        self.dialect = dialect
        self._counted = (position, first_line)

    @abstractmethod
    def substituted(self, source: str, position: int, line: int, closing: str) -> tuple[Node, int]:
        """The commands at ``position`` up to ``closing``, and the position behind it."""

    @abstractmethod
    def read_word(self, stop: str) -> Word:
        """The word at ``position``, up to an unquoted character of ``stop``."""

    @abstractmethod
    def read_quoted(self, end: str) -> tuple[Part, ...]:
        """The parts up to the closing ``end``, as inside double quotes."""

    @property
    def line(self) -> int:
        """The line that ``position`` is on, from 1."""
        return self.line_at(self.position)

    def line_at(self, position: int) -> int:
        """The line of ``position``; positions asked for must not go back far, or it costs a count."""
        at, line = self._counted
        if position >= at:
            line += self.source.count("\n", at, position)
        else:
            line -= self.source.count("\n", position, at)
        self._counted = (position, line)
        return line

    def error(self, message: str) -> ShellSyntaxError:
        """The error to raise for what stands at ``position``."""
        return ShellSyntaxError(
            f"Syntax error: {message}", self.line_at(min(self.position, len(self.source)))
        )

    def backquotes(self, *, quoted: bool) -> Part:
        """The older form of command substitution."""
        start, at, text = self.position, self.position + 1, list[str]()
        source, size = self.source, len(self.source)
        special = '`\\$"' if quoted else "`\\$"
        while at < size and source[at] != "`":
            if source[at] == "\\" and at + 1 < size and source[at + 1] in special:
                at += 1
            text.append(source[at])
            at += 1
        if at >= size:
            self.position = size
            raise self.error("EOF in backquote substitution")
        self.position = at + 1
        body, _ = self.substituted("".join(text), 0, self.line_at(start), "")
        return CommandSubstitution(body)

    def _ansi_quotes(self) -> Part:
        match = re.compile(r"\$'((?:[^\\']|\\.)*)'", re.DOTALL).match(self.source, self.position)
        if match is None:
            self.position = len(self.source)
            raise self.error("Unterminated quoted string")
        self.position = match.end()
        return Quoted(unescaped_ansi(match[1]))

    def dollar(self, *, quoted: bool) -> Part | None:
        """What begins with the dollar sign here; None (and past it) if it is only a dollar sign."""
        source, at = self.source, self.position
        following = source[at + 1 : at + 2]
        if following == "(":
            if source.startswith("$((", at):
                arithmetic = self.arithmetic(at + 3)
                if arithmetic is not None:
                    return ArithmeticExpansion(arithmetic)
                if self.dialect is Dialect.DASH:
                    raise self.error("Missing '))'")
            body, self.position = self.substituted(source, at + 2, self.line_at(at), ")")
            return CommandSubstitution(body)
        if following == "{":
            return self._braces(quoted=quoted)
        if following == "'" and not quoted and self.dialect.has_extensions:
            return self._ansi_quotes()
        match = _SHORT_PARAMETER.match(source, at + 1)
        if match is None:
            self.position = at + 1
            return None
        self.position = match.end()
        return Parameter(match[0])

    def arithmetic(self, start: int) -> tuple[Part, ...] | None:
        """The parts of ``$((…))``, whose text begins at ``start``; None if it is ``$( (…) …)``."""
        source, depth, at = self.source, 0, start
        for match in re.compile(r"[()]").finditer(source, start):
            at = match.start()
            if match[0] == "(":
                depth += 1
            elif depth:
                depth -= 1
            elif source.startswith("))", at):
                break
            elif self.dialect is not Dialect.DASH:
                return None
        else:
            return None
        self.position = at + 2
        return self.reader(source[start:at], self.line_at(start)).read_quoted("")

    def reader(self, text: str, line: int) -> Self:
        """A reader of another text, such as that of an expression."""
        return type(self)(text, 0, self.dialect, line)

    def _braces(self, *, quoted: bool) -> Part:
        source, start = self.source, self.position + 2
        length = re.compile(r"#(?=[A-Za-z0-9_@*#?$!-]+\})").match(source, start)
        match = _PARAMETER.match(source, length.end() if length else start)
        if match is None:
            return self._bad_substitution(start)
        self.position = match.end()
        if length:
            return self._closed(start, Parameter(match[0], "length"))
        if source.startswith("}", self.position):
            return self._closed(start, Parameter(match[0]))
        if source.startswith("[", self.position) and self.dialect is Dialect.BASH:
            raise self.error(
                f"arrays are not simulated (${{{match[0]}[…]}}): use positional parameters (set -- …)"
            )
        operators = _EXTENDED if self.dialect.has_extensions else _OPERATOR
        operator = operators.match(source, self.position)
        if operator is None:
            return self._bad_substitution(start)
        self.position = operator.end()
        return self._with_operand(start, match[0], operator[0], quoted=quoted)

    def _with_operand(self, start: int, name: str, operator: str, *, quoted: bool) -> Part:
        stop = "/}" if operator in ("/", "//") else ":}" if operator == ":" else "}"
        # Between double quotes, '…' is text in ${x:-'…'}, and quotes a pattern in ${x#'…'} (XCU 2.6.2).
        as_text = quoted and operator.lstrip(":") in ("-", "=", "?", "+")
        if operator in ("/", "//") and self.source.startswith("/", self.position):
            self.position += 1
            operand = Word((Literal("/"), *self.read_word(stop).parts))
        else:
            operand = Word(self.read_quoted(stop)) if as_text else self.read_word(stop)
        second = None
        if len(stop) == 2 and self.source.startswith(stop[0], self.position):
            self.position += 1
            second = self.read_word("}")
        return self._closed(start, Parameter(name, operator, operand, second))

    def _closed(self, start: int, part: Parameter) -> Part:
        if self.position >= len(self.source):
            raise self.error("Missing '}'")
        if self.source[self.position] != "}":
            return self._bad_substitution(start)
        self.position += 1
        return part

    def _bad_substitution(self, start: int) -> Part:
        end = self.source.find("}", start)
        if end < 0:
            self.position = len(self.source)
            raise self.error("Missing '}'")
        self.position = end + 1
        return Parameter(self.source[start:end], "bad")
