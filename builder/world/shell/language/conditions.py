"""The grammar between ``[[`` and ``]]``, as busybox and bash have it."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Final

from builder.world.shell.errors import ShellSyntaxError
from builder.world.shell.language.lexer import Kind, Lexer
from builder.world.shell.language.syntax import Condition, TestBinary, TestBoth, TestNot, TestUnary, Word

_UNARY: Final = frozenset(f"-{letter}" for letter in "abcdefghknoprstuvwxzGLNOS")
_BINARY: Final = frozenset(
    {"=", "==", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"}
)
_BLANKS: Final = re.compile(r"[ \t]*")


class ConditionParser(Lexer):
    """Parses ``[[ … ]]``; the rest of the grammar inherits from it."""

    @abstractmethod
    def unexpected(self, expecting: str | None = None) -> ShellSyntaxError:
        """The error for a token that cannot stand here."""

    @abstractmethod
    def is_operator(self, text: str) -> bool:
        """Whether the token is that operator."""

    @abstractmethod
    def skip_newlines(self) -> None:
        """Go to the next token that is no newline."""

    def condition(self) -> Condition:
        """What stands behind ``[[``; its ``]]`` is consumed."""
        condition = self._either()
        if not self._closes():
            raise self.unexpected('"]]"')
        self.advance()
        return condition

    def _closes(self) -> bool:
        return self.kind is Kind.WORD and self.text == "]]"

    def _either(self) -> Condition:
        left = self._both()
        while self.is_operator("||"):
            self.advance()
            left = TestBoth(left, "||", self._both())
        return left

    def _both(self) -> Condition:
        left = self._one()
        while self.is_operator("&&"):
            self.advance()
            left = TestBoth(left, "&&", self._one())
        return left

    def _one(self) -> Condition:
        self.skip_newlines()
        if self.is_operator("("):
            self.advance()
            inner = self._either()
            if not self.is_operator(")"):
                raise self.unexpected('")"')
            self.advance()
            self.skip_newlines()
            return inner
        if self.kind is Kind.WORD and self.text == "!":
            self.advance()
            return TestNot(self._one())
        return self._primary()

    def _operand(self) -> Word:
        if self.kind is Kind.OPERATOR or self.kind is Kind.END or self._closes():
            raise self.unexpected("word")
        word = self.word
        self.advance()
        return word

    def _primary(self) -> Condition:
        operator = self.text
        word = self._operand()
        if operator in _UNARY and self.kind is not Kind.OPERATOR and not self._closes():
            following = self.text
            if following not in _BINARY:
                condition = TestUnary(operator, self._operand())
                self.skip_newlines()
                return condition
        if self.text in _BINARY or self.is_operator("<") or self.is_operator(">"):
            operator = self.text
            if operator == "=~":
                right = self._expression()
            else:
                self.advance()
                right = self._operand()
            self.skip_newlines()
            return TestBinary(word, operator, right)
        self.skip_newlines()
        return TestUnary("-n", word)

    def _expression(self) -> Word:
        """The regular expression behind ``=~``: parentheses and bars in it are no operators."""
        blanks = _BLANKS.match(self.source, self.position)
        self.position = blanks.end() if blanks else self.position
        word = self.read_word(" \t\n")
        self.advance()
        return word
