"""The values of awk: numbers, strings, and strings that came in as input and may count as numbers."""

from __future__ import annotations

import math
import re
from typing import Final, TypeAlias

from builder.world.utilities.words.printf import formatted_values

_PREFIX: Final = re.compile(rb"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")


class Input(bytes):
    """A string that was read: a field, getline's, ARGV's, ENVIRON's, -v's. It may look like a number."""

    __slots__ = ()


class Uninitialised(bytes):
    """The value of a variable that was never set: both "" and 0."""

    __slots__ = ()


NOTHING: Final = Uninitialised()

Value: TypeAlias = float | bytes


def number(value: Value) -> float:
    """The value as a number: what it begins with, or 0."""
    if isinstance(value, bytes):
        match = _PREFIX.match(value)
        return float(match[1]) if match else 0.0
    return value


def looks_numeric(value: Value) -> bool:
    """Whether the value compares as a number."""
    if isinstance(value, Input):
        match = _PREFIX.match(value)
        return match is not None and not value[match.end() :].strip()
    return not isinstance(value, bytes) or isinstance(value, Uninitialised)


def string(value: Value, conversion: bytes = b"%.6g") -> bytes:
    """The value as a string; whole numbers are shown without a point."""
    if isinstance(value, bytes):
        return bytes(value)
    if math.isinf(value) or math.isnan(value):
        return b"%g" % value
    if value == int(value) and abs(value) < 1e16:
        return b"%d" % int(value)
    return formatted_values(conversion, [value])


def truth(value: Value) -> bool:
    """Whether the value counts as true."""
    if isinstance(value, Input) and looks_numeric(value):
        return number(value) != 0
    return value != b"" if isinstance(value, bytes) else value != 0


def compare(left: Value, right: Value, conversion: bytes) -> int:
    """Negative, 0 or positive: by number if both look like numbers, else as strings."""
    if looks_numeric(left) and looks_numeric(right):
        a, b = number(left), number(right)
        return (a > b) - (a < b)
    first, second = string(left, conversion), string(right, conversion)
    return (first > second) - (first < second)
