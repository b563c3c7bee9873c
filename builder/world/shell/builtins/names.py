"""Builtins about names: export, readonly, unset, local, declare, command, type."""

from __future__ import annotations

from collections.abc import Sequence

from builder.world.shell.builtins.arguments import letters
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import CommandFailed
from builder.world.shell.expansion.arithmetic import evaluate
from builder.world.shell.language.lexer import RESERVED
from builder.world.shell.language.quoting import quoted
from builder.world.shell.language.words import NAME
from builder.world.shell.state import Shell


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise CommandFailed(f"{name}: bad variable name", 2)
    return name


def _mark(shell: Shell, words: Sequence[str], mark: str) -> int:
    given, arguments = letters(words, "pnf" if shell.dialect is not Dialect.DASH else "p")
    if not arguments or "p" in given:
        for name, variable in shell.variables.items():
            if getattr(variable, "exported" if mark == "export" else "readonly"):
                value = "" if variable.value is None else f"={quoted(variable.value)}"
                shell.say(f"{mark} {name}{value}\n")
        return 0
    on = "n" not in given
    for argument in arguments:
        name, equals, value = argument.partition("=")
        _checked(name)
        if equals:
            shell.variables.set(name, value)
        if mark == "export":
            shell.variables.mark(name, exported=on)
        else:
            shell.variables.mark(name, readonly=True)
    return 0


def export(shell: Shell, words: Sequence[str]) -> int:
    """``export [-p] [name[=value]…]``."""
    return _mark(shell, words, "export")


def readonly(shell: Shell, words: Sequence[str]) -> int:
    """``readonly [-p] [name[=value]…]``."""
    return _mark(shell, words, "readonly")


def unset(shell: Shell, words: Sequence[str]) -> int:
    """``unset [-fv] name…``."""
    given, names = letters(words, "fv")
    for name in names:
        if "f" in given:
            shell.functions.pop(name, None)
        elif shell.variables.find(_checked(name)) is not None:
            shell.variables.unset(name)
        elif "v" not in given and shell.dialect is Dialect.BASH:
            shell.functions.pop(name, None)
        if name == "OPTIND":
            shell.option_offset = 0
    return 0


def local(shell: Shell, words: Sequence[str]) -> int:
    """``local name[=value]…``: the names' values end with the function."""
    if not shell.function_depth:
        raise CommandFailed("not in a function", 2)
    given, arguments = letters(words, "rxi" if shell.dialect is Dialect.BASH else "")
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name == "-" and shell.dialect is not Dialect.BASH:
            raise CommandFailed("local - is not simulated: restore options with set", 2)
        shell.variables.make_local(_checked(name))
        if equals:
            shell.variables.set(name, value)
        if "x" in given:
            shell.variables.mark(name, exported=True)
    return 0


def declare(shell: Shell, words: Sequence[str]) -> int:
    """``declare [-rxgip] name[=value]…`` (bash); arrays are refused."""
    for word in words[1:]:
        if word[:1] == "-" and set(word[1:]) & set("aA"):
            raise CommandFailed("arrays are not simulated: use positional parameters (set -- …)", 2)
    given, arguments = letters(words, "rxgipt")
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if shell.function_depth and "g" not in given:
            shell.variables.make_local(_checked(name))
        if "p" in given:
            shell.say(f'declare -- {name}="{shell.variables.get(name) or ""}"\n')
            continue
        if equals:
            shell.variables.set(_checked(name), value)
        if "x" in given:
            shell.variables.mark(name, exported=True)
        if "r" in given:
            shell.variables.mark(name, readonly=True)
    return 0


def let(shell: Shell, words: Sequence[str]) -> int:
    """``let expression…`` (ash, bash): 0 if the last one is not zero."""
    value = 0
    for word in words[1:]:
        value = evaluate(word, shell.variables, dialect=shell.dialect)
    return int(value == 0)


# ---- command, type ------------------------------------------------------------------------------


def _meaning(shell: Shell, name: str) -> tuple[str, str] | None:
    """(what ``command -v`` prints, what ``type`` says) of a name; None if it means nothing."""
    if name in RESERVED or (shell.dialect.has_extensions and name in ("[[", "function")):
        return name, f"{name} is a shell keyword"
    builtin = shell.builtin(name)
    if builtin is not None and builtin.special:
        return name, f"{name} is a special shell builtin"
    if name in shell.functions:
        return name, f"{name} is a shell function"
    if builtin is not None:
        return name, f"{name} is a shell builtin"
    path = shell.where_is(name)
    return (path, f"{name} is {path}") if path is not None else None


def command(shell: Shell, words: Sequence[str]) -> int:
    """``command [-pvV] name [word…]``: run it, functions passed over; or say what it is."""
    given, rest = letters(words, "pvV")
    if not rest:
        return 0
    if "v" in given or "V" in given:
        status = 0
        for name in rest if shell.dialect is Dialect.BASH else rest[:1]:
            meaning = _meaning(shell, name)
            if meaning is None:
                status = 1 if shell.dialect is Dialect.BASH else 127
                if "V" in given:
                    shell.say(f"{name}: not found\n", 1 if shell.dialect is Dialect.DASH else 2)
            else:
                shell.say(meaning["V" in given] + "\n")
        return status
    return shell.run_words(list(rest), shell.builtin_flags, shell.builtin(rest[0]), functions=False)


def type_(shell: Shell, words: Sequence[str]) -> int:
    """``type name…``: what each name means."""
    given, names = letters(words, "tpaP" if shell.dialect is Dialect.BASH else "")
    status = 0
    for name in names:
        meaning = _meaning(shell, name)
        if meaning is None:
            status = 1 if shell.dialect is Dialect.BASH else 127
            if not given:
                shell.say(f"{name}: not found\n", 1 if shell.dialect is Dialect.DASH else 2)
        elif "t" in given:
            shell.say(_kind(meaning[1]) + "\n")
        elif given:
            shell.say(meaning[0] + "\n" if "/" in meaning[0] else "")
        else:
            shell.say(meaning[1] + "\n")
    return status


def _kind(sentence: str) -> str:
    for kind in ("keyword", "builtin", "function"):
        if sentence.endswith(f"shell {kind}"):
            return kind
    return "file"
