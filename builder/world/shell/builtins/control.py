"""Builtins that steer the shell: break, continue, return, exit, eval, exec, ., set, shift, trap, getopts."""

# ruff: noqa: ARG001 - every builtin has the same signature
from __future__ import annotations

import stat
from collections.abc import Sequence

from builder.world.machine.executable import ExecError
from builder.world.shell.builtins.arguments import letters, number, operands
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import (
    CommandFailed,
    ExitShell,
    LeaveLoop,
    NextIteration,
    ReturnFromFunction,
    ShellSyntaxError,
)
from builder.world.shell.language.quoting import quoted
from builder.world.shell.signals import NAMES, signal_number
from builder.world.shell.state import Shell


def _status(shell: Shell, words: Sequence[str]) -> int:
    given = operands(words)
    return number(given[0]) & 255 if given else shell.status


def exit_(shell: Shell, words: Sequence[str]) -> int:
    """``exit [n]``."""
    raise ExitShell(_status(shell, words))


def return_(shell: Shell, words: Sequence[str]) -> int:
    """``return [n]``: leave a function, a script that ``.`` reads, or (dash) the script itself."""
    raise ReturnFromFunction(_status(shell, words))


def _levels(shell: Shell, words: Sequence[str]) -> int:
    levels = number(words[1]) if len(words) > 1 else 1
    if levels < 1:
        raise CommandFailed(f"Illegal number: {words[1]}", 2)
    return min(levels, shell.loop_depth)


def break_(shell: Shell, words: Sequence[str]) -> int:
    """``break [n]``; nothing outside a loop."""
    if levels := _levels(shell, words):
        raise LeaveLoop(levels)
    return 0


def continue_(shell: Shell, words: Sequence[str]) -> int:
    """``continue [n]``; nothing outside a loop."""
    if levels := _levels(shell, words):
        raise NextIteration(levels)
    return 0


def eval_(shell: Shell, words: Sequence[str]) -> int:
    """``eval word…``: the words, joined with spaces, are a script."""
    text = " ".join(operands(words))
    if not text.strip():
        return 0
    try:
        return shell.run_text(text, shell.builtin_flags, first_line=shell.line)
    except ShellSyntaxError as error:
        raise ShellSyntaxError(f"eval: {error.message}", error.line) from None


def exec_(shell: Shell, words: Sequence[str]) -> int:
    """``exec [command…]``: the command takes the place of the shell; without one, redirections stay."""
    command = operands(words)
    if not command:
        return 0
    try:
        status = shell.execute_file(command)
    except ExecError as error:
        shell.complain(f"{command[0]}: {error.message}", command="exec")
        raise ExitShell(error.status) from None
    raise ExitShell(status, run_traps=False)


def _script(shell: Shell, name: str) -> str:
    """The text of a script that ``.`` names: found in PATH if it has no slash."""
    candidates = [name]
    if "/" not in name:
        directories = (shell.variables.get("PATH") or "").split(":")
        candidates = [f"{directory}/{name}" if directory else name for directory in directories]
        if shell.dialect is not Dialect.DASH:
            candidates.append(name)
    for path in candidates:
        try:
            if stat.S_ISREG(shell.fs.stat(path).st_mode):
                return shell.fs.read_bytes(path).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CommandFailed(f"{path}: {error.strerror}", 2) from None
    if "/" in name:
        raise CommandFailed(f"cannot open {name}: No such file", 2)
    raise CommandFailed(f"{name}: not found", 2)


def dot(shell: Shell, words: Sequence[str]) -> int:
    """``. file``: run a script in this shell. bash gives it the further words as ``$1`` and so on."""
    given = operands(words)
    if not given:
        raise (
            CommandFailed("filename argument required", 2)
            if shell.dialect is Dialect.BASH
            else CommandFailed("arg count", 2)
        )
    text = _script(shell, given[0])
    positional, line = shell.positional, shell.line
    if shell.dialect is not Dialect.DASH and len(given) > 1:
        shell.positional = given[1:]
    try:
        return shell.run_text(text)
    except ReturnFromFunction as returned:
        return returned.status
    finally:
        shell.line = line
        if shell.dialect is not Dialect.DASH and len(given) > 1:
            shell.positional = positional


def shift(shell: Shell, words: Sequence[str]) -> int:
    """``shift [n]``."""
    count = number(words[1]) if len(words) > 1 else 1
    if count > len(shell.positional):
        if shell.dialect is Dialect.DASH:
            raise CommandFailed("can't shift that many", 2)
        return 1
    shell.positional = shell.positional[count:]
    return 0


# ---- trap ---------------------------------------------------------------------------------------


def trap(shell: Shell, words: Sequence[str]) -> int:
    """``trap [action] signal…``: what to do when a signal comes, or (EXIT, 0) at the end of the shell."""
    given = operands(words)
    if not given:
        for number, text in sorted(shell.traps.items()):
            shell.say(f"trap -- {quoted(text)} {NAMES[number]}\n")
        return 0
    resets = len(given) == 1 or (given[0].isascii() and given[0].isdigit())
    action, names = (None, given) if resets else (None if given[0] == "-" else given[0], given[1:])
    for name in names:
        signal = signal_number(name)
        if signal is None:
            if shell.dialect is Dialect.BASH and name in ("ERR", "DEBUG", "RETURN"):
                raise CommandFailed(f"trap {name} is not simulated: use EXIT", 2)
            raise CommandFailed(f"{name}: bad trap", 2 if shell.dialect is Dialect.DASH else 1)
        if action is None:
            shell.traps.pop(signal, None)
        else:
            shell.traps[signal] = action
    return 0


def colon(shell: Shell, words: Sequence[str]) -> int:
    """``:`` and ``true``."""
    return 0


def false(shell: Shell, words: Sequence[str]) -> int:
    """``false``."""
    return 1


def times(shell: Shell, words: Sequence[str]) -> int:
    """``times``: no processor time is used in a simulation."""
    shell.say("0m0.000000s 0m0.000000s\n0m0.000000s 0m0.000000s\n")
    return 0


def hash_(shell: Shell, words: Sequence[str]) -> int:
    """``hash``: nothing is remembered, so there is nothing to forget; names are looked for."""
    _given, names = letters(words, "rv")
    missing = [name for name in names if shell.where_is(name) is None]
    for name in missing:
        shell.complain(f"{name}: not found", command="hash")
    return int(bool(missing))
