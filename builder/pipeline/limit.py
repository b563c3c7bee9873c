"""When a part of a run must be over: times of steps, tasks and the whole (Tekton, docs/pipelineruns.md)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limit:
    """A moment of the monotonic clock, in seconds, or none; ``why``: what is said once it is over."""

    until: float | None
    why: str = ""

    @classmethod
    def after(cls, seconds: float, why: str) -> Limit:
        """So many seconds from now; 0 is no limit, as Tekton has it."""
        return cls(time.monotonic() + seconds, why) if seconds else NO_LIMIT

    def sooner(self, other: Limit) -> Limit:
        """The one of two limits that comes first."""
        if self.until is None or (other.until is not None and other.until < self.until):
            return other
        return self

    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.until is not None and time.monotonic() >= self.until


NO_LIMIT: Final = Limit(None)
