"""true, false, env, printenv, nice, nohup, timeout and kill: commands that run commands, or do nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from builder.world.machine.process import Process
from builder.world.machine.scheduler import Killed
from builder.world.utilities.commandline import UsageError, at_least, parse
from builder.world.utilities.streams import octets

_ENV: Final = "[-i0] [-u NAME]... [-] [NAME=VALUE]... [PROG ARGS]"
_TIMEOUT: Final = "[-s SIG] [-k KILL_SECS] SECS PROG ARGS"
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# fmt: off
SIGNALS: Final = (
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
    "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
    "WINCH",
    "POLL", "PWR", "SYS",
)
# fmt: on
"""Names of the signals 1 to 31 (signal(7), x86)."""


def true(_process: Process) -> int:
    """Succeed."""
    return 0


def false(_process: Process) -> int:
    """Fail."""
    return 1


def env(process: Process) -> int:
    """Print the environment, or run a command in a changed one."""
    options = parse(
        process.argv[1:], "+iu:0", {"ignore-environment": "i", "unset": "u", "null": "0"}, usage=_ENV
    )
    operands = list(options.operands)
    fresh = "i" in options
    if operands[:1] == ["-"]:
        fresh = True
        del operands[0]
    variables = {} if fresh else dict(process.env)
    for name in options.values("u"):
        variables.pop(name, None)
    while operands and "=" in operands[0]:
        name, _, value = operands.pop(0).partition("=")
        variables[name] = value
    if operands:
        return process.spawn(operands, env=variables)
    end = b"\0" if "0" in options else b"\n"
    process.stdout.write(b"".join(octets(f"{name}={value}") + end for name, value in variables.items()))
    return 0


def printenv(process: Process) -> int:
    """Print the environment, or the values of some variables."""
    options = parse(process.argv[1:], "", usage="[VARIABLE]...")
    if not options.operands:
        return env(replace(process, argv=("env",)))
    status = 0
    for name in options.operands:
        if name in process.env:
            process.out(process.env[name] + "\n")
        else:
            status = 1
    return status


def nice(process: Process) -> int:
    """Run a command; nothing here runs at the same time, so niceness changes nothing."""
    options = parse(process.argv[1:], "+n:", usage="[-n ADJUST] [PROG ARGS]")
    if not options.operands:
        process.out("0\n")
        return 0
    return process.spawn(options.operands)


def nohup(process: Process) -> int:
    """Run a command; nobody hangs up here."""
    options = parse(process.argv[1:], "+", usage="PROG ARGS")
    at_least(options, 1, "PROG ARGS")
    return process.spawn(options.operands)


def seconds(text: str) -> float:
    """The time that a number with a unit (s, m, h, d) means. Raises UsageError."""
    digits, scale = (text[:-1], _UNITS[text[-1]]) if text[-1:] in _UNITS else (text, 1)
    if not digits.replace(".", "", 1).isdigit() or not digits.isascii():
        raise UsageError(f"invalid number '{text}'")
    return float(digits) * scale


def signal_number(text: str) -> int:
    """The number of a signal given by name (with or without SIG) or number; UsageError if there is none."""
    name = text.upper().removeprefix("SIG")
    if name in SIGNALS:
        return SIGNALS.index(name) + 1
    if text.isascii() and text.isdigit() and int(text) <= 64:
        return int(text)
    raise UsageError(f"bad signal name '{text}'")


def timeout(process: Process) -> int:
    """Run a command, and end it if it takes longer on the world's clock than it may."""
    options = parse(process.argv[1:], "+s:k:", {"signal": "s", "kill-after": "k"}, usage=_TIMEOUT)
    at_least(options, 2, _TIMEOUT)
    limit = seconds(options.operands[0])
    signal = signal_number(options.value("s", "TERM"))
    machine = process.machine

    def alarm() -> int:
        machine.sleep(limit)
        machine.scheduler.signal(process.pid, signal)
        return 0

    machine.start(alarm, pid=machine.scheduler.new_pid())
    try:
        return process.spawn(options.operands[1:])
    except Killed as killed:
        # The command runs on this process's thread: a signal to this process is one to the command.
        if killed.pid != process.pid:
            raise
        return 128 + signal


def kill(process: Process) -> int:
    """Send a signal to processes."""
    words = list(process.argv[1:])
    if words[:1] == ["-l"]:
        process.out("".join(f"{number:2d}) {name}\n" for number, name in enumerate(SIGNALS, start=1)))
        return 0
    signal = 15
    if words[:1] in (["-s"], ["-n"]) and len(words) > 1:
        signal = signal_number(words[1])
        del words[:2]
    elif words and words[0].startswith("-") and words[0] != "--" and len(words[0]) > 1:
        signal = signal_number(words.pop(0)[1:])
    if words[:1] == ["--"]:
        del words[0]
    if not words:
        raise UsageError("you need to specify whom to kill")
    status = 0
    for word in words:
        if not word.isascii() or not word.isdigit():
            process.complain(f"invalid number '{word}'")
            status = 1
        elif not process.machine.scheduler.signal(int(word), signal):
            process.complain(f"can't kill pid {word}: No such process")
            status = 1
    return status
