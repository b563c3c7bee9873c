"""The preprocessor: includes, macros and conditions (ISO C 6.10), text in, text with line markers out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from builder.world.programs.cc.source.conditions import Arithmetic
from builder.world.programs.cc.source.tokens import CompileError, Token, scan_line

MAX_INCLUDE_DEPTH: Final = 200
MAX_TOKENS: Final = 200_000
_COMMENT: Final = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.DOTALL)
_DIRECTIVE: Final = re.compile(r"\s*#\s*([a-z]*)\s*(.*)", re.DOTALL)
_DEFINE: Final = re.compile(r"([A-Za-z_]\w*)(\(([^)]*)\))?\s*(.*)", re.DOTALL)
_INCLUDE: Final = re.compile(r'(?:"([^"]+)"|<([^>]+)>)')


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro: its parameters (None for one that takes none) and what it stands for."""

    parameters: tuple[str, ...] | None
    body: tuple[Token, ...]


class Preprocessor:
    """One run over one source file and what it includes."""

    def __init__(
        self, read: Callable[[str], str | None], directories: Sequence[str], defined: Mapping[str, str]
    ) -> None:
        self._read = read
        self._directories = tuple(directories)
        self._macros: dict[str, Macro] = {}
        self._made = 0
        self._output: list[str] = []
        self.files: list[str] = []
        for name, value in defined.items():
            self._define(f"{name} {value}", "<command-line>", 1)

    def run(self, path: str) -> str:
        """The preprocessed text of the file at ``path``; CompileError names what is wrong where."""
        text = self._read(path)
        if text is None:
            raise CompileError(f"{path}: No such file or directory", "cc1", fatal=True)
        try:
            self._file(path, text, 0)
        except RecursionError:
            raise CompileError("not simulated: expressions nested this deep", path) from None
        return "\n".join(self._output) + "\n"

    def _file(self, path: str, text: str, depth: int) -> None:
        self.files.append(path)
        self._output.append(f'# 1 "{path}"')
        conditions: list[_Condition] = []
        for number, line in _logical_lines(_strip_comments(text)):
            match = _DIRECTIVE.match(line) if line.lstrip().startswith("#") else None
            if match is not None:
                self._directive(match[1], match[2].strip(), path, number, depth, conditions)
                self._output.append("")
            elif all(condition.active for condition in conditions):
                self._output.append(self._expanded(line, path, number))
            else:
                self._output.append("")
            missing = number + line.count("\n") - number
            self._output.extend([""] * missing)
        if conditions:
            raise CompileError(f"unterminated #{conditions[-1].word}", f"{path}:{conditions[-1].line}:2")

    def _directive(
        self, word: str, rest: str, path: str, line: int, depth: int, conditions: list[_Condition]
    ) -> None:
        outside = all(condition.active for condition in conditions)
        where = f"{path}:{line}:2"
        match word:
            case "if" | "ifdef" | "ifndef":
                holds = outside and self._holds(word, rest, path, line)
                conditions.append(_Condition(word, line, outside, holds, holds))
            case "elif" | "else" | "endif":
                if not conditions:
                    raise CompileError(f"#{word} without #if", where)
                self._alternative(word, rest, path, line, conditions)
            case _ if not outside:
                return
            case "include":
                self._include(rest, path, line, depth)
            case "define":
                self._define(rest, path, line)
            case "undef":
                self._macros.pop(rest, None)
            case "error":
                raise CompileError(f"#error {rest}", where)
            case "pragma" | "warning" | "line" | "":
                return
            case _:
                raise CompileError(f"invalid preprocessing directive #{word}", where)

    def _alternative(self, word: str, rest: str, path: str, line: int, conditions: list[_Condition]) -> None:
        condition = conditions[-1]
        if word == "endif":
            conditions.pop()
            return
        wanted = condition.outside and not condition.taken
        condition.active = wanted and (word == "else" or self._holds("if", rest, path, line))
        condition.taken = condition.taken or condition.active

    def _holds(self, word: str, rest: str, path: str, line: int) -> bool:
        if word != "if":
            return (rest.split()[0] in self._macros if rest else False) == (word == "ifdef")
        plain = re.sub(
            r"\bdefined\s*(?:\(\s*(\w+)\s*\)|(\w+))",
            lambda match: "1" if (match[1] or match[2]) in self._macros else "0",
            rest,
        )
        tokens = self._expand(list(scan_line(plain, path, line)), frozenset())
        return Arithmetic(tokens, f"{path}:{line}:2").value() != 0

    def _include(self, rest: str, path: str, line: int, depth: int) -> None:
        where = f"{path}:{line}:10"
        match = _INCLUDE.match(rest)
        if match is None:
            raise CompileError('#include expects "FILENAME" or <FILENAME>', where)
        if depth >= MAX_INCLUDE_DEPTH:
            raise CompileError(f"#include nested depth {depth} exceeds maximum of {MAX_INCLUDE_DEPTH}", where)
        name = match[1] or match[2]
        here = [path.rpartition("/")[0]] if match[1] else []
        candidates = (
            [name]
            if name.startswith("/")
            else [f"{directory}/{name}" if directory else name for directory in (*here, *self._directories)]
        )
        for candidate in candidates:
            text = self._read(candidate)
            if text is not None:
                self._file(candidate, text, depth + 1)
                self._output.append(f'# {line} "{path}"')
                return
        raise CompileError(f"{name}: No such file or directory", where, fatal=True)

    def _define(self, rest: str, path: str, line: int) -> None:
        match = _DEFINE.fullmatch(rest)
        if match is None:
            raise CompileError("macro names must be identifiers", f"{path}:{line}:9")
        parameters = None
        if match[2] is not None:
            parameters = tuple(name.strip() for name in match[3].split(",") if name.strip())
        self._macros[match[1]] = Macro(parameters, tuple(scan_line(match[4], path, line)))

    def _expanded(self, line: str, path: str, number: int) -> str:
        if not line.strip():
            return ""
        tokens = list(scan_line(line.replace("\n", " "), path, number))
        if not any(token.text in self._macros or token.text.startswith("__") for token in tokens):
            return line.replace("\n", " ")
        return " ".join(token.text for token in self._expand(tokens, frozenset()))

    def _expand(self, tokens: list[Token], hidden: frozenset[str]) -> list[Token]:
        self._made += len(tokens)
        if self._made > MAX_TOKENS:
            raise CompileError("macros expand to too much text", tokens[0].where if tokens else "")
        result: list[Token] = []
        index = 0
        while index < len(tokens):
            token = tokens[index]
            index += 1
            macro = self._macros.get(token.text) if token.kind == "name" else None
            if token.text == "__LINE__":
                result.append(token._replace(kind="number", text=str(token.line)))
            elif token.text == "__FILE__":
                result.append(token._replace(kind="string", text=f'"{token.file}"'))
            elif macro is None or token.text in hidden:
                result.append(token)
            elif macro.parameters is None:
                body = [part._replace(file=token.file, line=token.line) for part in macro.body]
                result.extend(self._expand(body, hidden | {token.text}))
            elif index < len(tokens) and tokens[index].text == "(":
                arguments, index = _arguments(tokens, index)
                body = _substitute(macro, [self._expand(item, hidden) for item in arguments], arguments)
                result.extend(self._expand(body, hidden | {token.text}))
            else:
                result.append(token)
        return result


@dataclass(slots=True)
class _Condition:
    word: str
    line: int
    outside: bool
    active: bool
    taken: bool


def _strip_comments(text: str) -> str:
    def kept(match: re.Match[str]) -> str:
        found = match.group()
        if found[0] != "/":
            return found
        return " " + "\n" * found.count("\n")

    return _COMMENT.sub(kept, text.replace("\r\n", "\n"))


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines with their numbers; one continued by a backslash keeps its newlines inside."""
    lines: list[tuple[int, str]] = []
    begin, held = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        if not held:
            begin = number
        if line.endswith("\\"):
            held += line[:-1] + "\n"
            continue
        lines.append((begin, held + line))
        held = ""
    if held:
        lines.append((begin, held))
    return lines


def _arguments(tokens: list[Token], index: int) -> tuple[list[list[Token]], int]:
    """The arguments of a macro between the parenthesis at ``index`` and its partner."""
    opening, depth = tokens[index], 0
    arguments: list[list[Token]] = [[]]
    for position in range(index, len(tokens)):
        token = tokens[position]
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0:
            return arguments, position + 1
        if token.text == "," and depth == 1:
            arguments.append([])
        elif position > index:
            arguments[-1].append(token)
    raise CompileError("not simulated: the arguments of a macro on several lines", opening.where)


def _substitute(macro: Macro, expanded: list[list[Token]], written: list[list[Token]]) -> list[Token]:
    names = macro.parameters or ()
    body: list[Token] = []
    stringify = paste = False
    for token in macro.body:
        if token.text in ("#", "##"):
            stringify, paste = token.text == "#", token.text == "##"
            continue
        position = names.index(token.text) if token.text in names else -1
        parts = [token]
        if position >= 0 and stringify:
            text = " ".join(part.text for part in written[position]).replace("\\", "\\\\").replace('"', '\\"')
            parts = [token._replace(kind="string", text=f'"{text}"')]
        elif 0 <= position < len(expanded):
            parts = expanded[position]
        if paste and body and parts:
            joined = body.pop().text + parts[0].text
            parts = [*scan_line(joined, token.file, token.line), *parts[1:]]
        body.extend(parts)
        stringify = paste = False
    return body
