"""cat, tee, wc, nl, tac, rev: whole files and their lines."""

from __future__ import annotations

from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.utilities.commandline import number, parse
from builder.world.utilities.streams import (
    CANNOT_OPEN,
    Output,
    chunks,
    contents,
    create,
    inputs,
    kept,
    lines,
    octets,
    open_input,
    reason,
)


def _visible(piece: bytes, *, ends: bool, tabs: bool, controls: bool) -> bytes:
    shown = bytearray()
    for byte in piece:
        if byte == 10:
            shown += b"$\n" if ends else b"\n"
        elif byte == 9 and not tabs:
            shown.append(9)
        elif not controls and byte != 9:
            shown.append(byte)
        else:
            if byte >= 128:
                shown += b"M-"
                byte -= 128
            shown += b"^?" if byte == 127 else b"^" + bytes([byte + 64]) if byte < 32 else bytes([byte])
    return bytes(shown)


def cat(process: Process) -> int:
    """Print the files, one after the other."""
    options = parse(process.argv[1:], "nbvteAu", usage="[-nbvteA] [FILE]...")
    controls = any(letter in options for letter in "vteA")
    ends = "e" in options or "A" in options
    tabs = "t" in options or "A" in options
    count = 1
    with Output(process) as out:
        for _, stream in inputs(process, options.operands, out, wording=CANNOT_OPEN):
            if "n" not in options and "b" not in options:
                for piece in chunks(stream):
                    out.write(_visible(piece, ends=ends, tabs=tabs, controls=controls) if controls else piece)
                continue
            for line in lines(process, stream):
                if "b" in options and line == b"\n":
                    out.write(line)
                    continue
                shown = _visible(line, ends=ends, tabs=tabs, controls=controls) if controls else line
                out.write(b"%6d\t" % count + shown.removesuffix(b"\n") + b"\n")
                count += 1
    return out.status


def tee(process: Process) -> int:
    """Copy descriptor 0 to descriptor 1 and to each file."""
    options = parse(
        process.argv[1:], "ai", {"append": "a", "ignore-interrupts": "i"}, usage="[-ai] [FILE]..."
    )
    status = 0
    sinks: list[Stream] = [process.stdout]
    for name in options.operands:
        try:
            sinks.append(process.stdout if name == "-" else create(process, name, append="a" in options))
        except OSError as error:
            process.complain(f"{name}: {reason(error)}")
            status = 1
    for piece in chunks(process.stdin):
        for sink in sinks:
            sink.write(piece)
    for sink in sinks[1:]:
        if sink is not process.stdout:
            sink.close()
    return status


_NOT_IN_WORDS: Final = bytes(byte for byte in range(256) if not (32 <= byte < 127 or 9 <= byte <= 13))


class _Counts:
    """Running counts of one file: lines, words, characters, bytes and the longest line."""

    def __init__(self) -> None:
        self.lines = self.words = self.characters = self.bytes = self.longest = 0

    def add(self, stream: Stream) -> None:
        column, in_word = 0, False
        for piece in chunks(stream):
            self.lines += piece.count(b"\n")
            self.bytes += len(piece)
            self.characters += len(piece)
            column = self._width(piece, column)
            piece = piece.translate(None, _NOT_IN_WORDS)
            split = piece.split()
            self.words += len(split) - (in_word and bool(split) and not piece[:1].isspace())
            in_word = not piece[-1:].isspace() if piece else in_word

    def _width(self, part: bytes, column: int) -> int:
        for byte in part:
            if byte == 9:
                column = (column | 7) + 1
            elif byte in b"\n\r\f":
                self.longest = max(self.longest, column)
                column = 0
            elif 32 <= byte < 127:
                column += 1
        self.longest = max(self.longest, column)
        return column

    def chosen(self, letters: str) -> list[int]:
        named = zip("lwmcL", (self.lines, self.words, self.characters, self.bytes, self.longest), strict=True)
        return [value for letter, value in named if letter in letters]


def _counted(process: Process, name: str, out: Output) -> _Counts | None:
    """The counts of a file; of a directory they are zero. None if it cannot be opened."""
    counts = _Counts()
    try:
        stream = open_input(process, name)
        counts.add(stream)
        if name != "-":
            stream.close()
    except OSError as error:
        out.failed("standard input" if name == "-" else name, error)
        return counts if isinstance(error, IsADirectoryError) else None
    return counts


def wc(process: Process) -> int:
    """Count lines, words and bytes of the files."""
    long = {"lines": "l", "words": "w", "chars": "m", "bytes": "c", "max-line-length": "L"}
    options = parse(process.argv[1:], "cmlwL", long, usage="[-cmlwL] [FILE]...")
    letters = "".join(letter for letter, _ in options.given) or "lwc"
    total = _Counts()
    alone = len(set(letters)) == 1 and len(options.operands) < 2
    with Output(process) as out:
        for name in options.operands or ("-",):
            counts = _counted(process, name, out)
            if counts is None:
                continue
            total.lines += counts.lines
            total.words += counts.words
            total.characters += counts.characters
            total.bytes += counts.bytes
            total.longest = max(total.longest, counts.longest)
            _print_counts(out, counts.chosen(letters), name if options.operands else "", alone=alone)
        if len(options.operands) > 1:
            _print_counts(out, total.chosen(letters), "total", alone=alone)
    return out.status


def _print_counts(out: Output, counts: list[int], name: str, *, alone: bool) -> None:
    columns = " ".join(f"{count}" if alone else f"{count:9d}" for count in counts)
    out.print(f"{columns} {name}" if name else columns)


_NL_USAGE: Final = "[-b STYLE] [-i N] [-s STRING] [-v N] [-w N] [FILE]..."


def nl(process: Process) -> int:
    """Print the files with their lines numbered."""
    long = {
        "body-numbering": "b",
        "line-increment": "i",
        "number-separator": "s",
        "starting-line-number": "v",
        "number-width": "w",
    }
    options = parse(process.argv[1:], "b:i:s:v:w:p", long, usage=_NL_USAGE)
    style = options.value("b", "t")
    step = number(options.value("i", "1"))
    separator = octets(options.value("s", "\t"))
    count = number(options.value("v", "1"))
    width = number(options.value("w", "6"))
    process.machine.account_memory(width)
    with Output(process) as out:
        for _, stream in inputs(process, options.operands, out):
            for line in lines(process, stream):
                if style == "a" or (style == "t" and line != b"\n"):
                    out.write(b"%*d" % (width, count) + separator + line.removesuffix(b"\n") + b"\n")
                    count += step
                else:
                    out.write(b" " * (width + len(separator)) + line.removesuffix(b"\n") + b"\n")
    return out.status


def tac(process: Process) -> int:
    """Print the lines of the files, the last first."""
    options = parse(process.argv[1:], "", usage="[FILE]...")
    with Output(process) as out:
        for _, stream in inputs(process, options.operands, out):
            for line in reversed(kept(process, lines(process, stream))):
                out.write(line)
    return out.status


def rev(process: Process) -> int:
    """Print the files with the bytes of each line reversed."""
    options = parse(process.argv[1:], "", usage="[FILE]...")
    with Output(process) as out:
        for _, stream in inputs(process, options.operands, out):
            for line in lines(process, stream):
                end = b"\n" if line.endswith(b"\n") else b""
                out.write(line.removesuffix(b"\n")[::-1] + end)
    return out.status


def strings(process: Process) -> int:
    """Print the runs of printable bytes in the files."""
    options = parse(process.argv[1:], "fon:at:", usage="[-fo] [-t o|d|x] [-n LEN] [FILE]...")
    least = number(options.value("n", "4"))
    radix = options.value("t", "o" if "o" in options else "")
    with Output(process) as out:
        for name, stream in inputs(process, options.operands, out):
            run = bytearray()
            for at, byte in enumerate(contents(process, stream) + b"\n"):
                if 32 <= byte < 127 or byte == 9:
                    run.append(byte)
                    continue
                if len(run) >= least:
                    prefix = f"{name}: " if "f" in options else ""
                    prefix += f"{at - len(run):7{radix}} " if radix else ""
                    out.write(octets(prefix) + bytes(run) + b"\n")
                run.clear()
    return out.status
