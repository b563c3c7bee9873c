"""Variables and functions of a makefile (GNU make manual, chapters 6 and 8)."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

MAX_DEPTH: Final = 100
MAX_TEXT: Final = 4 * 1024 * 1024


class MakeError(Exception):
    """Something that make stops for; ``where`` is ``Makefile:3`` or empty."""

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where


class MissingMakefileError(MakeError):
    """A makefile that does not exist; make looks for a rule to make it, and has none."""

    def __init__(self, name: str, where: str = "") -> None:
        super().__init__(f"No rule to make target '{name}'", where)
        self.name = name


class Origin(enum.IntEnum):
    """Where a value comes from; a higher one is not replaced by a lower one."""

    DEFAULT = 0
    ENVIRONMENT = 1
    FILE = 2
    COMMAND_LINE = 3
    OVERRIDE = 4
    AUTOMATIC = 5

    @property
    def text(self) -> str:
        """As the function ``origin`` names it."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Variable:
    """A value; ``is_simple``: expanded when it was set (``:=``), not when it is used."""

    value: str
    is_simple: bool
    origin: Origin
    where: str = ""


class Variables:
    """All variables of one makefile, and what stands in front of them while a recipe is expanded."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._values: dict[str, Variable] = {}
        self._local: list[Mapping[str, Variable]] = []
        self._functions = functions
        self._busy: list[str] = []
        self._depth = 0

    def set(self, name: str, value: str, *, is_simple: bool, origin: Origin, where: str = "") -> None:
        """Give ``name`` a value, unless it has one of a higher origin."""
        known = self._values.get(name)
        if known is None or known.origin <= origin:
            self._values[name] = Variable(value, is_simple, origin, where)

    def get(self, name: str) -> Variable | None:
        """The variable, or None."""
        for layer in reversed(self._local):
            if name in layer:
                return layer[name]
        return self._values.get(name)

    def names(self) -> list[str]:
        """The names of all variables, sorted."""
        return sorted(self._values)

    def unset(self, name: str) -> None:
        """Forget ``name``."""
        self._values.pop(name, None)

    def push(self, values: Mapping[str, Variable]) -> None:
        """Let ``values`` stand in front until ``pop``."""
        self._local.append(values)

    def pop(self) -> None:
        """Undo the last ``push``."""
        self._local.pop()

    def value(self, name: str) -> str:
        """The expanded value of ``name``; "" if it is not set."""
        known = self.get(name)
        if known is None:
            return ""
        if known.is_simple:
            return known.value
        if name in self._busy:
            raise MakeError(f"Recursive variable '{name}' references itself (eventually)", known.where)
        self._busy.append(name)
        try:
            return self.expand(known.value)
        finally:
            self._busy.pop()

    def expand(self, text: str) -> str:
        """``text`` with every reference and function call replaced."""
        if "$" not in text:
            return text
        if self._depth > MAX_DEPTH:
            raise MakeError("variables nested too deeply")
        self._depth += 1
        try:
            return self._expanded(text)
        finally:
            self._depth -= 1

    def _expanded(self, text: str) -> str:
        parts: list[str] = []
        index = size = 0
        while True:
            dollar = text.find("$", index)
            if dollar < 0 or dollar + 1 >= len(text):
                parts.append(text[index:])
                break
            parts.append(text[index:dollar])
            sign = text[dollar + 1]
            if sign == "$":
                parts.append("$")
                index = dollar + 2
            elif sign in "({":
                end = closing(text, dollar + 1)
                parts.append(self._reference(text[dollar + 2 : end]))
                index = end + 1
            else:
                parts.append(self.value(sign))
                index = dollar + 2
            size += len(parts[-1])
            if size > MAX_TEXT:
                raise MakeError("a variable expands to too much text")
        return "".join(parts)

    def _reference(self, inside: str) -> str:
        word = inside.split(None, 1)[0] if inside and not inside[0].isspace() else ""
        if word in self._functions and len(inside) > len(word) and inside[len(word)].isspace():
            function = self._functions[word]
            rest = inside[len(word) :].lstrip()
            return function.run(self, split_arguments(rest, function.most))
        name, colon, substitution = _split_substitution(inside)
        name = self.expand(name)
        if colon and "=" in substitution:
            before, _, after = substitution.partition("=")
            before, after = self.expand(before), self.expand(after)
            if "%" not in before:
                before, after = "%" + before, "%" + after
            return " ".join(substitute_pattern(before, after, item) for item in self.value(name).split())
        return self.value(name)


@dataclass(frozen=True, slots=True)
class Function:
    """A function: at how many commas its arguments are split, and what it does with the raw texts."""

    most: int
    run: Callable[[Variables, list[str]], str]


def closing(text: str, opening: int) -> int:
    """Where the parenthesis or brace at ``opening`` ends; MakeError if nowhere."""
    begin = text[opening]
    end = ")" if begin == "(" else "}"
    depth = 0
    for index in range(opening, len(text)):
        if text[index] == begin:
            depth += 1
        elif text[index] == end:
            depth -= 1
            if depth == 0:
                return index
    raise MakeError("unterminated variable reference")


def split_arguments(text: str, most: int) -> list[str]:
    """``text`` cut at commas outside parentheses, into at most ``most`` pieces."""
    pieces: list[str] = []
    depth = begin = 0
    for index, sign in enumerate(text):
        if sign in "({":
            depth += 1
        elif sign in ")}":
            depth -= 1
        elif sign == "," and depth == 0 and len(pieces) < most - 1:
            pieces.append(text[begin:index])
            begin = index + 1
    pieces.append(text[begin:])
    return pieces


def _split_substitution(inside: str) -> tuple[str, str, str]:
    depth = 0
    for index, sign in enumerate(inside):
        if sign in "({":
            depth += 1
        elif sign in ")}":
            depth -= 1
        elif sign == ":" and depth == 0:
            return inside[:index], ":", inside[index + 1 :]
    return inside, "", ""


def match_pattern(pattern: str, word: str) -> str | None:
    """The stem for which ``pattern`` (with one ``%``) is ``word``; None if it does not fit."""
    before, percent, after = pattern.partition("%")
    if not percent:
        return "" if pattern == word else None
    fits = len(word) >= len(before) + len(after) and word.startswith(before) and word.endswith(after)
    return word[len(before) : len(word) - len(after)] if fits else None


def substitute_pattern(pattern: str, replacement: str, word: str) -> str:
    """``word`` rewritten if it fits ``pattern`` (patsubst)."""
    stem = match_pattern(pattern, word)
    if stem is None:
        return word
    return replacement.replace("%", stem, 1) if "%" in pattern else replacement
