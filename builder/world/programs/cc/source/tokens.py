"""C text cut into tokens (ISO C 6.4), each with the file and line that it was written in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class CompileError(Exception):
    """A reason why a source is not compiled; ``where`` is ``file:line:column``."""

    def __init__(self, what: str, where: str = "", *, fatal: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fatal = fatal

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{'fatal error' if self.fatal else 'error'}: {self.what}"


class Token(NamedTuple):
    """``kind``: name, number, string, char, sign or end. ``text`` as written."""

    kind: str
    text: str
    file: str
    line: int
    column: int

    @property
    def where(self) -> str:
        """The place as compilers print it."""
        return f"{self.file}:{self.line}:{self.column}"


KEYWORDS: Final = frozenset(
    [
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "_Bool",
        "_Noreturn",
        "__inline",
        "__restrict",
    ]
)

_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\f\v\r]+)
    |(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    |(?P<number>\.?[0-9](?:[eEpP][+-]|[0-9A-Za-z_.])*)
    |(?P<string>"(?:[^"\\\n]|\\.)*")
    |(?P<char>'(?:[^'\\\n]|\\.)+')
    |(?P<sign>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\#\#|[][(){}.&*+~!/%<>^|?:;=,\#-])
    |(?P<other>.)""",
    re.VERBOSE,
)
_MARKER: Final = re.compile(r'# (\d+) "((?:[^"\\]|\\.)*)"')
_ESCAPES: Final = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27}
_ESCAPE: Final = re.compile(r"\\(x[0-9A-Fa-f]+|[0-7]{1,3}|.)", re.DOTALL)


def scan_line(text: str, file: str, line: int) -> Iterator[Token]:
    """The tokens of one line; CompileError for a sign that C does not have."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "blank":
            continue
        if kind == "other":
            where = f"{file}:{line}:{match.start() + 1}"
            if match.group() in "\"'":
                raise CompileError(f"missing terminating {match.group()} character", where)
            raise CompileError(f"stray '{_shown(match.group())}' in program", where)
        yield Token(kind, match.group(), file, line, match.start() + 1)


def tokenize(source: str, name: str) -> list[Token]:
    """The tokens of preprocessed text, ended by one of kind ``end``."""
    tokens: list[Token] = []
    file, number = name, 0
    for text in source.split("\n"):
        number += 1
        if text.startswith("# ") and (marker := _MARKER.match(text)):
            file, number = marker[2], int(marker[1]) - 1
            continue
        if text:
            tokens.extend(scan_line(text, file, number))
    last = tokens[-1] if tokens else Token("end", "", file, max(number, 1), 1)
    tokens.append(Token("end", "", last.file, last.line, last.column + len(last.text)))
    return tokens


def text_of(literal: str) -> bytes:
    """The bytes that a string or character literal stands for, without its quotes."""

    def one(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] == "x":
            return chr(int(code[1:], 16) & 255)
        if code[0] in "01234567":
            return chr(int(code, 8) & 255)
        return chr(_ESCAPES.get(code, ord(code)))

    inner = literal[1:-1].encode("utf-8", "surrogateescape").decode("latin-1")
    return _ESCAPE.sub(one, inner).encode("latin-1", "replace")


def number_of(token: Token) -> int:
    """The value of an integer literal; CompileError for one with a fraction."""
    digits = token.text.rstrip("uUlL")
    try:
        if len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567":
            return int(digits, 8)
        return int(digits, 0)
    except ValueError as error:
        if re.fullmatch(r"[0-9.]+([eE][+-]?[0-9]+)?[fFlL]?", token.text):
            raise CompileError(
                "not simulated: numbers with a fraction (float, double)", token.where
            ) from error
        raise CompileError(f"invalid suffix on integer constant '{token.text}'", token.where) from error


def _shown(sign: str) -> str:
    return sign if " " < sign < "\x7f" else "".join(f"\\{byte:o}" for byte in sign.encode("utf-8", "replace"))
