"""Builtins about options: set, for the shell's own; getopts, for those of a script."""

from __future__ import annotations

from collections.abc import Sequence

from builder.world.shell.builtins.arguments import number
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import CommandFailed
from builder.world.shell.language.quoting import quoted
from builder.world.shell.state import OPTION_NAMES, Shell

# ---- set ----------------------------------------------------------------------------------------


def set_option(shell: Shell, letter: str, *, on: bool) -> None:
    """Turn an option on or off; CommandFailed for one that does not exist."""
    if letter not in "efnuxvaCbmIisVEh":
        raise CommandFailed(f"Illegal option {'-' if on else '+'}{letter}", 2)
    (shell.options.add if on else shell.options.discard)(letter)
    if letter == "a":
        shell.variables.exports_all = on


def set_named_option(shell: Shell, name: str, *, on: bool) -> None:
    """Turn on or off an option by its long name (``set -o name``)."""
    if name == "pipefail" and shell.dialect.has_extensions:
        (shell.options.add if on else shell.options.discard)("pipefail")
        return
    letter = OPTION_NAMES.get(name)
    if letter is None:
        if shell.dialect is Dialect.BASH and name in ("posix", "errtrace", "hashall", "braceexpand"):
            return
        raise CommandFailed(f"Illegal option {'-' if on else '+'}o {name}", 2)
    set_option(shell, letter, on=on)


def _show_options(shell: Shell, *, as_commands: bool) -> None:
    names = [*OPTION_NAMES.items(), *([("pipefail", "pipefail")] if shell.dialect.has_extensions else [])]
    lines = []
    for name, letter in names:
        on = letter in shell.options
        lines.append(
            f"set {'-' if on else '+'}o {name}" if as_commands else f"{name:<16}{'on' if on else 'off'}"
        )
    shell.say("\n".join(lines if as_commands else ["Current option settings", *lines]) + "\n")


def apply_options(shell: Shell, words: Sequence[str], at: int) -> int | None:
    """Apply the options that begin at ``words[at]``; where the operands begin, None if there are none."""
    while at < len(words):
        word = words[at]
        if word == "--":
            return at + 1
        if word == "-":
            shell.options -= {"x", "v"}
            return at + 1 if at + 1 < len(words) else None
        if word[:1] not in ("-", "+") or word == "+":
            return at
        at += 1
        for letter in word[1:]:
            if letter != "o":
                set_option(shell, letter, on=word[0] == "-")
            elif at < len(words):
                set_named_option(shell, words[at], on=word[0] == "-")
                at += 1
            else:
                _show_options(shell, as_commands=word[0] == "+")
    return None


def set_(shell: Shell, words: Sequence[str]) -> int:
    """``set [-eux…] [-o option] [--] [word…]``; alone, the variables in a form that can be read back."""
    if len(words) == 1:
        for name, variable in shell.variables.items():
            if variable.value is not None:
                shell.say(f"{name}={quoted(variable.value)}\n")
        return 0
    start = apply_options(shell, words, 1)
    if start is not None:
        shell.positional = list(words[start:])
    return 0


# ---- getopts --------------------------------------------------------------------------------------


def getopts(shell: Shell, words: Sequence[str]) -> int:
    """``getopts letters name [word…]``: the next option; 1 when there is none left (POSIX XCU, getopts)."""
    if len(words) < 3:
        raise CommandFailed("Usage: getopts optstring var [arg]", 2)
    letters_known, name = words[1], words[2]
    arguments = words[3:] or shell.positional
    index = number(shell.variables.get("OPTIND") or "1")
    if index < 1 or shell.option_offset < 0:
        index, shell.option_offset = 1, 0
    offset = shell.option_offset
    if offset == 0:
        word = arguments[index - 1] if index <= len(arguments) else ""
        if len(word) < 2 or word[0] != "-" or word == "--":
            return _no_more_options(shell, name, index + (word == "--"))
        offset = 1
    word = arguments[index - 1]
    letter, offset = word[offset], offset + 1
    result: str = letter
    argument: str | None = None
    complaint = ""
    if letter == ":" or letter not in letters_known:
        result, argument, complaint = "?", letter, f"Illegal option -{letter}"
    elif letters_known[letters_known.index(letter) + 1 :][:1] == ":":
        argument, index, offset = word[offset:], index + 1, 0
        if not argument:
            if index <= len(arguments):
                argument, index = arguments[index - 1], index + 1
            else:
                result, argument, complaint = ":", letter, f"No arg for -{letter} option"
    if offset >= len(word):
        index, offset = index + 1, 0
    _report_option(shell, name, (result, argument, complaint), quiet=letters_known.startswith(":"))
    shell.variables.set("OPTIND", str(index))
    shell.option_offset = offset
    return 0


def _no_more_options(shell: Shell, name: str, index: int) -> int:
    shell.variables.set(name, "?")
    shell.variables.set("OPTIND", str(index))
    shell.variables.unset("OPTARG")
    shell.option_offset = 0
    return 1


def _report_option(shell: Shell, name: str, found: tuple[str, str | None, str], *, quiet: bool) -> None:
    result, argument, complaint = found
    if complaint and not quiet:
        shell.say(f"{complaint}\n", 2)
        result, argument = "?", None
    shell.variables.set(name, result)
    if argument is None:
        shell.variables.unset("OPTARG")
    else:
        shell.variables.set("OPTARG", argument)
