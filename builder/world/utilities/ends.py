"""head and tail: the beginning and the end of files."""

from __future__ import annotations

import collections
from typing import Final

from builder.world.process import Process, Stream
from builder.world.utilities.options import SUFFIXES, Options, UsageError, number, parse
from builder.world.utilities.stdio import CHUNK, Output, chunks, lines, octets, open_input

_HEAD_USAGE: Final = "[-n N] [-c N] [-qv] [FILE]..."
_TAIL_USAGE: Final = "[-c [+]N] [-n [+]N] [-fFqv] [-s SECONDS] [FILE]..."


def _modern(argv: list[str], also: str) -> list[str]:
    """``-5`` (and, for tail, ``+5``) in the first place is an old spelling of ``-n 5``."""
    if argv and len(argv[0]) > 1 and argv[0][0] in also and argv[0][1:2].isdigit():
        count = argv[0] if argv[0][0] == "+" else argv[0][1:]
        return ["-n", count, *argv[1:]]
    return argv


def _first(stream: Stream, unit: str, count: int, out: Output) -> None:
    if unit == "c":
        while count and (piece := stream.read(min(count, CHUNK))):
            out.write(piece)
            count -= len(piece)
        return
    while count > 0 and (piece := stream.read(CHUNK)):
        parts = piece.split(b"\n", count)
        if len(parts) > count:
            out.write(b"\n".join(parts[:count]) + b"\n")
            return
        out.write(piece)
        count -= len(parts) - 1


def _all_but_last(stream: Stream, unit: str, count: int, out: Output) -> None:
    if unit == "c":
        held = b""
        for piece in chunks(stream):
            held += piece
            if len(held) > count:
                out.write(held[: len(held) - count])
                held = held[len(held) - count :]
        return
    waiting: collections.deque[bytes] = collections.deque()
    for line in lines(stream):
        waiting.append(line)
        if len(waiting) > count:
            out.write(waiting.popleft())


def _last(stream: Stream, unit: str, count: int, out: Output) -> None:
    if unit == "c":
        held = b""
        for piece in chunks(stream):
            held = (held + piece)[-count:] if count else b""
        out.write(held)
        return
    for line in collections.deque(lines(stream), maxlen=count):
        out.write(line)


def _from(stream: Stream, unit: str, start: int, out: Output) -> None:
    skip = max(0, start - 1)
    if unit == "c":
        for piece in chunks(stream):
            out.write(piece[skip:])
            skip = max(0, skip - len(piece))
        return
    for line in lines(stream):
        if skip:
            skip -= 1
        else:
            out.write(line)


def _each(process: Process, options: Options, out: Output, show: str, unit: str, count: int) -> None:
    names = options.operands or ("-",)
    headers = "v" in options or (len(names) > 1 and "q" not in options)
    separator = ""
    shows = {"first": _first, "but-last": _all_but_last, "last": _last, "from": _from}
    for name in names:
        try:
            stream = open_input(process, name)
        except OSError as error:
            out.failed(name, error)
            continue
        if headers:
            title = "standard input" if name == "-" else name
            out.write(octets(f"{separator}==> {title} <==\n"))
            separator = "\n"
        shows[show](stream, unit, count, out)
        if name != "-":
            stream.close()


def head(process: Process) -> int:
    """Print the first lines (or bytes) of the files."""
    long = {"lines": "n", "bytes": "c", "quiet": "q", "silent": "q", "verbose": "v"}
    options = parse(_modern(list(process.argv[1:]), "-"), "n:c:qv", long, usage=_HEAD_USAGE)
    unit = options.last("nc", "n")
    text = options.value(unit, "10")
    count = number(text.removeprefix("-"), SUFFIXES)
    with Output(process) as out:
        _each(process, options, out, "but-last" if text.startswith("-") else "first", unit, count)
    return out.status


def tail(process: Process) -> int:
    """Print the last lines (or bytes) of the files."""
    long = {"lines": "n", "bytes": "c", "quiet": "q", "silent": "q", "verbose": "v"}
    options = parse(_modern(list(process.argv[1:]), "-+"), "n:c:qvfFs:", long, usage=_TAIL_USAGE)
    if "f" in options or "F" in options:
        # Nothing else runs at the same time that could make the file grow: it would wait for ever.
        raise UsageError("-f and -F are not simulated", _TAIL_USAGE)
    unit = options.last("nc", "n")
    text = options.value(unit, "10")
    count = number(text.lstrip("+-"), SUFFIXES)
    with Output(process) as out:
        _each(process, options, out, "from" if text.startswith("+") else "last", unit, count)
    return out.status
