"""Several transfers at the same time; the first that fails ends all."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

_PATIENCE_SECONDS: Final = 3.0
"""How long a transfer has to notice that it is over, before it is left to end by itself."""


class Stopped(Exception):
    """Raised inside a transfer that goes on in vain; nobody outside sees it."""


class Stop:
    """Tells transfers that they are in vain."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """From now on every transfer is in vain."""
        self._event.set()

    def check(self) -> None:
        """Raise Stopped if so."""
        if self._event.is_set():
            raise Stopped


def together(jobs: Sequence[Callable[[Stop], T]], *, threads: int) -> list[T]:
    """What the jobs return, in their order; at most ``threads`` run at once.

    The exception of the first job that fails is raised, as is Ctrl-C, when the others have noticed.
    """
    if len(jobs) <= 1 or threads == 1:
        alone = Stop()
        return [job(alone) for job in jobs]
    stop = Stop()
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    results: dict[int, T] = {}
    for number in range(len(jobs)):
        waiting.put(number)

    def work() -> None:
        while True:
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                stop.check()
                results[number] = jobs[number](stop)
                done.put(None)
            except BaseException as error:
                done.put(error)

    workers = [
        threading.Thread(target=work, name="transfer", daemon=True) for _ in range(min(threads, len(jobs)))
    ]
    for worker in workers:
        worker.start()
    try:
        for _ in jobs:
            error = done.get()
            if error is not None:
                raise error
    except BaseException:
        stop.set()
        for worker in workers:
            worker.join(_PATIENCE_SECONDS)
        raise
    return [results[number] for number in range(len(jobs))]
