"""The grammar of commands (POSIX XCU 2.10): tokens in, one tree a line out.

A script is read line by line, as a shell does: what precedes a syntax error has run by the time it is met.
"""

from __future__ import annotations

from typing import Final

from builder.world.shell.dialect import Dialect
from builder.world.shell.language.commands import (
    at_redirection,
    expanded_words,
    function_keyword,
    redirection,
    simple,
)
from builder.world.shell.language.conditions import condition
from builder.world.shell.language.lexer import (
    CLOSING,
    RESERVED,
    advance,
    expect,
    expect_operator,
    skip_newlines,
    unexpected,
)
from builder.world.shell.language.reading import Kind, Reading
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
from builder.world.shell.language.words import NAME, arithmetic

_NOTHING: Final = Nothing()


def _sequence(commands: list[Node]) -> Node:
    if len(commands) == 1:
        return commands[0]
    return Sequence(tuple(commands)) if commands else _NOTHING


def _ends_list(reading: Reading) -> bool:
    if reading.kind is Kind.WORD:
        return reading.text in CLOSING
    if reading.kind is Kind.OPERATOR:
        return reading.text == ")" or reading.ends_arm()
    return reading.kind is Kind.END


def _list(reading: Reading, *, one_line: bool = False) -> Node:
    """Commands up to a token that ends them (or, with ``one_line``, up to the end of the line)."""
    commands: list[Node] = []
    if not one_line:
        skip_newlines(reading)
    while not _ends_list(reading):
        line = reading.line_at(reading.start)
        node = _and_or(reading)
        ended = reading.kind is not Kind.OPERATOR or reading.text not in (";", "&", "\n")
        if reading.is_operator("&"):
            node = Background(node, line)
        commands.append(node)
        if ended:
            break
        if reading.text == "\n":
            if one_line:
                break
        else:
            advance(reading)
            if one_line and reading.is_operator("\n"):
                break
        if not one_line:
            skip_newlines(reading)
    if one_line and not commands:
        raise unexpected(reading)
    return _sequence(commands)


def _body(reading: Reading, *ends: str) -> Node:
    """A list that must not be empty, and the closing word behind it (consumed only by the caller)."""
    node = _list(reading)
    if node is _NOTHING and reading.kind is not Kind.END:
        raise unexpected(reading)
    if not any(reading.is_reserved(end) or reading.is_operator(end) for end in ends):
        raise unexpected(reading, f'"{ends[-1]}"')
    return node


def _and_or(reading: Reading) -> Node:
    first = _pipeline(reading)
    rest: list[tuple[str, Node]] = []
    while reading.kind is Kind.OPERATOR and reading.text in ("&&", "||"):
        operator = reading.text
        advance(reading)
        skip_newlines(reading)
        rest.append((operator, _pipeline(reading)))
    return AndOr(first, tuple(rest)) if rest else first


def _pipeline(reading: Reading) -> Node:
    if reading.kind is Kind.WORD and reading.text == "!":
        advance(reading)
        return Not(_pipeline(reading))
    line = reading.line_at(reading.start)
    commands = [_command(reading)]
    while reading.kind is Kind.OPERATOR and reading.text in ("|", "|&"):
        if reading.text == "|&":
            both = Redirection(2, ">&", Word((Literal("1"),)))
            commands[-1] = Redirected(commands[-1], (both,), line)
        advance(reading)
        skip_newlines(reading)
        commands.append(_command(reading))
    return Pipeline(tuple(commands), line) if len(commands) > 1 else commands[0]


def _command(reading: Reading) -> Node:
    """Any command, with the redirections of a compound one."""
    line = reading.line_at(reading.start)
    if reading.kind is Kind.OPERATOR and reading.text == "(":
        node = _parenthesis(reading, line)
    elif reading.kind is Kind.WORD and (method := _COMPOUND.get(reading.text)) is not None:
        node = method(reading, line)
    elif reading.kind is Kind.WORD and reading.dialect.has_extensions and reading.text in ("[[", "function"):
        if reading.text == "function":
            return function_keyword(reading)
        advance(reading)
        node = Test(condition(reading), line)
    elif reading.kind is Kind.WORD and reading.text in RESERVED:
        raise unexpected(reading)
    else:
        return simple(reading, line)
    redirections: list[Redirection] = []
    while at_redirection(reading):
        redirections.append(redirection(reading))
    return Redirected(node, tuple(redirections), line) if redirections else node


def _parenthesis(reading: Reading, line: int) -> Node:
    if reading.dialect is Dialect.BASH and reading.source.startswith("((", reading.start):
        parts = arithmetic(reading, reading.start + 2)
        if parts is not None:
            advance(reading)
            return Arithmetic(parts, line)
    advance(reading)
    body = _body(reading, ")")
    advance(reading)
    return Subshell(body, line)


def _group(reading: Reading, _line: int) -> Node:
    advance(reading)
    body = _body(reading, "}")
    advance(reading)
    return Group(body)


def _if(reading: Reading, _line: int) -> Node:
    arms: list[tuple[Node, Node]] = []
    otherwise = None
    while True:
        advance(reading)
        condition = _body(reading, "then")
        advance(reading)
        arms.append((condition, _body(reading, "elif", "else", "fi")))
        if not reading.is_reserved("elif"):
            break
    if reading.is_reserved("else"):
        advance(reading)
        otherwise = _body(reading, "fi")
    advance(reading)
    return If(tuple(arms), otherwise)


def _loop(reading: Reading, _line: int) -> Node:
    negated = reading.text == "until"
    advance(reading)
    condition = _body(reading, "do")
    return Loop(condition, _do_done(reading), negated)


def _do_done(reading: Reading) -> Node:
    expect(reading, "do")
    body = _body(reading, "done")
    advance(reading)
    return body


def _for(reading: Reading, line: int) -> Node:
    advance(reading)
    if reading.is_operator("(") and reading.dialect is Dialect.BASH:
        raise reading.error("for ((…)) is not simulated: use while and $((…))")
    if not NAME.fullmatch(reading.text):  # the text of anything but a plain word is no name
        raise reading.error("Bad for loop variable")
    name, words = reading.text, None
    advance(reading)
    skip_newlines(reading)
    if reading.is_reserved("in"):
        advance(reading)
        found: list[Word] = []
        while reading.kind is Kind.WORD:
            found.extend(expanded_words(reading))
            advance(reading)
        words = tuple(found)
        if not (reading.is_operator(";") or reading.is_operator("\n")):
            raise unexpected(reading)
        advance(reading)
    elif reading.is_operator(";"):
        advance(reading)
    skip_newlines(reading)
    return For(name, words, _do_done(reading), line)


def _case(reading: Reading, line: int) -> Node:
    advance(reading)
    if reading.kind is not Kind.WORD:
        raise unexpected(reading, "word")
    subject = reading.word
    advance(reading)
    skip_newlines(reading)
    expect(reading, "in")
    skip_newlines(reading)
    arms: list[CaseArm] = []
    while not reading.is_reserved("esac"):
        arms.append(_case_arm(reading))
    advance(reading)
    return Case(subject, tuple(arms), line)


def _case_arm(reading: Reading) -> CaseArm:
    if reading.is_operator("("):
        advance(reading)
    patterns: list[Word] = []
    while True:
        if reading.kind is not Kind.WORD:
            raise unexpected(reading, "word" if reading.kind is Kind.END else None)
        patterns.append(reading.word)
        advance(reading)
        if not reading.is_operator("|"):
            break
        advance(reading)
    expect_operator(reading, ")")
    body = _list(reading)
    ending = ";;"
    if reading.ends_arm():
        ending = reading.text
        advance(reading)
        skip_newlines(reading)
    elif not reading.is_reserved("esac"):
        raise unexpected(reading, '";;"')
    return CaseArm(tuple(patterns), body, ending)


_COMPOUND: Final = {
    "{": _group,
    "if": _if,
    "while": _loop,
    "until": _loop,
    "for": _for,
    "case": _case,
}


class Parser(Reading):
    """Parses one complete command after the other with ``next_line``."""

    command = _command

    def __init__(self, source: str, position: int, dialect: Dialect, first_line: int) -> None:
        super().__init__(source, position, dialect, first_line)
        self._begun = False

    def next_line(self) -> Node | None:
        """The next complete command (a line, or several that belong together); None at the end."""
        try:
            if not self._begun:
                self._begun = True
                advance(self)
            while self.kind is Kind.OPERATOR and self.text == "\n":
                advance(self)
            if self.kind is Kind.END:
                return None
            node = _list(self, one_line=True)
            if not (self.at_end() or self.is_operator("\n")):
                raise unexpected(self)
        except RecursionError:
            raise self.error("nested too deeply") from None
        return node

    def substituted(self, source: str, position: int, line: int, closing: str) -> tuple[Node, int]:
        """The commands of a substitution, and the position behind its ``closing``."""
        inner = Parser(source, position, self.dialect, line)
        advance(inner)
        node = _list(inner)
        if (closing and not inner.is_operator(closing)) or (not closing and inner.kind is not Kind.END):
            raise unexpected(inner, f'"{closing}"' if closing else None)
        return node, inner.position


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
