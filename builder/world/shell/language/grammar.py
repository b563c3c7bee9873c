"""The grammar of commands (POSIX XCU 2.10): tokens in, one tree a line out.

A script is read line by line, as a shell does: what precedes a syntax error has run by the time it is met.
"""

from __future__ import annotations

from typing import Final

from builder.world.shell.dialect import Dialect
from builder.world.shell.language.commands import CLOSING, RESERVED, CommandParser
from builder.world.shell.language.lexer import Kind
from builder.world.shell.language.substitutions import NAME
from builder.world.shell.language.syntax import (
    AndOr,
    Arithmetic,
    Background,
    Case,
    CaseArm,
    For,
    Group,
    If,
    Literal,
    Loop,
    Node,
    Not,
    Nothing,
    Pipeline,
    Redirected,
    Redirection,
    Sequence,
    Subshell,
    Test,
    Word,
)

_NOTHING: Final = Nothing()


def parse(source: str, *, dialect: Dialect = Dialect.DASH, first_line: int = 1) -> Node:
    """The whole of ``source`` as one tree; raises ShellSyntaxError.

    >>> parse("true")
    SimpleCommand(assignments=(), words=(Word(parts=(Literal(text='true'),)),), redirections=(), line=1)
    """
    parser = Parser(source, 0, dialect, first_line)
    lines: list[Node] = []
    while (node := parser.next_line()) is not None:
        lines.append(node)
    return _sequence(lines)


def _sequence(commands: list[Node]) -> Node:
    if len(commands) == 1:
        return commands[0]
    return Sequence(tuple(commands)) if commands else _NOTHING


class Parser(CommandParser):
    """Parses one complete command after the other with ``next_line``."""

    def __init__(self, source: str, position: int, dialect: Dialect, first_line: int) -> None:
        super().__init__(source, position, dialect, first_line)
        self._begun = False

    def next_line(self) -> Node | None:
        """The next complete command (a line, or several that belong together); None at the end."""
        try:
            if not self._begun:
                self._begun = True
                self.advance()
            while self.kind is Kind.OPERATOR and self.text == "\n":
                self.advance()
            if self.kind is Kind.END:
                return None
            node = self._list(one_line=True)
            if not (self.at_end() or self.is_operator("\n")):
                raise self.unexpected()
        except RecursionError:
            raise self.error("nested too deeply") from None
        return node

    def substituted(self, source: str, position: int, line: int, closing: str) -> tuple[Node, int]:
        """The commands of a substitution, and the position behind its ``closing``."""
        inner = Parser(source, position, self.dialect, line)
        inner._counted = (position, line)
        inner.advance()
        node = inner._list()
        if (closing and not inner.is_operator(closing)) or (not closing and inner.kind is not Kind.END):
            raise inner.unexpected(f'"{closing}"' if closing else None)
        return node, inner.position

    # ---- lists --------------------------------------------------------------------------------

    def _ends_list(self) -> bool:
        if self.kind is Kind.WORD:
            return self.text in CLOSING
        if self.kind is Kind.OPERATOR:
            return self.text == ")" or self.ends_arm()
        return self.kind is Kind.END

    def _list(self, *, one_line: bool = False) -> Node:
        """Commands up to a token that ends them (or, with ``one_line``, up to the end of the line)."""
        commands: list[Node] = []
        if not one_line:
            self.skip_newlines()
        while not self._ends_list():
            line = self.line_at(self.start)
            node = self._and_or()
            ended = self.kind is not Kind.OPERATOR or self.text not in (";", "&", "\n")
            if self.is_operator("&"):
                node = Background(node, line)
            commands.append(node)
            if ended:
                break
            if self.text == "\n":
                if one_line:
                    break
            else:
                self.advance()
                if one_line and self.is_operator("\n"):
                    break
            if not one_line:
                self.skip_newlines()
        if one_line and not commands:
            raise self.unexpected()
        return _sequence(commands)

    def _body(self, *ends: str) -> Node:
        """A list that must not be empty, and the closing word behind it (consumed only by the caller)."""
        node = self._list()
        if node is _NOTHING and self.kind is not Kind.END:
            raise self.unexpected()
        if not any(self.is_reserved(end) or self.is_operator(end) for end in ends):
            raise self.unexpected(f'"{ends[-1]}"')
        return node

    def _and_or(self) -> Node:
        first = self._pipeline()
        rest: list[tuple[str, Node]] = []
        while self.kind is Kind.OPERATOR and self.text in ("&&", "||"):
            operator = self.text
            self.advance()
            self.skip_newlines()
            rest.append((operator, self._pipeline()))
        return AndOr(first, tuple(rest)) if rest else first

    def _pipeline(self) -> Node:
        if self.kind is Kind.WORD and self.text == "!":
            self.advance()
            return Not(self._pipeline())
        line = self.line_at(self.start)
        commands = [self.command()]
        while self.kind is Kind.OPERATOR and self.text in ("|", "|&"):
            if self.text == "|&":
                both = Redirection(2, ">&", Word((Literal("1"),)))
                commands[-1] = Redirected(commands[-1], (both,), line)
            self.advance()
            self.skip_newlines()
            commands.append(self.command())
        return Pipeline(tuple(commands), line) if len(commands) > 1 else commands[0]

    def command(self) -> Node:
        """Any command, with the redirections of a compound one."""
        line = self.line_at(self.start)
        if self.kind is Kind.OPERATOR and self.text == "(":
            node = self._parenthesis(line)
        elif self.kind is Kind.WORD and (method := _COMPOUND.get(self.text)) is not None:
            node = method(self, line)
        elif self.kind is Kind.WORD and self.dialect.has_extensions and self.text in ("[[", "function"):
            if self.text == "function":
                return self.function_keyword()
            self.advance()
            node = Test(self.condition(), line)
        elif self.kind is Kind.WORD and self.text in RESERVED:
            raise self.unexpected()
        else:
            return self.simple(line)
        redirections: list[Redirection] = []
        while self.at_redirection():
            redirections.append(self.redirection())
        return Redirected(node, tuple(redirections), line) if redirections else node

    def _parenthesis(self, line: int) -> Node:
        if self.dialect is Dialect.BASH and self.source.startswith("((", self.start):
            parts = self.arithmetic(self.start + 2)
            if parts is not None:
                self.advance()
                return Arithmetic(parts, line)
        self.advance()
        body = self._body(")")
        self.advance()
        return Subshell(body, line)

    def _group(self, _line: int) -> Node:
        self.advance()
        body = self._body("}")
        self.advance()
        return Group(body)

    def _if(self, _line: int) -> Node:
        arms: list[tuple[Node, Node]] = []
        otherwise = None
        while True:
            self.advance()
            condition = self._body("then")
            self.advance()
            arms.append((condition, self._body("elif", "else", "fi")))
            if not self.is_reserved("elif"):
                break
        if self.is_reserved("else"):
            self.advance()
            otherwise = self._body("fi")
        self.advance()
        return If(tuple(arms), otherwise)

    def _loop(self, _line: int) -> Node:
        negated = self.text == "until"
        self.advance()
        condition = self._body("do")
        return Loop(condition, self._do_done(), negated)

    def _do_done(self) -> Node:
        self.expect("do")
        body = self._body("done")
        self.advance()
        return body

    def _for(self, line: int) -> Node:
        self.advance()
        if self.is_operator("(") and self.dialect is Dialect.BASH:
            raise self.error("for ((…)) is not simulated: use while and $((…))")
        if not NAME.fullmatch(self.text):  # the text of anything but a plain word is no name
            raise self.error("Bad for loop variable")
        name, words = self.text, None
        self.advance()
        self.skip_newlines()
        if self.is_reserved("in"):
            self.advance()
            found: list[Word] = []
            while self.kind is Kind.WORD:
                found.extend(self.words())
                self.advance()
            words = tuple(found)
            if not (self.is_operator(";") or self.is_operator("\n")):
                raise self.unexpected()
            self.advance()
        elif self.is_operator(";"):
            self.advance()
        self.skip_newlines()
        return For(name, words, self._do_done(), line)

    def _case(self, line: int) -> Node:
        self.advance()
        if self.kind is not Kind.WORD:
            raise self.unexpected("word")
        subject = self.word
        self.advance()
        self.skip_newlines()
        self.expect("in")
        self.skip_newlines()
        arms: list[CaseArm] = []
        while not self.is_reserved("esac"):
            arms.append(self._case_arm())
        self.advance()
        return Case(subject, tuple(arms), line)

    def _case_arm(self) -> CaseArm:
        if self.is_operator("("):
            self.advance()
        patterns: list[Word] = []
        while True:
            if self.kind is not Kind.WORD:
                raise self.unexpected("word" if self.kind is Kind.END else None)
            patterns.append(self.word)
            self.advance()
            if not self.is_operator("|"):
                break
            self.advance()
        self.expect_operator(")")
        body = self._list()
        ending = ";;"
        if self.ends_arm():
            ending = self.text
            self.advance()
            self.skip_newlines()
        elif not self.is_reserved("esac"):
            raise self.unexpected('";;"')
        return CaseArm(tuple(patterns), body, ending)


_COMPOUND: Final = {
    "{": Parser._group,
    "if": Parser._if,
    "while": Parser._loop,
    "until": Parser._loop,
    "for": Parser._for,
    "case": Parser._case,
}
