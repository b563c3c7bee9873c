"""The words of a cc command line, and what they ask for."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

_WITH_VALUE: Final = frozenset(
    (
        "-o",
        "-I",
        "-D",
        "-U",
        "-L",
        "-l",
        "-include",
        "-isystem",
        "-MF",
        "-MT",
        "-MQ",
        "-x",
        "-idirafter",
        "-Xlinker",
        "-T",
        "-u",
    )
)
_JOINED: Final = ("-I", "-D", "-U", "-L", "-l", "-o")
_IGNORED: Final = (
    "-W",
    "-O",
    "-f",
    "-m",
    "-std=",
    "-g",
    "--sysroot",
    "-pedantic",
    "-d",
    "-MP",
    "-no-pie",
    "-pie",
    "-rdynamic",
    "-nostartfiles",
    "-ansi",
    "-P",
)


class OptionError(Exception):
    """A command line that cc does not understand."""


class Goal(enum.Enum):
    """How far to go with the inputs."""

    PREPROCESS = "-E"
    CHECK = "-fsyntax-only"
    COMPILE = "-c"
    PROGRAM = ""
    SHARED = "-shared"


@dataclass(slots=True)
class Request:
    """A command line of cc. ``inputs``: files and ``-lNAME``, in the order that they were written."""

    goal: Goal = Goal.PROGRAM
    output: str = ""
    inputs: list[str] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    defined: dict[str, str] = field(default_factory=dict)
    runpath: list[str] = field(default_factory=list)
    soname: str = ""
    depends: str | None = None
    depends_target: str = ""
    has_debug: bool = False
    is_static: bool = False
    is_stripped: bool = False
    is_quiet: bool = False
    treats_warnings_as_errors: bool = False
    uses_libc: bool = True
    asks: str = ""


def read_options(words: Sequence[str]) -> Request:
    """What ``words`` (without argv[0]) ask for; OptionError for what cc does not know."""
    request = Request()
    remaining = iter(words)
    for word in remaining:
        if not word.startswith("-") or word == "-":
            request.inputs.append(word)
        else:
            _option(request, word, remaining)
    return request


def _option(request: Request, word: str, remaining: Iterator[str]) -> None:
    flags = {
        "-static": "is_static",
        "-s": "is_stripped",
        "-w": "is_quiet",
        "-Werror": "treats_warnings_as_errors",
    }
    goals = {"-c": Goal.COMPILE, "-E": Goal.PREPROCESS, "-shared": Goal.SHARED, "-fsyntax-only": Goal.CHECK}
    if word in flags:
        setattr(request, flags[word], True)
    elif word in goals:
        request.goal = goals[word]
    elif word in ("--version", "-v", "-dumpmachine", "-dumpversion"):
        request.asks = word
    elif word in ("-nostdlib", "-nodefaultlibs", "-ffreestanding"):
        request.uses_libc = word == "-ffreestanding"
    elif word in ("-MD", "-MMD"):
        request.depends = ""
    elif word in ("-pthread", "-pipe"):
        return
    elif word.startswith("-Wl,"):
        _linker_words(request, word.split(",")[1:])
    elif word == "-S":
        raise OptionError("not simulated: -S (there is no assembler in this world)")
    else:
        _valued(request, word, remaining)


def _valued(request: Request, word: str, remaining: Iterator[str]) -> None:
    name, value = word, None
    if word not in _WITH_VALUE:
        name = next((option for option in _JOINED if word.startswith(option)), "")
        value = word[len(name) :]
        if not name:
            if word.startswith(_IGNORED):
                request.has_debug = request.has_debug or (word.startswith("-g") and word != "-g0")
                return
            raise OptionError(f"error: unrecognized command-line option '{word}'")
    if value is None:
        value = next(remaining, None)
        if value is None:
            raise OptionError(f"error: missing argument to '{word}'")
    match name:
        case "-o":
            request.output = value
        case "-I" | "-isystem" | "-idirafter":
            request.includes.append(value)
        case "-L":
            request.libraries.append(value)
        case "-l":
            request.inputs.append("-l" + value)
        case "-D":
            macro, equals, body = value.partition("=")
            request.defined[macro] = body if equals else "1"
        case "-U":
            request.defined.pop(value, None)
        case "-MF":
            request.depends = value
        case "-MT" | "-MQ":
            request.depends_target = value
        case "-x" if value not in ("c", "none"):
            raise OptionError(f"not simulated: language {value!r}")
        case "-include":
            raise OptionError("not simulated: -include")


def _linker_words(request: Request, words: list[str]) -> None:
    following = iter(words)
    for word in following:
        if word in ("-soname", "-h"):
            request.soname = next(following, "")
        elif word.startswith("-soname="):
            request.soname = word.partition("=")[2]
        elif word in ("-rpath", "-R"):
            request.runpath.extend(filter(None, next(following, "").split(":")))
        elif word.startswith("-rpath="):
            request.runpath.extend(word.partition("=")[2].split(":"))
        elif word == "-s":
            request.is_stripped = True
