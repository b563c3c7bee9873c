"""Reads words: quotes, parameters, substitutions (POSIX XCU 2.2, 2.6)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Final

from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import ShellSyntaxError
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

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")
_SHORT_PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_OPERATOR: Final = re.compile(r":?[-=?+]|%%?|##?")
_EXTENDED: Final = re.compile(r":?[-=?+]|%%?|##?|//?|:|\^\^?|,,?")
_ANSI: Final = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}

BLANKS: Final = " \t\n;&|<>()"
"""The characters that end a word when they are not quoted."""

_PLAIN: Final = {
    stop: re.compile("[^" + re.escape(stop) + "\\\\'\"$`]+")
    for stop in (BLANKS, "}", "/}", ":}", " \t\n", "")
}
_PLAIN_IN_QUOTES: Final = {
    end: re.compile("[^" + re.escape(end) + '\\\\"$`]+') for end in ('"', "}", "/}", ":}", "")
}
_PLAIN_IN_DOCUMENT: Final = re.compile(r"[^\\$`]+")


def unescaped_ansi(text: str) -> str:
    r"""What ``$'text'`` stands for (bash and busybox; POSIX issue 8).

    >>> unescaped_ansi(r"a\tb\x41")
    'a\tbA'
    """

    def replaced(match: re.Match[str]) -> str:
        code = match[1]
        if code in _ANSI:
            return _ANSI[code]
        if code[0] == "x" and len(code) > 1:
            return bytes([int(code[1:], 16)]).decode("utf-8", "surrogateescape")
        if code[0] in "uU" and len(code) > 1:
            return chr(int(code[1:], 16))
        if code[0] in "01234567":
            return bytes([int(code, 8) & 255]).decode("utf-8", "surrogateescape")
        return code if code in "\\'\"?" else "\\" + code

    pattern = r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|[0-7]{1,3}|.)"
    return re.sub(pattern, replaced, text, flags=re.DOTALL)


def add_literal(parts: list[Part], text: str) -> None:
    """Append plain text to ``parts``, joined with plain text before it."""
    if parts and isinstance(parts[-1], Literal):
        parts[-1] = Literal(parts[-1].text + text)
    else:
        parts.append(Literal(text))


class WordReader(ABC):
    """Reads words from ``source`` at ``position``; who inherits knows the grammar inside ``$(…)``."""

    def __init__(self, source: str, position: int, dialect: Dialect, first_line: int) -> None:
        self.source = source
        self.position = position
        self.dialect = dialect
        self._counted = (position, first_line)

    @abstractmethod
    def substituted(self, source: str, position: int, line: int, closing: str) -> tuple[Node, int]:
        """The commands at ``position`` up to ``closing``, and the position behind it."""

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

    def read_word(self, stop: str = BLANKS) -> Word:
        """The word at ``position``, up to an unquoted character of ``stop`` or the end."""
        source, plain, parts = self.source, _PLAIN[stop], list[Part]()
        size = len(source)
        while self.position < size:
            match = plain.match(source, self.position)
            if match is not None:
                add_literal(parts, match[0])
                self.position = match.end()
                if self.position >= size:
                    break
            character = source[self.position]
            if character in stop:
                break
            if character == "\\":
                self._backslash(parts)
            elif character == "'":
                self._single_quotes(parts)
            elif character == '"':
                self.position += 1
                parts.append(DoubleQuoted(self.read_quoted('"')))
            else:
                self._dollar_or_backquote(parts, quoted=False)
        return Word(tuple(parts))

    def read_quoted(self, end: str) -> tuple[Part, ...]:
        """The parts up to the closing ``end`` (consumed if it is a quote), as inside double quotes."""
        parts: list[Part] = []
        source, plain, size = self.source, _PLAIN_IN_QUOTES[end], len(self.source)
        while True:
            match = plain.match(source, self.position)
            if match is not None:
                parts.append(Quoted(match[0]))
                self.position = match.end()
            if self.position >= size:
                if end:
                    raise self.error("Unterminated quoted string")
                return tuple(parts)
            character = source[self.position]
            if character in end:
                self.position += end == '"'
                return tuple(parts)
            if character == "\\":
                self._backslash_in_quotes(parts, '$`"\\' + end.strip(":/"))
            elif character == '"':
                # Only in ${…} within quotes, where quotes nest, and in arithmetic, where they mean nothing.
                self.position += 1
                if end:
                    parts.append(DoubleQuoted(self.read_quoted('"')))
            else:
                self._dollar_or_backquote(parts, quoted=True)

    def read_document(self) -> Word:
        """All of ``source`` as the body of a here-document whose delimiter was not quoted."""
        parts: list[Part] = []
        source, size = self.source, len(self.source)
        while self.position < size:
            match = _PLAIN_IN_DOCUMENT.match(source, self.position)
            if match is not None:
                parts.append(Quoted(match[0]))
                self.position = match.end()
            elif source[self.position] == "\\":
                self._backslash_in_quotes(parts, "$`\\")
            else:
                self._dollar_or_backquote(parts, quoted=True)
        return Word((DoubleQuoted(tuple(parts)),))

    def _backslash(self, parts: list[Part]) -> None:
        following = self.source[self.position + 1 : self.position + 2]
        self.position += 2
        if following == "":
            self.position -= 1
            add_literal(parts, "\\")
        elif following != "\n":
            parts.append(Quoted(following))

    def _backslash_in_quotes(self, parts: list[Part], special: str) -> None:
        following = self.source[self.position + 1 : self.position + 2]
        self.position += 1 + len(following)
        if following == "\n":
            return
        parts.append(Quoted(following if following and following in special else "\\" + following))

    def _single_quotes(self, parts: list[Part]) -> None:
        end = self.source.find("'", self.position + 1)
        if end < 0:
            self.position = len(self.source)
            raise self.error("Unterminated quoted string")
        parts.append(Quoted(self.source[self.position + 1 : end]))
        self.position = end + 1

    def _ansi_quotes(self) -> Part:
        match = re.compile(r"\$'((?:[^\\']|\\.)*)'", re.DOTALL).match(self.source, self.position)
        if match is None:
            self.position = len(self.source)
            raise self.error("Unterminated quoted string")
        self.position = match.end()
        return Quoted(unescaped_ansi(match[1]))

    def _dollar_or_backquote(self, parts: list[Part], *, quoted: bool) -> None:
        if self.source[self.position] == "`":
            parts.append(self._backquotes(quoted=quoted))
            return
        part = self._dollar(quoted=quoted)
        if part is not None:
            parts.append(part)
        elif quoted:
            parts.append(Quoted("$"))
        else:
            add_literal(parts, "$")

    def _backquotes(self, *, quoted: bool) -> Part:
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

    def _dollar(self, *, quoted: bool) -> Part | None:
        source, at = self.source, self.position
        following = source[at + 1 : at + 2]
        if following == "(":
            if source.startswith("$((", at):
                arithmetic = self._arithmetic(at + 3)
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

    def _arithmetic(self, start: int) -> tuple[Part, ...] | None:
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
        return self._reader(source[start:at], self.line_at(start)).read_quoted("")

    def _reader(self, text: str, line: int) -> WordReader:
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
