"""Why a command of the simulated world is stopped, whatever its programs think of it."""

from __future__ import annotations


class StoppedError(Exception):
    """A command was stopped. ``fix``: what its author can do."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class LimitError(StoppedError):
    """A command used up more than it may. ``limit``: what of ``Limits`` it is."""

    def __init__(self, message: str, fix: str, *, limit: str) -> None:
        super().__init__(message, fix)
        self.limit = limit


class DeadlockError(StoppedError):
    """Every process waits for another one."""
