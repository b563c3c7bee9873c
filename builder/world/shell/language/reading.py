"""The state of reading a text of the shell language: where it stands, and the token there."""

from __future__ import annotations

import enum
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import ShellSyntaxError
from builder.world.shell.language.syntax import HereDocument, Node, Word

if TYPE_CHECKING:
    from typing import Self


class Kind(enum.Enum):
    """What a token is."""

    OPERATOR = "operator"
    WORD = "word"
    NUMBER = "descriptor number"
    END = "end of file"


_OPERATORS: Final = r"\n|&&|\|\||;;|<<-|<<|>>|<&|>&|<>|>\||[&|;<>()]"
_SKIPPED: Final = r"(?:[ \t]|\\\n)*(?:\#[^\n]*)?"
# A plain word that no redirection follows: nine of ten tokens need nothing but this match.
_PLAIN_WORD: Final = r"([^ \t\n;&|<>()\\'\"$`]+)(?=[ \t\n;&|()]|\Z)"
_TOKEN: Final = {
    Dialect.DASH: re.compile(f"{_SKIPPED}(?:({_OPERATORS})|{_PLAIN_WORD})?"),
    Dialect.ASH: re.compile(rf"{_SKIPPED}(?:(&>>|&>|<<<|{_OPERATORS})|{_PLAIN_WORD})?"),
    Dialect.BASH: re.compile(rf"{_SKIPPED}(?:(&>>|&>|<<<|\|&|;;&|;&|{_OPERATORS})|{_PLAIN_WORD})?"),
}


class Reading(ABC):
    """A position in a text, with one token: ``kind``, ``text`` and, for a word, ``word``.

    ``text`` is the operator, or the word if it is one plain literal, else "" (so that a quoted word is never
    taken for a reserved one). ``start`` is where the token begins. Words and functions hold commands, so
    those who read them reach the grammar through here.
    """

    def __init__(self, source: str, position: int, dialect: Dialect, first_line: int) -> None:
        self.source = source
        self.position = position
        self.dialect = dialect
        self.documents: list[tuple[HereDocument, str, Word]] = []
        """Whose lines begin after the next newline: the document, its operator and its delimiter."""
        self.kind = Kind.END
        self.text = ""
        self.word = Word(())
        self.start = position
        self.tokens = _TOKEN[dialect]
        self._counted = (position, first_line)

    @abstractmethod
    def command(self) -> Node:
        """Any command, with the redirections of a compound one."""

    @abstractmethod
    def substituted(self, source: str, position: int, line: int, closing: str) -> tuple[Node, int]:
        """The commands at ``position`` up to ``closing``, and the position behind it."""

    def reader(self, text: str, line: int) -> Self:
        """A reading of another text, such as that of an expression."""
        return type(self)(text, 0, self.dialect, line)

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

    def is_operator(self, text: str) -> bool:
        """Whether the token is that operator."""
        return self.kind is Kind.OPERATOR and self.text == text

    def at_end(self) -> bool:
        """Whether there is no more token."""
        return self.kind is Kind.END

    def ends_arm(self) -> bool:
        """Whether the token ends an arm of ``case``."""
        return self.kind is Kind.OPERATOR and self.text in (";;", ";&", ";;&")

    def is_reserved(self, text: str) -> bool:
        """Whether the token is that reserved word."""
        return self.kind is Kind.WORD and self.text == text
