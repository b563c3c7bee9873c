"""Nouns: one call of the sequence, its outcome, and the callers that make the calls."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from unionfs_sim.nodes.caller import Caller

CALLERS: Final = (
    Caller(0, 0, frozenset(), 0o022),
    Caller(1000, 1000, frozenset(), 0o022),
    Caller(1001, 1000, frozenset({5}), 0o002),
    Caller(1002, 7, frozenset({5, 100, 1000}), 0o077),
    Caller(1000, 100, frozenset({7}), 0),
)
"""Who calls: an operation names one by its place here. Root is the first."""

SLOTS: Final = 4
"""How many files are held open at a time: an operation names one by number."""


class Op(NamedTuple):
    """One call: the verb, who calls, and its arguments; all values, so that it can be replayed."""

    verb: str
    caller: int
    args: tuple[Any, ...]

    def __str__(self) -> str:
        """The call as a line of Python, with the caller in front."""
        who = CALLERS[self.caller]
        name = "root" if who.uid == 0 else f"{who.uid}:{who.gid}"
        return f"[{name}] {self.verb}({', '.join(_argument(self.verb, a) for a in self.args)})"


class Outcome(NamedTuple):
    """What a call gave: errno 0 and a comparable value, or an errno; ``crash`` is the model's own mistake."""

    errno: int
    value: Any = None
    crash: str | None = None

    def __str__(self) -> str:
        """The errno's name, or the value."""
        if self.crash:
            return f"CRASH {self.crash}"
        if self.errno:
            return errno.errorcode.get(self.errno, str(self.errno))
        return f"ok {self.value!r}"


OPEN_FLAGS: Final[Mapping[str, int]] = {
    name: getattr(os, name)
    for name in (
        "O_WRONLY",
        "O_RDWR",
        "O_CREAT",
        "O_EXCL",
        "O_TRUNC",
        "O_APPEND",
        "O_NONBLOCK",
        "O_NOFOLLOW",
        "O_PATH",
        "O_NOATIME",
    )
}


def flag_names(flags: int) -> str:
    """``O_WRONLY|O_CREAT`` for the number."""
    names = ["O_RDONLY"] if flags & os.O_ACCMODE == 0 else []
    # O_TMPFILE contains O_DIRECTORY's bit, so one of the two is named, not both.
    if flags & os.O_TMPFILE == os.O_TMPFILE:
        names.append("O_TMPFILE")
    elif flags & os.O_DIRECTORY:
        names.append("O_DIRECTORY")
    names += [name for name, bit in OPEN_FLAGS.items() if flags & bit]
    return "|".join(names)


def _argument(verb: str, value: object) -> str:
    if verb == "open" and isinstance(value, int) and value > 0o7777:
        return flag_names(value)
    if isinstance(value, str | bytes) and len(value) > 120:
        return f"{value[:1]!r} * {len(value)}" if value == value[:1] * len(value) else f"{value[:40]!r}…"
    return repr(value)
