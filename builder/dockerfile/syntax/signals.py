"""The signals that STOPSIGNAL may name (signal(7), as moby/sys/signal reads them)."""

from __future__ import annotations

from typing import Final

from builder.dockerfile.suggest import did_you_mean

_NAMES: Final = (
    "HUP INT QUIT ILL TRAP ABRT/IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD/CLD CONT "
    "STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO/POLL PWR SYS"
)
"""In the order of their numbers, from 1, on x86 and arm: an image is for Linux wherever it is built."""

SIGNALS: Final = {
    **{name: at for at, names in enumerate(_NAMES.split(), 1) for name in names.split("/")},
    "RTMIN": 34,
    **{f"RTMIN+{offset}": 34 + offset for offset in range(1, 16)},
    **{f"RTMAX-{offset}": 64 - offset for offset in range(1, 15)},
    "RTMAX": 64,
}
"""Name without SIG → number."""

_MAX_NUMBER: Final = 64


class SignalError(ValueError):
    """Text that names no signal: what is wrong, and what to write instead."""

    def __init__(self, what: str, *, fix: str | None) -> None:
        super().__init__(what)
        self.fix = fix


def parse_signal(written: str) -> int:
    """The number of ``SIGTERM``, ``term`` or ``15``.

    >>> parse_signal("SIGQUIT")
    3
    """
    if written.isascii() and written.isdigit():
        if len(written) < 4 and 0 < int(written) <= _MAX_NUMBER:
            return int(written)
        raise SignalError(f"{written}: no such signal", fix=f"signals have the numbers 1 to {_MAX_NUMBER}")
    name = written.upper().removeprefix("SIG")
    if name not in SIGNALS:
        fix = did_you_mean(f"SIG{name}", [f"SIG{each}" for each in SIGNALS], otherwise="write SIGTERM or 15")
        raise SignalError(f"{written}: no such signal", fix=fix)
    return SIGNALS[name]
