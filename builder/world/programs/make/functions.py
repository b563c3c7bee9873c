"""The functions that a makefile can call (GNU make manual, chapter 8)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from builder.world.programs.make.variables import (
    Function,
    MakeError,
    Origin,
    Variable,
    Variables,
    match_pattern,
    substitute_pattern,
)

Text = Callable[..., str]


class Surroundings(Protocol):
    """What functions need from the world."""

    def glob(self, pattern: str) -> list[str]:
        """The names that match, sorted."""
        ...

    def shell(self, command: str) -> str:
        """What a command prints."""
        ...

    def say(self, text: str, *, as_error: bool) -> None:
        """Print a line."""
        ...

    def real_path(self, path: str) -> str:
        """The absolute path without symbolic links; "" if it does not exist."""
        ...

    def absolute(self, path: str) -> str:
        """The absolute path, links left alone."""
        ...


def functions(world: Surroundings) -> Mapping[str, Function]:
    """Every function by its name."""
    return MappingProxyType({**_PURE, **_worldly(world)})


def _plain(most: int, work: Text) -> Function:
    """A function whose arguments are expanded first."""

    def run(variables: Variables, arguments: list[str]) -> str:
        expanded = [variables.expand(argument) for argument in arguments]
        return work(*(expanded + [""] * (most - len(expanded)) if most < 99 else expanded))

    return Function(most, run)


def _each(work: Callable[[str], str]) -> Function:
    return _plain(1, lambda text: " ".join(filter(None, (work(word) for word in text.split()))))


def _filter(patterns: str, text: str, *, keep: bool) -> str:
    wanted = patterns.split()
    return " ".join(
        word
        for word in text.split()
        if any(match_pattern(pattern, word) is not None for pattern in wanted) == keep
    )


def _word(number: str, text: str) -> str:
    words = text.split()
    if not number.strip().isdigit() or int(number) < 1:
        raise MakeError("first argument to 'word' function must be greater than 0")
    return words[int(number) - 1] if int(number) <= len(words) else ""


def _word_list(first: str, last: str, text: str) -> str:
    if not (first.strip().isdigit() and last.strip().isdigit()):
        raise MakeError("non-numeric argument to 'wordlist' function")
    return " ".join(text.split()[max(int(first) - 1, 0) : int(last)])


def _directory(word: str) -> str:
    return word[: word.rfind("/") + 1] or "./"


def _suffix(word: str) -> str:
    return os.path.splitext(word.rpartition("/")[2])[1]


def _join(left: str, right: str) -> str:
    one, two = left.split(), right.split()
    longest = max(len(one), len(two))
    one += [""] * (longest - len(one))
    two += [""] * (longest - len(two))
    return " ".join(first + second for first, second in zip(one, two, strict=True))


def _foreach(variables: Variables, arguments: list[str]) -> str:
    if len(arguments) < 3:
        raise MakeError("insufficient number of arguments to function 'foreach'")
    name = variables.expand(arguments[0]).strip()
    results = []
    for word in variables.expand(arguments[1]).split():
        variables.push({name: Variable(word, is_simple=True, origin=Origin.AUTOMATIC)})
        results.append(variables.expand(arguments[2]))
        variables.pop()
    return " ".join(results)


def _if(variables: Variables, arguments: list[str]) -> str:
    if variables.expand(arguments[0].strip()):
        return variables.expand(arguments[1]) if len(arguments) > 1 else ""
    return variables.expand(arguments[2]) if len(arguments) > 2 else ""


def _or(variables: Variables, arguments: list[str]) -> str:
    for argument in arguments:
        value = variables.expand(argument.strip())
        if value:
            return value
    return ""


def _and(variables: Variables, arguments: list[str]) -> str:
    value = ""
    for argument in arguments:
        value = variables.expand(argument.strip())
        if not value:
            return ""
    return value


def _call(variables: Variables, arguments: list[str]) -> str:
    name = variables.expand(arguments[0]).strip()
    values = {
        str(index): Variable(variables.expand(argument), is_simple=True, origin=Origin.AUTOMATIC)
        for index, argument in enumerate(arguments)
    }
    known = variables.get(name)
    if known is None:
        return ""
    variables.push(values)
    try:
        return variables.expand(known.value)
    finally:
        variables.pop()


def _origin(variables: Variables, arguments: list[str]) -> str:
    known = variables.get(variables.expand(arguments[0]).strip())
    return "undefined" if known is None else known.origin.text


def _value(variables: Variables, arguments: list[str]) -> str:
    known = variables.get(variables.expand(arguments[0]).strip())
    return "" if known is None else known.value


def _flavor(variables: Variables, arguments: list[str]) -> str:
    known = variables.get(variables.expand(arguments[0]).strip())
    return "undefined" if known is None else "simple" if known.is_simple else "recursive"


def _refused(name: str) -> Function:
    def run(_variables: Variables, _arguments: list[str]) -> str:
        raise MakeError(f"not simulated: the function '{name}'")

    return Function(9, run)


def _error(text: str) -> str:
    raise MakeError(text)


def _substitute(before: str, after: str, text: str) -> str:
    return text.replace(before, after) if before else text + after


_PURE: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "subst": _plain(3, _substitute),
        "patsubst": _plain(
            3,
            lambda before, after, text: " ".join(
                substitute_pattern(before.strip(), after.strip(), word) for word in text.split()
            ),
        ),
        "strip": _plain(1, lambda text: " ".join(text.split())),
        "findstring": _plain(2, lambda part, text: part if part in text else ""),
        "filter": _plain(2, lambda patterns, text: _filter(patterns, text, keep=True)),
        "filter-out": _plain(2, lambda patterns, text: _filter(patterns, text, keep=False)),
        "sort": _plain(1, lambda text: " ".join(sorted(set(text.split())))),
        "word": _plain(2, _word),
        "words": _plain(1, lambda text: str(len(text.split()))),
        "wordlist": _plain(3, _word_list),
        "firstword": _plain(1, lambda text: (text.split() or [""])[0]),
        "lastword": _plain(1, lambda text: (text.split() or [""])[-1]),
        "dir": _each(_directory),
        "notdir": _each(lambda word: word.rpartition("/")[2]),
        "suffix": _each(_suffix),
        "basename": _each(lambda word: word[: len(word) - len(_suffix(word))]),
        "addsuffix": _plain(2, lambda ending, text: " ".join(word + ending for word in text.split())),
        "addprefix": _plain(2, lambda begin, text: " ".join(begin + word for word in text.split())),
        "join": _plain(2, _join),
        "error": _plain(1, _error),
        "foreach": Function(3, _foreach),
        "if": Function(3, _if),
        "or": Function(99, _or),
        "and": Function(99, _and),
        "call": Function(99, _call),
        "origin": Function(1, _origin),
        "value": Function(1, _value),
        "flavor": Function(1, _flavor),
        "eval": _refused("eval"),
        "file": _refused("file"),
        "guile": _refused("guile"),
    }
)


def _worldly(world: Surroundings) -> Mapping[str, Function]:
    def said(text: str) -> str:
        world.say(text, as_error=False)
        return ""

    def warned(text: str) -> str:
        world.say(text, as_error=True)
        return ""

    return {
        "wildcard": _plain(
            1, lambda text: " ".join(name for pattern in text.split() for name in world.glob(pattern))
        ),
        "shell": _plain(1, world.shell),
        "info": _plain(1, said),
        "warning": _plain(1, warned),
        "abspath": _each(world.absolute),
        "realpath": _each(world.real_path),
    }
