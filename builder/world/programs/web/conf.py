"""Reading a configuration in nginx's grammar: directives, blocks, includes; errors as nginx words them.

Source: nginx's own documentation, "Configuration file's structure", and the messages of
``ngx_conf_file.c``.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from builder.world.programs.web.directives import DIRECTIVES, Rule
from unionfs_sim.vfs.posix import Posix

MAX_INCLUDES: Final = 100
MAX_DEPTH: Final = 32
_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\r]+|\#[^\n]*)|(?P<newline>\n)|(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<sign>[{};])|(?P<word>(?:[^\s{};\\"']|\\.|\$\{)(?:[^\s{};\\]|\\.|(?<=\$)\{[^\s{};]*\})*)|(?P<open>["'])""",
    re.VERBOSE | re.DOTALL,
)


class ConfigError(Exception):
    """A configuration that the server refuses; ``where`` is ``/path:line`` or empty."""

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where

    def __str__(self) -> str:
        return f"{self.what} in {self.where}" if self.where else self.what


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: its name, its arguments, what its block holds (None without one) and its place."""

    name: str
    arguments: tuple[str, ...]
    block: tuple[Directive, ...] | None
    where: str

    def all(self, name: str) -> list[Directive]:
        """The directives of this name in the block."""
        return [inner for inner in self.block or () if inner.name == name]


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def parse(fs: Posix, path: str, directory: str) -> tuple[Directive, ...]:
    """The directives of the file at ``path``; relative includes begin at ``directory``."""
    return _Parser(fs, directory).file(path, "main", "", 0)


def parse_text(fs: Posix, text: str, directory: str, name: str) -> tuple[Directive, ...]:
    """The directives in ``text``, such as the value of ``-g``; errors call it ``name``."""
    return _Parser(fs, directory).text(text, name, "main", 0)


class _Parser:
    def __init__(self, fs: Posix, directory: str) -> None:
        self._fs = fs
        self._directory = directory
        self._files = 0

    def file(self, path: str, context: str, where: str, depth: int) -> tuple[Directive, ...]:
        self._files += 1
        if self._files > MAX_INCLUDES:
            raise ConfigError("too many included files", where)
        try:
            content = self._fs.read_bytes(path)
        except OSError as error:
            raise ConfigError(f'open() "{path}" failed ({error.errno}: {error.strerror})', where) from error
        return self.text(content.decode("utf-8", "surrogateescape"), path, context, depth)

    def text(self, text: str, name: str, context: str, depth: int) -> tuple[Directive, ...]:
        tokens = list(_tokens(text, name))
        directives, index = self._block(tokens, 0, name, context, depth)
        if index < len(tokens):
            raise ConfigError('unexpected "}"', f"{name}:{tokens[index].line}")
        return directives

    def _block(
        self, tokens: Sequence[_Token], index: int, name: str, context: str, depth: int
    ) -> tuple[tuple[Directive, ...], int]:
        if depth > MAX_DEPTH:
            raise ConfigError("blocks are nested too deeply", f"{name}:{tokens[index - 1].line}")
        found: list[Directive] = []
        while index < len(tokens) and tokens[index].text != "}":
            words: list[str] = []
            while index < len(tokens) and tokens[index].kind != "sign":
                words.append(tokens[index].text)
                index += 1
            if index == len(tokens):
                raise ConfigError('unexpected end of file, expecting ";" or "}"', f"{name}:{tokens[-1].line}")
            sign = tokens[index]
            where = f"{name}:{sign.line}"
            if not words:
                raise ConfigError(f'unexpected "{sign.text}"', where)
            if sign.text == "}":
                raise ConfigError('unexpected "}"', where)
            index += 1
            if words[0] == "include" and sign.text == ";" and context != "types":
                found.extend(self._include(words, context, where, depth))
                continue
            rule = _checked(words, sign.text, context, where)
            block = None
            if sign.text == "{":
                block, index = self._block(tokens, index, name, rule.opens, depth + 1)
                if index >= len(tokens):
                    raise ConfigError('unexpected end of file, expecting "}"', f"{name}:{tokens[-1].line}")
                index += 1
            found.append(Directive(words[0], tuple(words[1:]), block, where))
        return tuple(found), index

    def _include(self, words: list[str], context: str, where: str, depth: int) -> Iterator[Directive]:
        if len(words) != 2:
            raise ConfigError('invalid number of arguments in "include" directive', where)
        pattern = words[1] if words[1].startswith("/") else f"{self._directory}/{words[1]}"
        for path in self._matching(pattern):
            yield from self.file(path, context, where, depth + 1)

    def _matching(self, pattern: str) -> list[str]:
        """The files that a glob names, sorted; a plain name is itself, whether it exists or not."""
        if not any(sign in pattern for sign in "*?["):
            return [pattern]
        directory, _, last = pattern.rpartition("/")
        try:
            names = sorted(self._fs.listdir(directory or "/"))
        except OSError:
            return []
        return [f"{directory}/{name}" for name in names if fnmatch.fnmatchcase(name, last) and name[0] != "."]


def _tokens(text: str, name: str) -> Iterator[_Token]:
    line, index = 1, 0
    while index < len(text):
        match = _TOKEN.match(text, index)
        if match is None or match.lastgroup == "open":
            raise ConfigError('unexpected end of file, expecting ";" or "}"', f"{name}:{line}")
        kind, found = match.lastgroup or "", match.group()
        index = match.end()
        if kind == "quoted":
            yield _Token("word", re.sub(r"\\([\"'\\ ])", r"\1", found[1:-1]), line)
        elif kind in ("word", "sign"):
            yield _Token(kind, found, line)
        line += found.count("\n")


def _checked(words: Sequence[str], sign: str, context: str, where: str) -> Rule:
    """The rule of a directive; ConfigError if it is unknown, misplaced or has the wrong shape."""
    name, count = words[0], len(words) - 1
    if context == "types":
        return Rule("types", 1, 999, "")
    rule = DIRECTIVES.get(name)
    if rule is None:
        raise ConfigError(f'unknown directive "{name}"', where)
    if context not in rule.contexts.split():
        raise ConfigError(f'"{name}" directive is not allowed here', where)
    if sign == "{" and not rule.opens:
        raise ConfigError(f'directive "{name}" is not terminated by ";"', where)
    if sign == ";" and rule.opens:
        raise ConfigError(f'directive "{name}" has no opening "{{"', where)
    if not rule.least <= count <= rule.most:
        raise ConfigError(f'invalid number of arguments in "{name}" directive', where)
    return rule
