"""Several commands in one simulated root: a tree in memory is changed by one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Whose turn it is in one root: first come, first served. A turn is a command's, not a thread's."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next = 0
        self._now = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for a turn, and have it inside."""
        self._take()
        try:
            yield
        finally:
            self._pass_on()

    @contextmanager
    def left(self) -> Iterator[None]:
        """Who has a turn lets others have theirs inside."""
        self._pass_on()
        try:
            yield
        finally:
            self._take()

    @property
    def waiting(self) -> int:
        """How many wait while somebody has a turn."""
        return max(self._next - self._now - 1, 0)

    def give_way(self) -> None:
        """Who has a turn lets those who wait go first."""
        if self.waiting:
            with self.left():
                pass

    def _take(self) -> None:
        with self._changed:
            mine, self._next = self._next, self._next + 1
            self._changed.wait_for(lambda: self._now == mine)

    def _pass_on(self) -> None:
        with self._changed:
            self._now += 1
            self._changed.notify_all()
