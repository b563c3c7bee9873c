"""sort: lines in order, by whole lines or by keys (POSIX sort; GNU's -V and -h)."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, parse
from builder.world.utilities.filenames import compare_versions
from builder.world.utilities.streams import Output, create, guarded_exit, kept, octets, open_input, text_lines

_USAGE: Final = "[-nrugMcszbdfiokt] [-o FILE] [-k START[.OFS][OPTS][,END[.OFS][OPTS]] [-t CHAR] [FILE]..."
_KEY: Final = re.compile(r"(\d+)(?:\.(\d+))?([bdfghiMnrV]*)(?:,(\d+)(?:\.(\d+))?([bdfghiMnrV]*))?")
_REAL: Final = re.compile(
    rb"\s*([+-]?)(?:(0[xX][0-9a-fA-F]+)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(inf)|(nan))", re.I
)
_MONTHS: Final = (
    b"JAN",
    b"FEB",
    b"MAR",
    b"APR",
    b"MAY",
    b"JUN",
    b"JUL",
    b"AUG",
    b"SEP",
    b"OCT",
    b"NOV",
    b"DEC",
)
_UNITS: Final = b"KMGTPEZY"
_NOT_DICTIONARY: Final = bytes(
    b for b in range(256) if not (chr(b).isascii() and chr(b).isalnum()) and b not in b" \t"
)
_UNPRINTABLE: Final = bytes(b for b in range(256) if not 32 <= b < 127)


@dataclass(frozen=True, slots=True)
class Key:
    """Which part of a line is compared, and how; fields and offsets count from 1, an end of 0 is the last."""

    field: int = 1
    offset: int = 1
    end_field: int = 0
    end_offset: int = 0
    flags: str = ""


def _parse_key(text: str) -> Key:
    match = _KEY.fullmatch(text)
    if match is None or match[1] == "0":
        raise UsageError("bad field specification", status=2)
    field, offset, flags, end_field, end_offset, end_flags = match.groups(default="")
    return Key(int(field), int(offset or 1), int(end_field or 0), int(end_offset or 0), flags + end_flags)


def _fields(line: bytes, separator: bytes) -> list[tuple[int, int]]:
    """Where each field begins and ends; without a separator, a field includes the blanks before it."""
    if separator:
        spans, at = [], 0
        for part in line.split(separator):
            spans.append((at, at + len(part)))
            at += len(part) + 1
        return spans
    return [
        match.span()
        for match in re.finditer(rb"[ \t\n\v\f\r]*[^ \t\n\v\f\r]*", line)
        if match.end() > match.start()
    ]


def _extract(line: bytes, key: Key, separator: bytes) -> bytes:
    spans = _fields(line, separator)
    begin = spans[key.field - 1][0] if key.field <= len(spans) else len(line)
    end = len(line)
    if key.end_field and key.end_field <= len(spans):
        first, last = spans[key.end_field - 1]
        end = min(last, first + key.end_offset) if key.end_offset else last
        if key.end_offset and "b" in key.flags:
            first += len(line[first:last]) - len(line[first:last].lstrip())
            end = min(last, first + key.end_offset)
    if "b" in key.flags:
        begin += len(line[begin:]) - len(line[begin:].lstrip())
    begin = min(begin + key.offset - 1, len(line))
    part = line[begin : max(begin, end)]
    if "d" in key.flags:
        part = part.translate(None, _NOT_DICTIONARY)
    if "i" in key.flags:
        part = part.translate(None, _UNPRINTABLE)
    return part.upper() if "f" in key.flags else part


def real(text: bytes) -> float:
    """The number that ``text`` begins with, as atof(3) reads it; 0 if there is none."""
    match = _REAL.match(text)
    if match is None:
        return 0.0
    sign, hexadecimal, decimal, infinite, _ = match.groups()
    value = (
        float(int(hexadecimal, 16))
        if hexadecimal
        else float(decimal)
        if decimal
        else float("inf")
        if infinite
        else 0.0
    )
    return -value if sign == b"-" else value


def _general(text: bytes) -> tuple[int, float]:
    match = _REAL.match(text)
    return (0 if match is None else 1 if match[5] else 2), real(text)


def _human(text: bytes) -> tuple[int, float]:
    match = re.match(rb"\s*(-?\d*\.?\d*)([KMGTPEZY]?)", text)
    value = real(text)
    unit = _UNITS.find(match[2]) + 1 if match and match[2] else 0
    return (-unit if value < 0 else unit if value else 0), value


def _month(text: bytes) -> int:
    name = text.lstrip()[:3].upper()
    return _MONTHS.index(name) if name in _MONTHS else -1


def _measure(flags: str) -> Callable[[bytes], object]:
    if "n" in flags:
        return real
    if "g" in flags:
        return _general
    if "h" in flags:
        return _human
    if "M" in flags:
        return _month
    return functools.cmp_to_key(compare_versions) if "V" in flags else bytes


class Order:
    """How two lines compare under the options given."""

    def __init__(self, options: Options) -> None:
        flags = "".join(letter for letter, _ in options.given if letter in "bdfghiMnrV")
        separator = options.value("t")
        if len(octets(separator)) > 1 and separator != "\\0":
            raise UsageError("bad -t parameter", status=2)
        self.separator = b"\0" if separator == "\\0" else octets(separator)
        keys = [_parse_key(text) for text in options.values("k")] or [Key(flags=flags)]
        self.keys = [
            key
            if key.flags or not flags
            else Key(key.field, key.offset, key.end_field, key.end_offset, flags + key.flags)
            for key in keys
        ]
        self.reverse = "r" in options
        self.plain = not flags.strip("r") and not options.values("k")
        self.stable = "s" in options

    def keyed(self, line: bytes) -> list[object]:
        """What of the line is compared, key by key."""
        return [_measure(key.flags)(_extract(line, key, self.separator)) for key in self.keys]

    def compare(self, first: tuple[list[object], bytes], second: tuple[list[object], bytes]) -> int:
        """Negative, 0 or positive, as the first stands before, beside or after the second."""
        for key, a, b in zip(self.keys, first[0], second[0], strict=True):
            if a != b:
                result = -1 if a < b else 1  # type: ignore[operator]  # both come from the same measure
                return -result if "r" in key.flags else result
        if self.stable or first[1] == second[1]:
            return 0
        result = -1 if first[1] < second[1] else 1
        return -result if self.reverse else result

    def differ(self, first: tuple[list[object], bytes], second: tuple[list[object], bytes]) -> bool:
        """Whether the keys of the two lines are not equal (-u keeps one of those that are)."""
        return first[0] != second[0]

    def sorted(self, lines: list[bytes]) -> list[tuple[list[object], bytes]]:
        """The lines in order, each with what of it was compared."""
        pairs = [(self.keyed(line), line) for line in lines]
        if self.stable and "r" in self.keys[-1].flags:
            pairs.reverse()  # busybox reverses the order of ties as well
        return sorted(pairs, key=functools.cmp_to_key(self.compare))


def _check(order: Order, lines: Iterable[bytes], *, unique: bool) -> int:
    """The number of the first line that is out of order; 0 if there is none."""
    previous: tuple[list[object], bytes] | None = None
    for count, line in enumerate(lines):
        pair = (order.keyed(line), line)
        if previous is not None:
            result = order.compare(previous, pair)
            if result > 0 or (unique and not order.differ(previous, pair)):
                return count
        previous = pair
    return 0


def _arranged(order: Order, lines: list[bytes], *, unique: bool) -> list[bytes]:
    if order.plain:
        return sorted(set(lines) if unique else lines, reverse=order.reverse)
    pairs = order.sorted(lines)
    if not unique:
        return [line for _, line in pairs]
    return [pair[1] for at, pair in enumerate(pairs) if at == 0 or order.differ(pairs[at - 1], pair)]


def sort(process: Process) -> int:
    """Print the lines of the files in order."""
    long = {
        "numeric-sort": "n",
        "reverse": "r",
        "unique": "u",
        "key": "k",
        "field-separator": "t",
        "output": "o",
    }
    long |= {
        "stable": "s",
        "version-sort": "V",
        "human-numeric-sort": "h",
        "zero-terminated": "z",
        "ignore-case": "f",
        "check": "c",
    }
    options = parse(process.argv[1:], "ngMucszbrdfiVhmo:k:t:", long, usage=_USAGE)
    order = Order(options)
    end = b"\0" if "z" in options else b"\n"
    lines: list[bytes] = []
    for name in options.operands or ("-",):
        try:
            stream = open_input(process, name)
        except OSError as error:
            guarded_exit(process, OSError(error.errno, error.strerror, name))
            return 2
        lines.extend(kept(process, text_lines(process, stream, end)))
    if "c" in options:
        wrong = _check(order, lines, unique="u" in options)
        if wrong:
            process.stderr.write(b"Check line %d\n" % wrong)
        return 1 if wrong else 0
    arranged = _arranged(order, lines, unique="u" in options)
    if "o" in options:
        sink = create(process, options.value("o"))
        sink.write(b"".join(line + end for line in arranged))
        sink.close()
        return 0
    with Output(process) as out:
        for line in arranged:
            out.write(line + end)
    return 0
