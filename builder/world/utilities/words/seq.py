"""seq: numbers in a row."""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import UsageError, parse
from builder.world.utilities.streams import Output, octets

_USAGE: Final = "[-w] [-s SEP] [FIRST [INC]] LAST"
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def _value(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise UsageError("", _USAGE)
    return Decimal(text)


def _places(text: str) -> int:
    return len(text.partition(".")[2]) if "e" not in text.lower() else 0


def _words(argv: list[str]) -> list[str]:
    """The command line with its negative numbers kept from being options (``seq 5 -1 1``)."""
    for at, word in enumerate(argv):
        if re.fullmatch(r"-[\d.].*", word):
            return [*argv[:at], "--", *argv[at:]]
        if not word.startswith("-") or word == "-":
            return [*argv[:at], "--", *argv[at:]]
        if word == "-s":
            return [*argv[: at + 2], *_words(argv[at + 2 :])]
        if word == "--":
            break
    return argv


def seq(process: Process) -> int:
    """Print numbers from FIRST to LAST."""
    options = parse(
        _words(list(process.argv[1:])), "+ws:", {"equal-width": "w", "separator": "s"}, usage=_USAGE
    )
    operands = options.operands
    if not 1 <= len(operands) <= 3:
        raise UsageError("", _USAGE)
    numbers = [_value(text) for text in operands]
    last = numbers[-1]
    first = numbers[0] if len(numbers) > 1 else Decimal(1)
    step = numbers[1] if len(numbers) == 3 else Decimal(1)
    places = max((_places(text) for text in operands[:-1]), default=0)
    width = 0
    if "w" in options:
        places = max(_places(text) for text in operands)
        width = max(len(f"{value:.{places}f}") for value in (first, last))
    separator = octets(options.value("s", "\n"))
    _print(process, first, step, last, separator, places, width)
    return 0


def _print(
    process: Process, first: Decimal, step: Decimal, last: Decimal, separator: bytes, places: int, width: int
) -> None:
    value, count = first, 0
    with Output(process) as out, localcontext():
        while value <= last if step >= 0 else value >= last:
            text = f"{value:0{width}.{places}f}" if width else f"{value:.{places}f}"
            out.write((separator if count else b"") + octets(text))
            count += 1
            value = first + step * count
        if count:
            out.write(b"\n")
