"""The builtin functions of awk that need only their arguments and the state."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from builder.world.matching.regex import Pattern
from builder.world.utilities.awk.state import State
from builder.world.utilities.awk.values import Value, number, string
from builder.world.utilities.commandline import UsageError
from builder.world.utilities.dates import NANOSECONDS, formatted
from builder.world.utilities.streams import octets, words
from builder.world.utilities.words.printf import formatted_values

_MASK: Final = (1 << 64) - 1


class Functions:
    """The functions by name; each takes the values of its arguments."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._seed = 0
        self._random = 1
        self.table: dict[str, Callable[[Sequence[Value]], Value]] = {
            "index": lambda a: float(self.text(a, 0).find(self.text(a, 1)) + 1 if self.text(a, 1) else 0),
            "substr": self.substr,
            "sprintf": lambda a: formatted_values(self.text(a, 0), list(a[1:]), state.account_memory),
            "tolower": lambda a: self.text(a, 0).lower(),
            "toupper": lambda a: self.text(a, 0).upper(),
            "int": lambda a: _truncated(number(a[0])),
            "sin": lambda a: math.sin(number(a[0])),
            "cos": lambda a: math.cos(number(a[0])),
            "atan2": lambda a: math.atan2(number(a[0]), number(a[1])),
            "exp": lambda a: _safe(math.exp, number(a[0]), math.inf),
            "log": lambda a: _safe(math.log, number(a[0]), -math.inf if number(a[0]) == 0 else math.nan),
            "sqrt": lambda a: _safe(math.sqrt, number(a[0]), math.nan),
            "rand": lambda _a: self.rand(),
            "srand": self.srand,
            "system": lambda a: float(state.system(self.text(a, 0))),
            "close": lambda a: float(state.close(self.text(a, 0))),
            "fflush": lambda _a: self.fflush(),
            "systime": lambda _a: float(state.process.machine.now_ns() // NANOSECONDS),
            "strftime": self.strftime,
            "and": lambda a: float(int(number(a[0])) & int(number(a[1])) & _MASK),
            "or": lambda a: float((int(number(a[0])) | int(number(a[1]))) & _MASK),
            "xor": lambda a: float((int(number(a[0])) ^ int(number(a[1]))) & _MASK),
            "lshift": lambda a: float(int(number(a[0])) << (int(number(a[1])) & 63) & _MASK),
            "rshift": lambda a: float((int(number(a[0])) & _MASK) >> (int(number(a[1])) & 63)),
            "compl": lambda a: float(~int(number(a[0])) & _MASK),
        }

    def text(self, arguments: Sequence[Value], at: int) -> bytes:
        """An argument as a string."""
        if at >= len(arguments):
            raise UsageError("Too few arguments")
        return string(arguments[at], self.state.text("CONVFMT"))

    def call(self, name: str, arguments: Sequence[Value]) -> Value:
        """The value of the function. Raises UsageError for too few arguments."""
        try:
            return self.table[name](arguments)
        except IndexError as error:
            raise UsageError("Too few arguments") from error

    def substr(self, arguments: Sequence[Value]) -> Value:
        """Characters from a place on, counted from 1; cut where they leave the string."""
        text = self.text(arguments, 0)
        start = _rounded(number(arguments[1]))
        end = start + _rounded(number(arguments[2])) if len(arguments) > 2 else math.inf
        first, last = max(1.0, start), min(float(len(text) + 1), end)
        return text[int(first) - 1 : int(last) - 1] if first < last else b""

    def rand(self) -> float:
        """A number from 0 up to 1: always the same sequence for the same seed."""
        self._random = (self._random * 6364136223846793005 + 1442695040888963407) & _MASK
        return (self._random >> 11) / (1 << 53)

    def srand(self, arguments: Sequence[Value]) -> Value:
        """Set the seed (the world's time, if none is given); returns the one before."""
        before, now = self._seed, self.state.process.machine.now_ns() // NANOSECONDS
        self._seed = int(number(arguments[0])) if arguments else now
        self._random = self._seed & _MASK
        return float(before)

    def fflush(self) -> float:
        """Hand on what was printed."""
        self.state.flush()
        return 0.0

    def strftime(self, arguments: Sequence[Value]) -> Value:
        """A time of the world by a format, in UTC."""
        spelling = words(self.text(arguments, 0)) if arguments else "%c"
        now = self.state.process.machine.now_ns() // NANOSECONDS
        return octets(formatted(int(number(arguments[1])) if len(arguments) > 1 else now, 0, spelling))

    def match(self, text: bytes, pattern: Pattern) -> Value:
        """Where the expression matches, from 1 (0: nowhere); sets RSTART and RLENGTH."""
        found = pattern.search(text)
        start = found.start() + 1 if found else 0
        self.state.variables["RSTART"] = float(start)
        self.state.variables["RLENGTH"] = float(found.end() - found.start()) if found else -1.0
        return float(start)


def substitute(
    text: bytes, pattern: Pattern, replacement: bytes, account: Callable[[int], None], *, every: bool
) -> tuple[bytes, int]:
    r"""``text`` with matches replaced, and how many; ``&`` is the match, ``\&`` an ampersand (POSIX)."""
    pieces: list[bytes] = []
    at = count = held = 0
    end_of_last = -1
    while at <= len(text) and (match := pattern.search(text, at)):
        begin, end = match.span()
        pieces.append(text[at:begin])
        if begin < end or begin != end_of_last:
            pieces.append(_filled(replacement, match[0] or b""))
            held += len(pieces[-1])
            account(held)
            count += 1
        end_of_last = at = end
        if begin == end:
            pieces.append(text[end : end + 1])
            at = end + 1
        if not every:
            break
    pieces.append(text[at:])
    return b"".join(pieces), count


def _filled(replacement: bytes, matched: bytes) -> bytes:
    made, at = bytearray(), 0
    while at < len(replacement):
        char = replacement[at : at + 1]
        if char == b"\\" and replacement[at + 1 : at + 2] in (b"&", b"\\"):
            made += replacement[at + 1 : at + 2]
            at += 1
        else:
            made += matched if char == b"&" else char
        at += 1
    return bytes(made)


def _truncated(value: float) -> float:
    return float(math.trunc(value)) if math.isfinite(value) else value


def _rounded(value: float) -> float:
    return float(round(value)) if math.isfinite(value) else value


def _safe(function: Callable[[float], float], argument: float, otherwise: float) -> float:
    try:
        return function(argument)
    except (ValueError, OverflowError):
        return otherwise
