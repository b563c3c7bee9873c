"""The grammar of simple commands: assignments, words, redirections, function definitions (POSIX XCU 2.10)."""

from __future__ import annotations

from typing import Final

from builder.world.shell.dialect import Dialect
from builder.world.shell.language.braces import brace_expanded
from builder.world.shell.language.lexer import (
    REDIRECTIONS,
    advance,
    expect_operator,
    skip_newlines,
    unexpected,
)
from builder.world.shell.language.reading import Kind, Reading
from builder.world.shell.language.syntax import (
    Assignment,
    Function,
    HereDocument,
    Literal,
    Node,
    Redirection,
    SimpleCommand,
    Word,
)
from builder.world.shell.language.words import NAME

_SPECIAL_BUILTINS: Final = frozenset(
    [
        "break",
        "continue",
        "eval",
        "exec",
        "exit",
        "export",
        "readonly",
        "return",
        "set",
        "shift",
        "trap",
        "unset",
        "times",
    ]
)


def simple(reading: Reading, line: int) -> Node:
    """A simple command, or the definition of a function."""
    assignments: list[Assignment] = []
    words: list[Word] = []
    redirections: list[Redirection] = []
    while True:
        if reading.kind is Kind.WORD:
            if not words and (assignment := _assignment(reading)) is not None:
                assignments.append(assignment)
                advance(reading)
                _refuse_array(reading, assignment)
                continue
            name = reading.text
            words.extend(expanded_words(reading))
            advance(reading)
            if reading.is_operator("(") and len(words) == 1 and name and not assignments:
                return _function(reading, name)
        elif at_redirection(reading):
            redirections.append(redirection(reading))
        else:
            break
    if not (words or assignments or redirections):
        raise unexpected(reading)
    return SimpleCommand(tuple(assignments), tuple(words), tuple(redirections), line)


def expanded_words(reading: Reading) -> tuple[Word, ...]:
    """The words that the token is: one, or several by brace expansion (bash)."""
    return brace_expanded(reading.word) if reading.dialect is Dialect.BASH else (reading.word,)


def _assignment(reading: Reading) -> Assignment | None:
    parts = reading.word.parts
    if not parts or not isinstance(parts[0], Literal):
        return None
    name, equals, value = parts[0].text.partition("=")
    if not equals:
        return None
    append = name.endswith("+") and reading.dialect is Dialect.BASH
    if append:
        name = name[:-1]
    if not NAME.fullmatch(name):
        return None
    rest = (Literal(value), *parts[1:]) if value else parts[1:]
    return Assignment(name, Word(rest), append)


def _refuse_array(reading: Reading, assignment: Assignment) -> None:
    adjacent = reading.start > 0 and reading.source[reading.start - 1] == "="
    if reading.dialect is Dialect.BASH and reading.is_operator("(") and adjacent:
        raise reading.error(
            f"arrays are not simulated ({assignment.name}=(…)): use positional parameters (set -- …)"
        )


def at_redirection(reading: Reading) -> bool:
    """Whether a redirection begins here."""
    if reading.kind is Kind.OPERATOR:
        return reading.text in REDIRECTIONS
    return reading.kind is Kind.NUMBER


def redirection(reading: Reading) -> Redirection:
    """The redirection that begins here; a here-document gets its lines later."""
    descriptor = None
    if reading.kind is Kind.NUMBER:
        descriptor = int(reading.text)
        advance(reading)
    operator = reading.text
    if descriptor is None:
        descriptor = 0 if operator[0] == "<" else 1
    advance(reading)
    if (
        reading.is_operator("(")
        and reading.source[reading.start - 1] in "<>"
        and reading.dialect.has_extensions
    ):
        raise reading.error(f"process substitution {operator}(…) is not simulated: use a pipe or a file")
    if reading.kind is not Kind.WORD and reading.kind is not Kind.NUMBER:
        raise unexpected(reading)
    document = None
    if operator in ("<<", "<<-"):
        document = HereDocument()
        reading.documents.append((document, operator, reading.word))
    elif operator == "<<<":
        document = HereDocument(reading.word)
    redirection = Redirection(descriptor, operator, reading.word, document)
    advance(reading)
    return redirection


def _function(reading: Reading, name: str) -> Node:
    advance(reading)
    expect_operator(reading, ")")
    strict = reading.dialect is Dialect.DASH
    if (strict and not NAME.fullmatch(name)) or name in _SPECIAL_BUILTINS:
        raise reading.error("Bad function name")
    skip_newlines(reading)
    return Function(name, reading.command())


def function_keyword(reading: Reading) -> Node:
    """``function name`` and its body (ash, bash)."""
    advance(reading)
    name = reading.text
    if reading.kind is not Kind.WORD or not name:
        raise reading.error("Bad function name")
    advance(reading)
    if reading.is_operator("("):
        advance(reading)
        expect_operator(reading, ")")
    skip_newlines(reading)
    return Function(name, reading.command())
