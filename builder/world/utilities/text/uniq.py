"""uniq and comm: what sorted files repeat and share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, number, parse
from builder.world.utilities.streams import CANNOT_OPEN, Output, create, open_input, reason, text_lines

_USAGE: Final = "[-cduiz] [-f,s,w N] [FILE [OUTFILE]]"


def _compared(line: bytes, options: Options) -> bytes:
    for _ in range(number(options.value("f", "0"))):
        line = line.lstrip(b" \t")
        ends = [at for at in (line.find(b" "), line.find(b"\t")) if at >= 0]
        line = line[min(ends) :] if ends else b""
    line = line[number(options.value("s", "0")) :]
    if "w" in options:
        line = line[: number(options.value("w"))]
    return line.lower() if "i" in options else line


def _runs(process: Process, stream: Stream, options: Options) -> Iterator[tuple[bytes, int]]:
    """The first line of each run of equal lines, and how long the run is."""
    first: bytes | None = None
    key, count = b"", 0
    for line in text_lines(process, stream):
        compared = _compared(line, options)
        if first is not None and compared == key:
            count += 1
            continue
        if first is not None:
            yield first, count
        first, key, count = line, compared, 1
    if first is not None:
        yield first, count


def uniq(process: Process) -> int:
    """Print the lines without those that repeat the line before."""
    long = {"count": "c", "repeated": "d", "unique": "u", "ignore-case": "i", "zero-terminated": "z"}
    long |= {"skip-fields": "f", "skip-chars": "s", "check-chars": "w"}
    options = parse(process.argv[1:], "cduizf:s:w:", long, usage=_USAGE)
    if len(options.operands) > 2:
        raise UsageError("", _USAGE)
    for letter in "fsw":
        number(options.value(letter, "0"))
    name = options.operands[0] if options.operands else "-"
    try:
        source = open_input(process, name)
    except OSError as error:
        process.complain(f"{CANNOT_OPEN.format(name)}: {reason(error)}")
        return 1
    end = b"\0" if "z" in options else b"\n"
    target = options.operands[1] if len(options.operands) == 2 else "-"
    sink = None
    if target != "-":
        sink = create(process, target)
    with Output(process) as out:
        for line, count in _runs(process, source, options):
            if ("d" in options and count == 1) or ("u" in options and count > 1):
                continue
            printed = (b"%7d " % count if "c" in options else b"") + line + end
            if sink is not None:
                sink.write(printed)
            else:
                out.write(printed)
    if sink is not None:
        sink.close()
    return 0


def comm(process: Process) -> int:
    """Print the lines only in the first file, only in the second, and in both, in three columns."""
    usage = "[-123] FILE1 FILE2"
    options = parse(process.argv[1:], "123", usage=usage)
    if len(options.operands) != 2:
        raise UsageError("", usage)
    first = text_lines(process, open_input(process, options.operands[0]))
    second = text_lines(process, open_input(process, options.operands[1]))
    indent = {1: b"", 2: b"" if "1" in options else b"\t"}
    indent[3] = indent[2] + (b"" if "2" in options else b"\t")
    a, b = next(first, None), next(second, None)
    with Output(process) as out:
        while a is not None or b is not None:
            column = 2 if a is None else 1 if b is None else 3 if a == b else 1 if a < b else 2
            line = b if column == 2 else a
            if str(column) not in options and line is not None:
                out.write(indent[column] + line + b"\n")
            if column in (1, 3):
                a = next(first, None)
            if column in (2, 3):
                b = next(second, None)
    return 0
