"""The words of an awk program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from builder.world.utilities.commandline import UsageError
from builder.world.utilities.escapes import escape

# fmt: off
KEYWORDS: Final = frozenset({
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue",
    "next", "nextfile", "exit", "return", "delete", "in", "getline", "print", "printf",
})
BUILTINS: Final = frozenset({
    "length", "substr", "index", "split", "sub", "gsub", "match", "sprintf", "sin", "cos", "atan2", "exp",
    "log", "sqrt", "int", "rand", "srand", "tolower", "toupper", "system", "close", "fflush", "systime",
    "strftime", "and", "or", "xor", "lshift", "rshift", "compl",
})
# fmt: on
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_OPERATORS: Final = (
    "**=", "**", "^=", "++", "--", "+=", "-=", "*=", "/=", "%=", "==", "<=", ">=", "!=", "!~", "&&", "||",
    ">>",
)  # fmt: skip
_BEFORE_DIVISION: Final = frozenset({"name", "number", "string", ")", "]", "$", "++", "--", "builtin"})


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the program.

    ``kind``: number, string, regex, name, call (a name with its parenthesis), builtin, newline, end, or the
    keyword or operator itself.
    """

    kind: str
    text: bytes = b""
    line: int = 0


def tokens(source: str) -> list[Token]:
    """All tokens of a program (latin-1 text), ``end`` last. Raises UsageError."""
    found: list[Token] = []
    at, line = 0, 1
    while at < len(source):
        char = source[at]
        if char in " \t\r":
            at += 1
        elif char == "\\" and source[at + 1 : at + 2] == "\n":
            at, line = at + 2, line + 1
        elif char == "#":
            end = source.find("\n", at)
            at = len(source) if end < 0 else end
        else:
            token, at = _token(source, at, line, found)
            found.append(token)
            line += source.count("\n", 0, at) + 1 - line if token.kind == "newline" else 0
    found.append(Token("end", line=line))
    return found


def _token(source: str, at: int, line: int, before: list[Token]) -> tuple[Token, int]:
    char = source[at]
    if char == "\n":
        return Token("newline", line=line), at + 1
    if char == '"':
        text, end = _delimited(source, at + 1, '"')
        return Token("string", unescaped(text), line), end
    if char == "/" and not (before and before[-1].kind in _BEFORE_DIVISION):
        text, end = _delimited(source, at + 1, "/")
        return Token("regex", text.encode("latin-1").replace(rb"\/", b"/"), line), end
    match = _NUMBER.match(source, at)
    if match:
        return Token("number", match[0].encode(), line), match.end()
    match = _NAME.match(source, at)
    if match:
        name = match[0]
        if name in KEYWORDS:
            return Token("function" if name == "func" else name, line=line), match.end()
        kind = (
            "builtin"
            if name in BUILTINS
            else "call"
            if source[match.end() : match.end() + 1] == "("
            else "name"
        )
        return Token(kind, name.encode(), line), match.end()
    for operator in _OPERATORS:
        if source.startswith(operator, at):
            return Token(operator.replace("**", "^"), line=line), at + len(operator)
    if char in "{}()[];,+-*/%^!<>|?:~$=":
        return Token(char, line=line), at + 1
    raise UsageError(f"cmd. line:{line}: Syntax error")


def _delimited(source: str, at: int, delimiter: str) -> tuple[str, int]:
    start = at
    in_bracket = False
    while at < len(source) and source[at] != "\n":
        char = source[at]
        if char == "\\":
            at += 2
            continue
        if char == delimiter and not in_bracket:
            return source[start:at], at + 1
        if delimiter == "/":
            # A bracket may hold the delimiter: /[/]/ is one expression.
            in_bracket = (char == "[" and "]" in source[at:]) or (in_bracket and char != "]")
        at += 1
    raise UsageError(
        "cmd. line: Unexpected end of string" if delimiter == '"' else "cmd. line: Unterminated regex"
    )


def unescaped(text: str) -> bytes:
    """The bytes of a string literal (latin-1 text) with its escapes resolved."""
    raw, made, at = text.encode("latin-1"), bytearray(), 0
    while at < len(raw):
        if raw[at : at + 1] != b"\\":
            made.append(raw[at])
            at += 1
        elif raw[at + 1 : at + 2] in (b'"', b"/"):
            made += raw[at + 1 : at + 2]
            at += 2
        elif raw[at + 1 : at + 2] == b"\n":
            at += 2
        else:
            piece, at = escape(raw, at + 1)
            made += piece
    return bytes(made)
