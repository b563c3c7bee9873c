"""Reads words: quotes, parameters, substitutions and arithmetic (POSIX XCU 2.2, 2.6)."""

from __future__ import annotations

import re
from typing import Final

from builder.world.shell.dialect import Dialect
from builder.world.shell.language.quoting import unescaped_ansi
from builder.world.shell.language.reading import Reading
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

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")
_SHORT_PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_OPERATOR: Final = re.compile(r":?[-=?+]|%%?|##?")
_EXTENDED: Final = re.compile(r":?[-=?+]|%%?|##?|//?|:|\^\^?|,,?")
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


def add_literal(parts: list[Part], text: str) -> None:
    """Append plain text to ``parts``, joined with plain text before it."""
    if parts and isinstance(parts[-1], Literal):
        parts[-1] = Literal(parts[-1].text + text)
    else:
        parts.append(Literal(text))


def read_word(reading: Reading, stop: str = BLANKS) -> Word:
    """The word at ``position``, up to an unquoted character of ``stop`` or the end."""
    source, plain, parts = reading.source, _PLAIN[stop], list[Part]()
    size = len(source)
    while reading.position < size:
        match = plain.match(source, reading.position)
        if match is not None:
            add_literal(parts, match[0])
            reading.position = match.end()
            if reading.position >= size:
                break
        character = source[reading.position]
        if character in stop:
            break
        if character == "\\":
            _backslash(reading, parts)
        elif character == "'":
            _single_quotes(reading, parts)
        elif character == '"':
            reading.position += 1
            parts.append(DoubleQuoted(read_quoted(reading, '"')))
        else:
            _dollar_or_backquote(reading, parts, quoted=False)
    return Word(tuple(parts))


def read_quoted(reading: Reading, end: str) -> tuple[Part, ...]:
    """The parts up to the closing ``end`` (consumed if it is a quote), as inside double quotes."""
    parts: list[Part] = []
    source, plain, size = reading.source, _PLAIN_IN_QUOTES[end], len(reading.source)
    while True:
        match = plain.match(source, reading.position)
        if match is not None:
            parts.append(Quoted(match[0]))
            reading.position = match.end()
        if reading.position >= size:
            if end:
                raise reading.error("Unterminated quoted string")
            return tuple(parts)
        character = source[reading.position]
        if character in end:
            reading.position += end == '"'
            return tuple(parts)
        if character == "\\":
            _backslash_in_quotes(reading, parts, '$`"\\' + end.strip(":/"))
        elif character == '"':
            # Only in ${…} within quotes, where quotes nest, and in arithmetic, where they mean nothing.
            reading.position += 1
            if end:
                parts.append(DoubleQuoted(read_quoted(reading, '"')))
        else:
            _dollar_or_backquote(reading, parts, quoted=True)


def read_document(reading: Reading) -> Word:
    """All of ``source`` as the body of a here-document whose delimiter was not quoted."""
    parts: list[Part] = []
    source, size = reading.source, len(reading.source)
    while reading.position < size:
        match = _PLAIN_IN_DOCUMENT.match(source, reading.position)
        if match is not None:
            parts.append(Quoted(match[0]))
            reading.position = match.end()
        elif source[reading.position] == "\\":
            _backslash_in_quotes(reading, parts, "$`\\")
        else:
            _dollar_or_backquote(reading, parts, quoted=True)
    return Word((DoubleQuoted(tuple(parts)),))


def _backslash(reading: Reading, parts: list[Part]) -> None:
    following = reading.source[reading.position + 1 : reading.position + 2]
    reading.position += 2
    if following == "":
        reading.position -= 1
        add_literal(parts, "\\")
    elif following != "\n":
        parts.append(Quoted(following))


def _backslash_in_quotes(reading: Reading, parts: list[Part], special: str) -> None:
    following = reading.source[reading.position + 1 : reading.position + 2]
    reading.position += 1 + len(following)
    if following == "\n":
        return
    parts.append(Quoted(following if following and following in special else "\\" + following))


def _single_quotes(reading: Reading, parts: list[Part]) -> None:
    end = reading.source.find("'", reading.position + 1)
    if end < 0:
        reading.position = len(reading.source)
        raise reading.error("Unterminated quoted string")
    parts.append(Quoted(reading.source[reading.position + 1 : end]))
    reading.position = end + 1


def _dollar_or_backquote(reading: Reading, parts: list[Part], *, quoted: bool) -> None:
    if reading.source[reading.position] == "`":
        parts.append(backquotes(reading, quoted=quoted))
        return
    part = dollar(reading, quoted=quoted)
    if part is not None:
        parts.append(part)
    elif quoted:
        parts.append(Quoted("$"))
    else:
        add_literal(parts, "$")


def backquotes(reading: Reading, *, quoted: bool) -> Part:
    """The older form of command substitution."""
    start, at, text = reading.position, reading.position + 1, list[str]()
    source, size = reading.source, len(reading.source)
    special = '`\\$"' if quoted else "`\\$"
    while at < size and source[at] != "`":
        if source[at] == "\\" and at + 1 < size and source[at + 1] in special:
            at += 1
        text.append(source[at])
        at += 1
    if at >= size:
        reading.position = size
        raise reading.error("EOF in backquote substitution")
    reading.position = at + 1
    body, _ = reading.substituted("".join(text), 0, reading.line_at(start), "")
    return CommandSubstitution(body)


def _ansi_quotes(reading: Reading) -> Part:
    match = re.compile(r"\$'((?:[^\\']|\\.)*)'", re.DOTALL).match(reading.source, reading.position)
    if match is None:
        reading.position = len(reading.source)
        raise reading.error("Unterminated quoted string")
    reading.position = match.end()
    return Quoted(unescaped_ansi(match[1]))


def dollar(reading: Reading, *, quoted: bool) -> Part | None:
    """What begins with the dollar sign here; None (and past it) if it is only a dollar sign."""
    source, at = reading.source, reading.position
    following = source[at + 1 : at + 2]
    if following == "(":
        if source.startswith("$((", at):
            parts = arithmetic(reading, at + 3)
            if parts is not None:
                return ArithmeticExpansion(parts)
            if reading.dialect is Dialect.DASH:
                raise reading.error("Missing '))'")
        body, reading.position = reading.substituted(source, at + 2, reading.line_at(at), ")")
        return CommandSubstitution(body)
    if following == "{":
        return _braces(reading, quoted=quoted)
    if following == "'" and not quoted and reading.dialect.has_extensions:
        return _ansi_quotes(reading)
    match = _SHORT_PARAMETER.match(source, at + 1)
    if match is None:
        reading.position = at + 1
        return None
    reading.position = match.end()
    return Parameter(match[0])


def arithmetic(reading: Reading, start: int) -> tuple[Part, ...] | None:
    """The parts of ``$((…))``, whose text begins at ``start``; None if it is ``$( (…) …)``."""
    source, depth, at = reading.source, 0, start
    for match in re.compile(r"[()]").finditer(source, start):
        at = match.start()
        if match[0] == "(":
            depth += 1
        elif depth:
            depth -= 1
        elif source.startswith("))", at):
            break
        elif reading.dialect is not Dialect.DASH:
            return None
    else:
        return None
    reading.position = at + 2
    return read_quoted(reading.reader(source[start:at], reading.line_at(start)), "")


def _braces(reading: Reading, *, quoted: bool) -> Part:
    source, start = reading.source, reading.position + 2
    length = re.compile(r"#(?=[A-Za-z0-9_@*#?$!-]+\})").match(source, start)
    match = _PARAMETER.match(source, length.end() if length else start)
    if match is None:
        return _bad_substitution(reading, start)
    reading.position = match.end()
    if length:
        return _closed(reading, start, Parameter(match[0], "length"))
    if source.startswith("}", reading.position):
        return _closed(reading, start, Parameter(match[0]))
    if source.startswith("[", reading.position) and reading.dialect is Dialect.BASH:
        raise reading.error(
            f"arrays are not simulated (${{{match[0]}[…]}}): use positional parameters (set -- …)"
        )
    operators = _EXTENDED if reading.dialect.has_extensions else _OPERATOR
    operator = operators.match(source, reading.position)
    if operator is None:
        return _bad_substitution(reading, start)
    reading.position = operator.end()
    return _with_operand(reading, start, match[0], operator[0], quoted=quoted)


def _with_operand(reading: Reading, start: int, name: str, operator: str, *, quoted: bool) -> Part:
    stop = "/}" if operator in ("/", "//") else ":}" if operator == ":" else "}"
    # Between double quotes, '…' is text in ${x:-'…'}, and quotes a pattern in ${x#'…'} (XCU 2.6.2).
    as_text = quoted and operator.lstrip(":") in ("-", "=", "?", "+")
    if operator in ("/", "//") and reading.source.startswith("/", reading.position):
        reading.position += 1
        operand = Word((Literal("/"), *read_word(reading, stop).parts))
    else:
        operand = Word(read_quoted(reading, stop)) if as_text else read_word(reading, stop)
    second = None
    if len(stop) == 2 and reading.source.startswith(stop[0], reading.position):
        reading.position += 1
        second = read_word(reading, "}")
    return _closed(reading, start, Parameter(name, operator, operand, second))


def _closed(reading: Reading, start: int, part: Parameter) -> Part:
    if reading.position >= len(reading.source):
        raise reading.error("Missing '}'")
    if reading.source[reading.position] != "}":
        return _bad_substitution(reading, start)
    reading.position += 1
    return part


def _bad_substitution(reading: Reading, start: int) -> Part:
    end = reading.source.find("}", start)
    if end < 0:
        reading.position = len(reading.source)
        raise reading.error("Missing '}'")
    reading.position = end + 1
    return Parameter(reading.source[start:end], "bad")
