"""date and sleep: the world's clock, read and moved. Nobody waits for real."""

from __future__ import annotations

import re
import time
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, at_least, parse
from builder.world.utilities.dates import NANOSECONDS, DateError, formatted, parsed
from builder.world.utilities.streams import reason
from builder.world.utilities.system.running import seconds

_USAGE: Final = "[OPTIONS] [+FMT] [[-s] TIME]"
_DAY: Final = 86_400
_ISO: Final = {
    "date": "%Y-%m-%d",
    "hours": "%Y-%m-%dT%H+00:00",
    "minutes": "%Y-%m-%dT%H:%M+00:00",
    "seconds": "%Y-%m-%dT%H:%M:%S+00:00",
    "ns": "%Y-%m-%dT%H:%M:%S,%N+00:00",
}


def _moment(process: Process, options: Options) -> tuple[int, int]:
    """The seconds and nanoseconds to print."""
    if "r" in options:
        try:
            changed = process.fs.stat(options.value("r")).st_mtime_ns
        except OSError as error:
            raise UsageError(f"can't stat '{options.value('r')}': {reason(error)}") from error
        return changed // NANOSECONDS, changed % NANOSECONDS
    now = process.machine.now_ns()
    if "d" not in options:
        return now // NANOSECONDS, now % NANOSECONDS
    text = options.value("d")
    try:
        if "D" in options:
            return _by_format(text, options.value("D")), 0
        # Like touch, but what is not said of the time of day is zero.
        return parsed(text, now // NANOSECONDS // _DAY * _DAY), 0
    except (DateError, ValueError) as error:
        raise UsageError(f"invalid date '{text}'") from error


def _by_format(text: str, spelling: str) -> int:
    import calendar

    return calendar.timegm(time.strptime(text, spelling))


def date(process: Process) -> int:
    """Print the world's time, or another."""
    long = {
        "rfc-822": "R",
        "rfc-2822": "R",
        "utc": "u",
        "date": "d",
        "reference": "r",
        "set": "s",
        "iso-8601": "I",
    }
    words = [re.sub("^--iso-8601=", "-I", word) for word in process.argv[1:]]
    options = parse(words, "Rs:ud:r:I::D:", long, usage=_USAGE)
    operands = list(options.operands)
    spelling = "%a %b %e %H:%M:%S %Z %Y"
    if operands and operands[0].startswith("+"):
        spelling = operands.pop(0)[1:]
    elif "R" in options:
        spelling = "%a, %d %b %Y %H:%M:%S %z"
    elif "I" in options:
        kind = options.value("I") or "date"
        if kind not in _ISO:
            raise UsageError("", _USAGE)
        spelling = _ISO[kind]
    if operands:
        raise UsageError(f"invalid date '{operands[0]}'")
    if "s" in options:
        process.complain("can't set date: Operation not permitted")
        return 1
    at, nanoseconds = _moment(process, options)
    process.out(formatted(at, nanoseconds, spelling) + "\n")
    return 0


def sleep(process: Process) -> int:
    """Let time pass in the world."""
    words = ["--", *process.argv[1:]] if process.argv[1:2] != ["--"] else process.argv[1:]
    options = parse(words, "", usage="[N]...")
    at_least(options, 1, "[N]...")
    process.machine.sleep(sum(seconds(text) for text in options.operands if text not in ("inf", "infinity")))
    return 0
