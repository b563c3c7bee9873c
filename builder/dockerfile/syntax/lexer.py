"""A Dockerfile's text → directives and statements: lines joined, comments and heredocs taken out.

The rules are BuildKit's (frontend/dockerfile/parser, ``parser.go`` and ``directives.go``): a continuation
is joined without the newline; comments and empty lines inside it vanish; directives stand at the very top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from builder.dockerfile.span import Span
from builder.dockerfile.syntax.heredoc import Heredoc, marks
from builder.dockerfile.variables.expand import ExpansionError
from builder.dockerfile.variables.words import SPACE, Head, NotStringsError, json_strings, split_head
from builder.errors import DockerfileError
from unionfs_sim.nodes.record import Record

_DIRECTIVE: Final = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S(?:.*\S)?)\s*", re.ASCII)
_DIRECTIVES: Final = frozenset({"syntax", "escape", "check"})
_CAN_HOLD_HEREDOCS: Final = frozenset({"RUN", "COPY", "ADD"})


class Limits(Record):
    """How much of a Dockerfile is read. A line of 64 KiB is BuildKit's own limit."""

    file_bytes: int = 16 * 1024 * 1024
    line_bytes: int = 64 * 1024
    instructions: int = 65_536


DEFAULT_LIMITS: Final = Limits()


class Directive(Record):
    """``# name=value`` at the top of the file."""

    span: Span
    name: str
    value: str


class Statement(Record):
    """One instruction before it is understood.

    ``text``: continuation lines joined. ``source``: as written, heredocs included. ``comments``: the
    comment lines directly above. ``gaps``: numbers of the empty lines inside continuations.
    """

    span: Span
    text: str
    source: str
    head: Head
    heredocs: tuple[Heredoc, ...]
    comments: tuple[str, ...]
    gaps: tuple[int, ...]


class Lexed(Record):
    """A whole file: its directives, its escape character and its statements in order."""

    directives: tuple[Directive, ...]
    escape: str
    statements: tuple[Statement, ...]


def lex(source: bytes | str, *, name: str = "Dockerfile", limits: Limits = DEFAULT_LIMITS) -> Lexed:
    """The statements of ``source``; DockerfileError with file and line if it cannot be read."""
    lines = _lines(source, name, limits)
    directives = _directives(lines, name)
    escape = next((each.value for each in directives if each.name == "escape"), "\\")
    statements: list[Statement] = []
    start = directives[-1].span.line if directives else 0
    for statement in _Lexer(lines, name, escape, start).statements():
        statements.append(statement)
        if len(statements) > limits.instructions:
            raise DockerfileError(
                f"more than {limits.instructions} instructions",
                where=statement.span,
                fix="build in several steps",
            )
    if not statements:
        fix = "begin with FROM, such as: FROM alpine:3.19"
        raise DockerfileError(
            "the file has no instructions", where=Span(name, max(1, len(lines)), len(lines)), fix=fix
        )
    return Lexed(directives, escape, tuple(statements))


def _lines(source: bytes | str, name: str, limits: Limits) -> list[str]:
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "surrogatepass"))
    if size > limits.file_bytes:
        raise DockerfileError(
            f"the file has {size} bytes, more than {limits.file_bytes}",
            where=name,
            fix="COPY large files instead",
        )
    text = source.decode("utf-8", "surrogateescape") if isinstance(source, bytes) else source
    lines = text.removeprefix("\ufeff").split("\n")
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, 1):
        _check_line(line, Span(name, number, number), limits)
    return lines


def _check_line(line: str, span: Span, limits: Limits) -> None:
    if (
        len(line) * 4 >= limits.line_bytes
        and len(line.encode("utf-8", "surrogateescape")) >= limits.line_bytes
    ):
        raise DockerfileError(
            f"the line has {limits.line_bytes} bytes or more",
            where=span,
            fix="break it with continuations or COPY a file",
        )
    if line.isascii() and "\0" not in line:
        return
    if "\0" in line:
        raise DockerfileError(
            f"a NUL byte in column {line.index(chr(0)) + 1}",
            where=span,
            fix="is this a Dockerfile, saved as UTF-8?",
        )
    # In a comment any byte may stand: nothing is done with it.
    wrong = next((at for at, sign in enumerate(line) if "\ud800" <= sign <= "\udfff"), None)
    if wrong is not None and not _is_comment(line):
        byte = ord(line[wrong]) - 0xDC00
        shown = f"byte 0x{byte:02x}" if 0x80 <= byte <= 0xFF else "half a surrogate pair"
        raise DockerfileError(
            f"{shown} in column {wrong + 1} is not UTF-8", where=span, fix="save the file as UTF-8"
        )


def _directives(lines: list[str], name: str) -> tuple[Directive, ...]:
    """The directives at the top; the first line that is none ends them. ``#!`` may stand before them."""
    found: dict[str, Directive] = {}
    start = 1 if lines and lines[0].startswith("#!") else 0
    for number, line in enumerate(lines[start:], start + 1):
        match = _DIRECTIVE.fullmatch(line.rstrip("\r").lstrip(SPACE))
        if match is None or match[1].lower() not in _DIRECTIVES:
            break
        directive = Directive(Span(name, number, number), match[1].lower(), match[2])
        if directive.name in found:
            first = found[directive.name].span
            raise DockerfileError(
                f"a second {directive.name} directive",
                where=directive.span,
                fix=f"keep one; the first is {first}",
            )
        if directive.name == "escape" and directive.value not in ("\\", "`"):
            raise DockerfileError(
                f"escape={directive.value}: no such escape character", where=directive.span, fix="use \\ or `"
            )
        found[directive.name] = directive
    return tuple(found.values())


def _is_comment(line: str) -> bool:
    return line.lstrip(SPACE).startswith("#")


class _Lexer:
    """Walks over the lines once."""

    __slots__ = ("_at", "_escape", "_lines", "_name")

    def __init__(self, lines: list[str], name: str, escape: str, start: int) -> None:
        self._lines = lines
        self._name = name
        self._escape = escape
        self._at = start

    def statements(self) -> Iterator[Statement]:
        """The statements in order."""
        comments: list[str] = []
        while self._at < len(self._lines):
            begun = self._at
            line = self._lines[begun].rstrip("\r").lstrip(SPACE)
            self._at += 1
            if line.startswith("#"):
                comment = line[1:].strip(SPACE)
                if comment:
                    comments.append(comment)
                else:
                    comments = []
                continue
            if not line:
                comments = []
                continue
            yield self._statement(begun, line, tuple(comments))
            comments = []

    def _statement(self, begun: int, line: str, comments: tuple[str, ...]) -> Statement:
        text, gaps = self._joined(line)
        span = Span(self._name, begun + 1, self._at)
        head = split_head(text)
        if not head.keyword:
            raise DockerfileError("a continuation of nothing", where=span, fix=f"remove the {self._escape}")
        heredocs = tuple(self._documents(text, span)) if "<<" in text and _may_open(head, span) else ()
        span = Span(self._name, begun + 1, self._at)
        return Statement(span, text, "\n".join(self._lines[begun : self._at]), head, heredocs, comments, gaps)

    def _joined(self, line: str) -> tuple[str, tuple[int, ...]]:
        """The line with its continuations; and which lines inside were empty."""
        parts: list[str] = []
        gaps: list[int] = []
        line, goes_on = self._cut_continuation(line)
        parts.append(line)
        while goes_on and self._at < len(self._lines):
            line = self._lines[self._at].rstrip("\r")
            self._at += 1
            bare = line.lstrip(SPACE)
            if bare.startswith("#"):
                continue
            if not bare:
                gaps.append(self._at)
                continue
            line, goes_on = self._cut_continuation(line)
            parts.append(line)
        return "".join(parts), tuple(gaps)

    def _cut_continuation(self, line: str) -> tuple[str, bool]:
        """The line without its last escape, and whether there was one: ``\\\\`` escapes itself."""
        bare = line.rstrip(" \t")
        if bare.endswith(self._escape) and not bare.endswith(self._escape * 2):
            return bare[:-1], True
        return line, False

    def _documents(self, text: str, span: Span) -> Iterator[Heredoc]:
        try:
            opened = marks(text)
        except ExpansionError as error:
            raise DockerfileError(f"heredoc: {error}", where=span, fix=error.fix) from None
        for document in opened:
            begun = self._at
            while self._at < len(self._lines) and not document.ends_with(self._lines[self._at]):
                self._at += 1
            if self._at == len(self._lines):
                raise DockerfileError(
                    f"the heredoc <<{document.name} never ends",
                    where=Span(span.file, span.line, len(self._lines)),
                    fix=f"add a line that is exactly {document.name}",
                )
            yield document.holding("".join(f"{line}\n" for line in self._lines[begun : self._at]))
            self._at += 1


def _may_open(head: Head, span: Span) -> bool:
    """Whether ``<<`` means a heredoc: in RUN, COPY and ADD, also behind ONBUILD, but not in a JSON array."""
    if head.keyword.upper() == "ONBUILD":
        head = split_head(head.rest)
    if head.keyword.upper() not in _CAN_HOLD_HEREDOCS:
        return False
    try:
        return json_strings(head.rest) is None
    except NotStringsError:
        raise DockerfileError(
            f"{head.keyword}: the JSON array holds something else than strings",
            where=span,
            fix='quote every element: ["a", "1"]',
        ) from None
