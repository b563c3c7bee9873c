"""The grammar between ``[[`` and ``]]``, as busybox and bash have it."""

from __future__ import annotations

import re
from typing import Final

from builder.world.shell.language.lexer import advance, skip_newlines, unexpected
from builder.world.shell.language.reading import Kind, Reading
from builder.world.shell.language.syntax import Condition, TestBinary, TestBoth, TestNot, TestUnary, Word
from builder.world.shell.language.words import read_word

_UNARY: Final = frozenset(f"-{letter}" for letter in "abcdefghknoprstuvwxzGLNOS")
_BINARY: Final = frozenset(
    {"=", "==", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"}
)
_BLANKS: Final = re.compile(r"[ \t]*")


def condition(reading: Reading) -> Condition:
    """What stands behind ``[[``; its ``]]`` is consumed."""
    condition = _either(reading)
    if not _closes(reading):
        raise unexpected(reading, '"]]"')
    advance(reading)
    return condition


def _closes(reading: Reading) -> bool:
    return reading.kind is Kind.WORD and reading.text == "]]"


def _either(reading: Reading) -> Condition:
    left = _both(reading)
    while reading.is_operator("||"):
        advance(reading)
        left = TestBoth(left, "||", _both(reading))
    return left


def _both(reading: Reading) -> Condition:
    left = _one(reading)
    while reading.is_operator("&&"):
        advance(reading)
        left = TestBoth(left, "&&", _one(reading))
    return left


def _one(reading: Reading) -> Condition:
    skip_newlines(reading)
    if reading.is_operator("("):
        advance(reading)
        inner = _either(reading)
        if not reading.is_operator(")"):
            raise unexpected(reading, '")"')
        advance(reading)
        skip_newlines(reading)
        return inner
    if reading.kind is Kind.WORD and reading.text == "!":
        advance(reading)
        return TestNot(_one(reading))
    return _primary(reading)


def _operand(reading: Reading) -> Word:
    if reading.kind is Kind.OPERATOR or reading.kind is Kind.END or _closes(reading):
        raise unexpected(reading, "word")
    word = reading.word
    advance(reading)
    return word


def _primary(reading: Reading) -> Condition:
    operator = reading.text
    word = _operand(reading)
    if operator in _UNARY and reading.kind is not Kind.OPERATOR and not _closes(reading):
        following = reading.text
        if following not in _BINARY:
            condition = TestUnary(operator, _operand(reading))
            skip_newlines(reading)
            return condition
    if reading.text in _BINARY or reading.is_operator("<") or reading.is_operator(">"):
        operator = reading.text
        if operator == "=~":
            right = _expression(reading)
        else:
            advance(reading)
            right = _operand(reading)
        skip_newlines(reading)
        return TestBinary(word, operator, right)
    skip_newlines(reading)
    return TestUnary("-n", word)


def _expression(reading: Reading) -> Word:
    """The regular expression behind ``=~``: parentheses and bars in it are no operators."""
    blanks = _BLANKS.match(reading.source, reading.position)
    reading.position = blanks.end() if blanks else reading.position
    word = read_word(reading, " \t\n")
    advance(reading)
    return word
