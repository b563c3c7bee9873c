"""The directories behind RUN --mount=type=cache: in the state directory, kept from build to build.

Who may have one at a time is said by locks on files, so that other builders are seen too (Dockerfile
reference, "sharing").
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from builder.dockerfile.syntax.mount import Sharing
from builder.errors import StepFailedError
from builder.namespace.channel import Message
from builder.namespace.skeleton import CACHES
from builder.namespace.state import State
from builder.protocols import Cache

_PATIENCE_SECONDS: Final = 0.05


class Caches:
    """Cache directories by id. Safe for threads. ``is_cancelled``: asked while one waits for its turn."""

    def __init__(self, state: State, is_cancelled: Callable[[], bool]) -> None:
        self._state = state
        self._is_cancelled = is_cancelled

    @contextmanager
    def held(self, cache: Cache, initial: Message | None) -> Iterator[str]:
        """The directory, relative to the helper's, for as long as the block lasts.

        ``initial``: the stack and path that a new one is filled from.
        """
        lock = None
        for number in itertools.count():
            name = hashlib.sha256(f"{number}:{cache.id}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
            lock = self._lock(name, cache.sharing)
            if lock is not None:
                break
        assert lock is not None
        try:
            yield self._made(name, cache, initial)
        finally:
            os.close(lock)

    def _lock(self, name: str, sharing: Sharing) -> int | None:
        """A descriptor that holds the lock; None if this one is taken and another is to be used."""
        path = os.path.join(self._state.path, CACHES, f"{name}.lock")
        _ = self._state.namespace  # makes the directory
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        how = fcntl.LOCK_SH if sharing is Sharing.SHARED else fcntl.LOCK_EX
        try:
            while True:
                try:
                    fcntl.flock(lock, how | fcntl.LOCK_NB)
                    return lock
                except BlockingIOError:
                    if sharing is Sharing.PRIVATE:
                        os.close(lock)
                        return None
                if self._is_cancelled():
                    raise StepFailedError("the command was cancelled", exit_status=130)
                time.sleep(_PATIENCE_SECONDS)
        except BaseException:
            os.close(lock)
            raise

    def _new(self, place: str) -> str:
        """Where it is filled: in this builder's session, or beside it where that is another file system."""
        if self._state.namespace.in_memory:
            return f"{place}.{os.urandom(8).hex()}"
        return f"{self._state.workspace()}/new"

    def _made(self, name: str, cache: Cache, initial: Message | None) -> str:
        place = f"{CACHES}/{name}"
        if not os.path.isdir(os.path.join(self._state.path, place)):
            self._state.namespace.ask(
                {
                    "verb": "cache",
                    "new": self._new(place),
                    "name": place,
                    "mode": cache.mode,
                    "uid": cache.uid,
                    "gid": cache.gid,
                    "initial": initial,
                    "ownership": self._state.ownership.value,
                }
            )
        return place
