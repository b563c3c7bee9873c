"""cmp: two files, byte by byte."""

from __future__ import annotations

from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.utilities.commandline import UsageError, number, parse
from builder.world.utilities.streams import CHUNK, Output, open_input, reason

_USAGE: Final = "[-ls] [-n NUM] FILE1 [FILE2 [SKIP1 [SKIP2]]]"
_SIZES: Final = {"": 1, "k": 1024, "m": 1 << 20, "b": 512}


class _Bytes:
    """A stream that gives exactly as many bytes as asked for, until its end."""

    def __init__(self, stream: Stream, skip: int) -> None:
        self._stream = stream
        self._held = b""
        while skip and (piece := self.take(min(skip, CHUNK))):
            skip -= len(piece)

    def take(self, size: int) -> bytes:
        while len(self._held) < size and (piece := self._stream.read(CHUNK)):
            self._held += piece
        taken, self._held = self._held[:size], self._held[size:]
        return taken


def cmp(process: Process) -> int:
    """0 if the files are the same, 1 if they differ, 2 after an error."""
    options = parse(process.argv[1:], "ln:s", {"silent": "s", "quiet": "s"}, usage=_USAGE)
    names = list(options.operands[:2]) + ["-"] * (2 - len(options.operands[:2]))
    if not 1 <= len(options.operands) <= 4 or ("l" in options and "s" in options):
        raise UsageError("", _USAGE)
    skips = [number(text, _SIZES) for text in options.operands[2:]] + [0, 0]
    limit = number(options.value("n")) if "n" in options else None
    readers = []
    for name, skip in zip(names, skips, strict=False):
        try:
            readers.append(_Bytes(open_input(process, name), skip))
        except OSError as error:
            if "s" not in options:
                process.complain(f"{name}: {reason(error)}")
            return 2
    with Output(process) as out:
        return _compared(out, readers, names, every="l" in options, silent="s" in options, limit=limit)


def _compared(
    out: Output, readers: list[_Bytes], names: list[str], *, every: bool, silent: bool, limit: int | None
) -> int:
    at, line, status = 0, 1, 0
    while limit is None or at < limit:
        size = CHUNK if limit is None else min(CHUNK, limit - at)
        first, second = readers[0].take(size), readers[1].take(size)
        common = min(len(first), len(second))
        if first[:common] != second[:common]:
            for place in range(common):
                if first[place] == second[place]:
                    continue
                status = 1
                if silent:
                    return 1
                if not every:
                    line += first[:place].count(b"\n")
                    out.print(f"{names[0]} {names[1]} differ: char {at + place + 1}, line {line}")
                    return 1
                out.print(f"{at + place + 1} {first[place]:3o} {second[place]:3o}")
        if len(first) != len(second):
            if not silent:
                out.complain(f"EOF on {names[0] if len(first) < len(second) else names[1]}")
            return 1
        if not first:
            break
        line += first.count(b"\n")
        at += common
    return status
