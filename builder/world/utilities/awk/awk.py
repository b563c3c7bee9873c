"""The command awk."""

from __future__ import annotations

from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.awk.interpreter import Interpreter
from builder.world.utilities.awk.lexer import unescaped
from builder.world.utilities.awk.parser import Parser
from builder.world.utilities.awk.state import State
from builder.world.utilities.awk.values import Input
from builder.world.utilities.commandline import Options, UsageError, parse
from builder.world.utilities.streams import CANNOT_OPEN, Output, contents, octets, open_input, reason

_USAGE: Final = "[OPTIONS] [AWK_PROGRAM] [FILE]..."


def _source(process: Process, options: Options, operands: list[str]) -> str:
    parts: list[bytes] = []
    for letter, value in options.given:
        if letter == "f":
            try:
                parts.append(contents(process, open_input(process, value)))
            except OSError as error:
                raise UsageError(f"{CANNOT_OPEN.format(value)}: {reason(error)}") from error
        elif letter == "e":
            parts.append(octets(value))
    if not parts:
        if not operands:
            raise UsageError("", _USAGE)
        parts.append(octets(operands.pop(0)))
    return b"\n".join(parts).decode("latin-1")


def awk(process: Process) -> int:
    """Run a program on the records of the files."""
    options = parse(
        process.argv[1:], "+F:v:f:e:", {"field-separator": "F", "assign": "v", "file": "f"}, usage=_USAGE
    )
    operands = list(options.operands)
    program = Parser(_source(process, options, operands)).program()
    with Output(process) as out:
        state = State(process, out)
        state.variables["ARGV"] = {
            b"%d" % at: Input(octets(word)) for at, word in enumerate(["awk", *operands])
        }
        state.variables["ARGC"] = float(len(operands) + 1)
        if "F" in options:
            text = unescaped(octets(options.value("F")).decode("latin-1"))
            state.assign("FS", b"\t" if text == b"t" else text)
        for text_value in options.values("v"):
            name, equals, value = text_value.partition("=")
            if not equals or not name.isidentifier():
                raise UsageError("", _USAGE)
            state.assign(name, Input(unescaped(octets(value).decode("latin-1"))))
        try:
            status = Interpreter(program, state).run()
        finally:
            state.finish()
    return status or out.status
