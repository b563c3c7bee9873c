"""The grammar of simple commands: assignments, words, redirections, function definitions (POSIX XCU 2.10)."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import ShellSyntaxError
from builder.world.shell.language.braces import brace_expanded
from builder.world.shell.language.conditions import ConditionParser
from builder.world.shell.language.lexer import REDIRECTIONS, Kind
from builder.world.shell.language.substitutions import NAME
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

CLOSING: Final = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
RESERVED: Final = frozenset({*CLOSING, "if", "for", "while", "until", "case", "in", "{", "!"})
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


class CommandParser(ConditionParser):
    """Parses simple commands; what is made of them is the grammar's business."""

    @abstractmethod
    def command(self) -> Node:
        """Any command."""

    # ---- what the token is ------------------------------------------------------------------

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

    def unexpected(self, expecting: str | None = None) -> ShellSyntaxError:
        """The error for a token that cannot stand here, worded as dash words it."""
        if self.kind is Kind.END:
            what = "end of file"
        elif self.kind is Kind.OPERATOR:
            what = (
                "newline"
                if self.text == "\n"
                else "redirection"
                if self.text in REDIRECTIONS
                else f'"{self.text}"'
            )
        else:
            what = f'"{self.text}"' if self.text in RESERVED else "word"
        error = self.error(f"{what} unexpected" + (f" (expecting {expecting})" if expecting else ""))
        error.line = self.line_at(min(self.start, len(self.source)))
        return error

    def expect(self, word: str) -> None:
        """Go past a reserved word that must stand here."""
        if not self.is_reserved(word):
            raise self.unexpected(f'"{word}"')
        self.advance()

    def expect_operator(self, operator: str) -> None:
        """Go past an operator that must stand here."""
        if not self.is_operator(operator):
            raise self.unexpected(f'"{operator}"')
        self.advance()

    def skip_newlines(self) -> None:
        """Go to the next token that is no newline."""
        while self.kind is Kind.OPERATOR and self.text == "\n":
            self.advance()

    # ---- simple commands --------------------------------------------------------------------

    def simple(self, line: int) -> Node:
        """A simple command, or the definition of a function."""
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirections: list[Redirection] = []
        while True:
            if self.kind is Kind.WORD:
                if not words and (assignment := self._assignment()) is not None:
                    assignments.append(assignment)
                    self.advance()
                    self._refuse_array(assignment)
                    continue
                name = self.text
                words.extend(self.words())
                self.advance()
                if self.is_operator("(") and len(words) == 1 and name and not assignments:
                    return self._function(name)
            elif self.at_redirection():
                redirections.append(self.redirection())
            else:
                break
        if not (words or assignments or redirections):
            raise self.unexpected()
        return SimpleCommand(tuple(assignments), tuple(words), tuple(redirections), line)

    def words(self) -> tuple[Word, ...]:
        """The words that the token is: one, or several by brace expansion (bash)."""
        return brace_expanded(self.word) if self.dialect is Dialect.BASH else (self.word,)

    def _assignment(self) -> Assignment | None:
        parts = self.word.parts
        if not parts or not isinstance(parts[0], Literal):
            return None
        name, equals, value = parts[0].text.partition("=")
        if not equals:
            return None
        append = name.endswith("+") and self.dialect is Dialect.BASH
        if append:
            name = name[:-1]
        if not NAME.fullmatch(name):
            return None
        rest = (Literal(value), *parts[1:]) if value else parts[1:]
        return Assignment(name, Word(rest), append)

    def _refuse_array(self, assignment: Assignment) -> None:
        adjacent = self.start > 0 and self.source[self.start - 1] == "="
        if self.dialect is Dialect.BASH and self.is_operator("(") and adjacent:
            raise self.error(
                f"arrays are not simulated ({assignment.name}=(…)): use positional parameters (set -- …)"
            )

    def at_redirection(self) -> bool:
        """Whether a redirection begins here."""
        if self.kind is Kind.OPERATOR:
            return self.text in REDIRECTIONS
        return self.kind is Kind.NUMBER

    def redirection(self) -> Redirection:
        """The redirection that begins here; a here-document gets its lines later."""
        descriptor = None
        if self.kind is Kind.NUMBER:
            descriptor = int(self.text)
            self.advance()
        operator = self.text
        if descriptor is None:
            descriptor = 0 if operator[0] == "<" else 1
        self.advance()
        if self.is_operator("(") and self.source[self.start - 1] in "<>" and self.dialect.has_extensions:
            raise self.error(f"process substitution {operator}(…) is not simulated: use a pipe or a file")
        if self.kind is not Kind.WORD and self.kind is not Kind.NUMBER:
            raise self.unexpected()
        document = None
        if operator in ("<<", "<<-"):
            document = HereDocument()
            self.documents.append((document, operator, self.word))
        elif operator == "<<<":
            document = HereDocument(self.word)
        redirection = Redirection(descriptor, operator, self.word, document)
        self.advance()
        return redirection

    def _function(self, name: str) -> Node:
        self.advance()
        self.expect_operator(")")
        strict = self.dialect is Dialect.DASH
        if (strict and not NAME.fullmatch(name)) or name in _SPECIAL_BUILTINS:
            raise self.error("Bad function name")
        self.skip_newlines()
        return Function(name, self.command())

    def function_keyword(self) -> Node:
        """``function name`` and its body (ash, bash)."""
        self.advance()
        name = self.text
        if self.kind is not Kind.WORD or not name:
            raise self.error("Bad function name")
        self.advance()
        if self.is_operator("("):
            self.advance()
            self.expect_operator(")")
        self.skip_newlines()
        return Function(name, self.command())
