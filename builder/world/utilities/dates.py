"""Points of time as date and touch read and write them; the simulated world lives in UTC."""

from __future__ import annotations

import calendar
import re
import time
from typing import Final

NANOSECONDS: Final = 1_000_000_000

_SPELLINGS: Final = (
    r"(?P<H>\d+):(?P<M>\d+)(?::(?P<S>\d+))?",
    r"(?:(?P<Y>\d+)\.)?(?P<m>\d+)\.(?P<d>\d+)-(?P<H>\d+):(?P<M>\d+)(?::(?P<S>\d+))?",
    r"(?P<Y>\d+)-(?P<m>\d+)-(?P<d>\d+) (?P<H>\d+)(?::(?P<M>\d+)(?::(?P<S>\d+))?)?",
    r"(?P<Y>\d+)-(?P<m>\d+)-(?P<d>\d+)[T ](?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)(?:\.\d+)?Z?",
    r"(?P<Y>\d+)-(?P<m>\d+)-(?P<d>\d+)",
)
_DIGITS: Final = re.compile(
    r"(?P<C>\d\d)??(?P<y>\d\d)??(?P<m>\d\d)??(?P<d>\d\d)??(?P<H>\d\d)??(?P<M>\d\d)(?:\.(?P<S>\d\d))?"
)


class DateError(ValueError):
    """A date that cannot be read."""


def _checked(fields: list[int], text: str) -> int:
    year, month, day, hour, minute, second = fields
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60):
        raise DateError(text)
    return calendar.timegm((year, month, day, hour, minute, second, 0, 0, 0))


def _from_digits(match: re.Match[str], fields: list[int], text: str) -> int:
    if match["y"] is not None:
        year = int(match["y"])
        if match["C"] is not None:
            fields[0] = int(match["C"]) * 100 + year
        else:
            fields[0] = year + (2000 if year < 69 else 1900)
    for at, name in enumerate("mdHM", start=1):
        if match[name] is not None:
            fields[at] = int(match[name])
    fields[5] = int(match["S"] or 0)
    return _checked(fields, text)


def parsed(text: str, now: int) -> int:
    """The seconds since the epoch that ``text`` means; what it does not say is taken from ``now``.

    The spellings are those of busybox's date and touch, and the ISO form with a T. Raises DateError.

    >>> parsed("2020-01-02 03:04:05", 0)
    1577934245
    """
    if re.fullmatch(r"@-?\d+", text):
        return int(text[1:])
    at = time.gmtime(now)
    fields = [at.tm_year, at.tm_mon, at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec]
    for spelling in _SPELLINGS:
        match = re.fullmatch(spelling, text)
        if match is None:
            continue
        given = match.groupdict()
        for place, name in enumerate("YmdHMS"):
            if given.get(name) is not None:
                fields[place] = int(given[name])
        return _checked(fields, text)
    match = _DIGITS.fullmatch(text)
    if match is None:
        raise DateError(text)
    return _from_digits(match, fields, text)


def formatted(seconds: int, nanoseconds: int, format_: str) -> str:
    """strftime(3) in the C locale and UTC, with ``%s`` and ``%N``."""
    pieces: list[str] = []
    for literal, code in re.findall(r"([^%]*)(%(?:[-_]?[A-Za-z%]|.|$))?", format_):
        pieces.append(literal)
        if code == "%s":
            pieces.append(str(seconds))
        elif code == "%N":
            pieces.append(f"{nanoseconds:09d}")
        elif code:
            pieces.append(_strftime(code, seconds))
    return "".join(pieces)


_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# fmt: off
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
# fmt: on


def _strftime(code: str, seconds: int) -> str:
    at = time.gmtime(seconds)
    composite = {
        "%c": "%a %b %e %H:%M:%S %Y",
        "%D": "%m/%d/%y",
        "%F": "%Y-%m-%d",
        "%R": "%H:%M",
        "%r": "%I:%M:%S %p",
        "%T": "%H:%M:%S",
        "%x": "%m/%d/%y",
        "%X": "%H:%M:%S",
    }
    if code in composite:
        return formatted(seconds, 0, composite[code])
    # Names and zones are spelt here, because strftime(3) would ask the machine's locale and time zone.
    own = {
        "%a": _DAYS[at.tm_wday][:3],
        "%A": _DAYS[at.tm_wday],
        "%b": _MONTHS[at.tm_mon - 1][:3],
        "%h": _MONTHS[at.tm_mon - 1][:3],
        "%B": _MONTHS[at.tm_mon - 1],
        "%e": f"{at.tm_mday:2d}",
        "%k": f"{at.tm_hour:2d}",
        "%l": f"{(at.tm_hour + 11) % 12 + 1:2d}",
        "%p": "AM" if at.tm_hour < 12 else "PM",
        "%P": "am" if at.tm_hour < 12 else "pm",
        "%Z": "UTC",
        "%z": "+0000",
        "%n": "\n",
        "%t": "\t",
        "%%": "%",
    }
    if code in own:
        return own[code]
    if code[1] in "-_" and len(code) == 3:
        text = _strftime("%" + code[2], seconds)
        return text.lstrip("0 ") or "0" if code[1] == "-" else text
    return time.strftime(code, at) if code[1:].isalpha() else code
