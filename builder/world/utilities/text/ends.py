"""head and tail: the beginning and the end of files."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.utilities.commandline import SUFFIXES, UsageError, number, parse
from builder.world.utilities.streams import (
    CANNOT_OPEN,
    CHUNK,
    Output,
    chunks,
    inputs,
    lines,
    octets,
    open_input,
)

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
        held, account = b"", out.process.machine.account_memory
        for piece in chunks(stream):
            held += piece
            if len(held) > count:
                out.write(held[: len(held) - count])
                held = held[len(held) - count :]
            account(len(held))
        return
    for line in _delayed(stream, count, out, collections.deque()):
        out.write(line)


def _delayed(stream: Stream, count: int, out: Output, waiting: collections.deque[bytes]) -> Iterator[bytes]:
    """The lines, each when ``count`` others have come; those are left in ``waiting``."""
    account, held = out.process.machine.account_memory, 0
    for line in lines(out.process, stream):
        waiting.append(line)
        held += len(line)
        account(held)
        if len(waiting) > count:
            held -= len(waiting[0])
            yield waiting.popleft()


def _last(stream: Stream, unit: str, count: int, out: Output) -> None:
    if unit == "c":
        held, account = b"", out.process.machine.account_memory
        for piece in chunks(stream):
            held = (held + piece)[-count:] if count else b""
            account(len(held))
        out.write(held)
        return
    waiting: collections.deque[bytes] = collections.deque()
    collections.deque(_delayed(stream, count, out, waiting), maxlen=0)
    for line in waiting:
        out.write(line)


def _from(stream: Stream, unit: str, start: int, out: Output) -> None:
    skip = max(0, start - 1)
    if unit == "c":
        for piece in chunks(stream):
            out.write(piece[skip:])
            skip = max(0, skip - len(piece))
        return
    for line in lines(out.process, stream):
        if skip:
            skip -= 1
        else:
            out.write(line)


_SHOW: Final = {"first": _first, "but-last": _all_but_last, "last": _last, "from": _from}


def head(process: Process) -> int:
    """Print the first lines (or bytes) of the files."""
    long = {"lines": "n", "bytes": "c", "quiet": "q", "silent": "q", "verbose": "v"}
    options = parse(_modern(list(process.argv[1:]), "-"), "n:c:qv", long, usage=_HEAD_USAGE)
    unit = options.last("nc", "n")
    text = options.value(unit, "10")
    count = number(text.removeprefix("-"), SUFFIXES)
    show = _SHOW["but-last" if text.startswith("-") else "first"]
    headers = "v" in options or (len(options.operands) > 1 and "q" not in options)
    with Output(process) as out:
        for name, stream in inputs(process, options.operands, out):
            if headers:
                # The separator depends on the place in the command line, even if the first was not opened.
                separator = "" if name == (options.operands or ("-",))[0] else "\n"
                title = "standard input" if name == "-" else name
                out.write(octets(f"{separator}==> {title} <==\n"))
            show(stream, unit, count, out)
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
    show = _SHOW["from" if text.startswith("+") else "last"]
    with Output(process) as out:
        # All files are opened first: those that could be decide whether there are headers.
        opened: list[tuple[str, Stream]] = []
        for name in options.operands or ("-",):
            try:
                opened.append((name, open_input(process, name)))
            except OSError as error:
                out.failed(CANNOT_OPEN.format(name), error)
        headers = "v" in options or (len(opened) > 1 and "q" not in options)
        for at, (name, stream) in enumerate(opened):
            if headers:
                newline = "\n" if at else ""
                out.write(octets(f"{newline}==> {name} <==\n"))
            show(stream, unit, count, out)
    return out.status
