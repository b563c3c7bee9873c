"""Who is calling: the credentials, the umask and the clock of the next call.

Nothing in this package asks the machine who runs it or what time it is: both are passed in, so
that the same calls give the same tree everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from unionfs_sim.nodes.record import Record

Clock: TypeAlias = Callable[[], int]
"""Returns the time in nanoseconds since the epoch (UTC)."""


class Caller(Record):
    """The credentials that a file-system call is made with (Linux credentials(7)).

    Uid 0 holds all capabilities, as a process of the initial user namespace does.

    >>> Caller(1000, 1000).is_root
    False
    """

    uid: int = 0
    gid: int = 0
    groups: frozenset[int] = frozenset()
    umask: int = 0o022

    @property
    def is_root(self) -> bool:
        """Whether the caller overrides permission bits (CAP_DAC_OVERRIDE and its kin)."""
        return self.uid == 0

    def in_group(self, gid: int) -> bool:
        """Whether ``gid`` is the caller's group or one of the supplementary groups."""
        return gid == self.gid or gid in self.groups


ROOT: Final = Caller()


class TickingClock:
    """A clock that moves by ``step_ns`` at every reading, so that later calls have later times."""

    __slots__ = ("now_ns", "step_ns")

    def __init__(self, now_ns: int = 0, step_ns: int = 0) -> None:
        self.now_ns = now_ns
        self.step_ns = step_ns

    def __call__(self) -> int:
        """The time now, in nanoseconds; moves the clock on."""
        self.now_ns += self.step_ns
        return self.now_ns
