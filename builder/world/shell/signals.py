"""The signals of Linux by name, as trap and kill spell them (signal(7))."""

from __future__ import annotations

from typing import Final

NAMES: Final = [
    "EXIT",
    "HUP",
    "INT",
    "QUIT",
    "ILL",
    "TRAP",
    "ABRT",
    "BUS",
    "FPE",
    "KILL",
    "USR1",
    "SEGV",
    "USR2",
    "PIPE",
    "ALRM",
    "TERM",
    "STKFLT",
    "CHLD",
    "CONT",
    "STOP",
    "TSTP",
    "TTIN",
    "TTOU",
    "URG",
    "XCPU",
    "XFSZ",
    "VTALRM",
    "PROF",
    "WINCH",
    "IO",
    "PWR",
    "SYS",
]
"""By number; 0 is the end of the shell."""

IGNORED_BY_DEFAULT: Final = frozenset(NAMES.index(name) for name in ("CHLD", "CONT", "URG", "WINCH"))
UNCATCHABLE: Final = frozenset(NAMES.index(name) for name in ("KILL", "STOP"))


def signal_number(text: str) -> int | None:
    """The number of a signal given by number or by name, with or without SIG; None if there is none.

    >>> signal_number("SIGTERM"), signal_number("0"), signal_number("NOPE")
    (15, 0, None)
    """
    if text.isascii() and text.isdigit():
        return int(text) if int(text) < len(NAMES) else None
    name = text.upper().removeprefix("SIG")
    return NAMES.index(name) if name in NAMES else None
