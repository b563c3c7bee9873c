"""printf: arguments, printed by a format (POSIX printf, with what busybox adds)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from builder.world.machine.process import Process
from builder.world.utilities.commandline import UsageError
from builder.world.utilities.escapes import escape, unescape
from builder.world.utilities.streams import octets, words

_DIRECTIVE: Final = re.compile(rb"%([-+ #0]*)(\*|\d*)(?:(\.)(\*|-?\d*))?[hlLjzt]*(.?)", re.DOTALL)
_NUMBER: Final = re.compile(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_FLOAT: Final = re.compile(
    r"\s*([+-]?(?:0[xX][0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?(?:[pP][+-]?\d+)?|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf(?:inity)?|nan))",
    re.I,
)


Account: TypeAlias = Callable[[int], None]
"""Is told how many bytes are about to be held, and may object."""


@dataclass(slots=True)
class Printed:
    """What a printf prints: the bytes, what it complains about, and its exit status."""

    account: Account
    output: bytearray = field(default_factory=bytearray)
    complaints: list[str] = field(default_factory=list)
    status: int = 0

    def complain(self, text: str) -> None:
        """Remember a complaint; the exit status becomes 1."""
        self.complaints.append(text)
        self.status = 1


class _Stopped(Exception):
    """A ``\\c``, or a directive that does not exist."""


class _Arguments:
    def __init__(self, arguments: Sequence[str], printed: Printed, *, missing_is_zero: bool) -> None:
        self._arguments = arguments
        self._missing_is_zero = missing_is_zero
        self._printed = printed
        self._next = 0
        self.used = False

    @property
    def left(self) -> bool:
        return self._next < len(self._arguments)

    def text(self) -> str | None:
        self.used = True
        if not self.left:
            return None
        self._next += 1
        return self._arguments[self._next - 1]

    def _valid(self, argument: str, match: re.Match[str] | None) -> bool:
        if match is not None and match.end() == len(argument):
            return True
        self._printed.complain(f"invalid number '{argument}'")
        return False

    def width(self) -> int:
        """The number for a ``*``; 0 if there is none."""
        return self.integer() if self.left else 0

    def integer(self) -> int:
        argument = self.text()
        if argument is None and self._missing_is_zero:
            return 0
        argument = argument or ""
        if argument[:1] in ("'", '"'):
            return octets(argument)[1] if len(argument) > 1 else 0
        match = _NUMBER.match(argument)
        if not self._valid(argument, match) or match is None:
            return 0
        digits = match[2]
        base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10
        value = int(digits, base)
        if value >= 1 << 64 or (match[1] == "-" and value > 1 << 63):
            self._printed.complain(f"invalid number '{argument}'")
            return 0
        return -value if match[1] == "-" else value

    def real(self) -> float:
        argument = self.text()
        if not argument:
            return 0.0
        if argument[:1] in ("'", '"'):
            return float(octets(argument)[1]) if len(argument) > 1 else 0.0
        match = _FLOAT.match(argument)
        if not self._valid(argument, match) or match is None:
            return 0.0
        text = match[1].lower()
        return float.fromhex(text) if "0x" in text else float(text)


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def _padded(text: bytes, flags: bytes, width: int) -> bytes:
    return text.ljust(width) if b"-" in flags else text.rjust(width)


def _count(text: bytes) -> int:
    """A width or a precision; one that no memory could hold may be any other such."""
    return int(text[:18] or b"0")


def _convert(directive: re.Match[bytes], arguments: _Arguments, printed: Printed, whole: bytes) -> None:
    flags, width_text, dot, precision_text, kind = directive.groups()
    width = arguments.width() if width_text == b"*" else _count(width_text)
    precision = -1
    if dot:
        precision = arguments.width() if precision_text == b"*" else _count(precision_text)
    printed.account(len(printed.output) + abs(width) + max(precision, 0))
    if width < 0:
        flags, width = flags + b"-", -width
    if kind == b"b":
        text, stopped = unescape(octets(arguments.text() or ""))
        printed.output += _padded(text if precision < 0 else text[:precision], flags, width)
        if stopped:
            raise _Stopped
    elif kind == b"c":
        printed.output += _padded(octets(arguments.text() or "\0")[:1], flags, width)
    elif kind == b"s":
        text = octets(arguments.text() or "")
        printed.output += _padded(text if precision < 0 else text[:precision], flags, width)
    elif kind and kind in b"diouxXeEfFgGaA":
        printed.output += _numeric(kind, flags, width, precision, arguments)
    else:
        sign = whole[directive.start() : directive.end(4) if dot else directive.end(2)]
        printed.complain(f"{words(sign + whole[directive.end() - len(kind) :])}: invalid format")
        raise _Stopped


def _integer(value: int, kind: bytes, flags: bytes, width: int, precision: int) -> bytes:
    """An integer as printf(3) shows it: a precision is the least number of digits, and overrules ``0``."""
    signed = kind in b"di"
    value = _signed(value) if signed else value & ((1 << 64) - 1)
    digits = (b"%" + (b"d" if kind in b"diu" else kind)) % abs(value)
    digits = b"" if value == 0 and precision == 0 else digits.rjust(precision, b"0")
    prefix = b""
    if signed:
        prefix = b"-" if value < 0 else b"+" if b"+" in flags else b" " if b" " in flags else b""
    elif b"#" in flags and kind in b"xX" and value:
        prefix = b"0" + kind
    elif b"#" in flags and kind == b"o" and not digits.startswith(b"0"):
        digits = b"0" + digits
    if b"-" in flags:
        return (prefix + digits).ljust(width)
    if b"0" in flags and precision < 0:
        return prefix + digits.rjust(width - len(prefix), b"0")
    return (prefix + digits).rjust(width)


def _numeric(kind: bytes, flags: bytes, width: int, precision: int, arguments: _Arguments) -> bytes:
    if kind in b"diouxX":
        return _integer(arguments.integer(), kind, flags, width, precision)
    real = arguments.real()
    if kind in b"aA":
        return _padded(octets(real.hex()), flags, width)
    spec = b"%" + flags + (b"%d" % width if width else b"") + (b".%d" % precision if precision >= 0 else b"")
    return (spec + kind) % real


def _pass(format_: bytes, arguments: _Arguments, printed: Printed) -> None:
    at = 0
    while at < len(format_):
        byte = format_[at : at + 1]
        if byte == b"\\":
            if format_[at + 1 : at + 2] == b"c":
                raise _Stopped
            piece, at = escape(format_, at + 1)
            printed.output += piece
        elif byte == b"%" and format_[at : at + 2] == b"%%":
            printed.output += b"%"
            at += 2
        elif byte == b"%":
            directive = _DIRECTIVE.match(format_, at)
            assert directive is not None, "the pattern matches after any %"
            _convert(directive, arguments, printed, format_)
            at = directive.end()
        else:
            end = min(
                (found for found in (format_.find(b"\\", at), format_.find(b"%", at)) if found >= 0),
                default=len(format_),
            )
            printed.output += format_[at:end]
            at = end


def formatted(
    format_: str, arguments: Sequence[str], account: Account, *, missing_is_zero: bool = True
) -> Printed:
    r"""What printf prints for ``arguments``: the format is used again until all are consumed.

    ``account`` is told how much is about to be held. ``missing_is_zero``: as POSIX has it; busybox
    complains when %d finds no argument left.

    >>> bytes(formatted("%s=%d\\n", ["a", "1", "b", "0x10"], lambda _: None).output)
    b'a=1\nb=16\n'
    """
    printed = Printed(account)
    rest = _Arguments(arguments, printed, missing_is_zero=missing_is_zero)
    try:
        while True:
            rest.used = False
            _pass(octets(format_), rest, printed)
            if not rest.left or not rest.used:
                break
    except _Stopped:
        pass
    return printed


def modest(size: int) -> None:
    """An account for what is never large: UsageError above a mebibyte."""
    if size > 1 << 20:
        raise UsageError("the format makes too long a text")


def formatted_values(format_: bytes, values: Sequence[float | bytes], account: Account = modest) -> bytes:
    """What awk's printf makes of ``values``: numbers and strings instead of words, and one pass."""
    made = bytearray()
    at = taken = 0

    def value() -> float | bytes:
        nonlocal taken
        taken += 1
        return values[taken - 1] if taken <= len(values) else b""

    for directive in _DIRECTIVE.finditer(format_):
        made += format_[at : directive.start()]
        at = directive.end()
        flags, width_text, dot, precision_text, kind = directive.groups()
        if kind in (b"%", b""):
            made += b"%"
            continue
        width = _whole(value()) if width_text == b"*" else _count(width_text)
        precision = -1
        if dot:
            precision = _whole(value()) if precision_text == b"*" else _count(precision_text)
        account(len(made) + abs(width) + max(precision, 0))
        if width < 0:
            flags, width = flags + b"-", -width
        made += _value(kind, flags, width, precision, value())
    return bytes(made + format_[at:])


def _whole(value: float | bytes) -> int:
    real = _real(value)
    return int(max(min(real, 1e18), -1e18)) if math.isfinite(real) else 0


def _real(value: float | bytes) -> float:
    match = (
        re.match(rb"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", value)
        if isinstance(value, bytes)
        else None
    )
    return float(match[0]) if match else 0.0 if isinstance(value, bytes) else value


def _value(kind: bytes, flags: bytes, width: int, precision: int, value: float | bytes) -> bytes:
    if kind == b"c":
        text = value[:1] if isinstance(value, bytes) else bytes([int(value) & 0xFF])
        return _padded(text, flags, width)
    if kind == b"s":
        if not isinstance(value, bytes):
            value = b"%d" % int(value) if math.isfinite(value) and value == int(value) else b"%.6g" % value
        return _padded(value if precision < 0 else value[:precision], flags, width)
    real = _real(value)
    if kind in b"diouxX":
        return _integer(int(real) if math.isfinite(real) else -(1 << 63), kind, flags, width, precision)
    if kind not in b"eEfFgG":
        raise UsageError(f"%{words(kind)}: invalid format")
    spec = b"%" + flags + (b"%d" % width if width else b"") + (b".%d" % precision if precision >= 0 else b"")
    return (spec + kind) % real


def printf(process: Process) -> int:
    """Print the arguments by the format."""
    operands = list(process.argv[1:])
    if operands[:1] == ["--"]:
        del operands[0]
    if not operands:
        raise UsageError("", "FORMAT [ARG]...")
    printed = formatted(operands[0], operands[1:], process.machine.account_memory, missing_is_zero=False)
    for complaint in printed.complaints:
        process.complain(complaint)
    process.stdout.write(bytes(printed.output))
    return printed.status
