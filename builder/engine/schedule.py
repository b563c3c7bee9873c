"""Doing what does not depend on each other at the same time, and all of it in the order given if asked.

Threads are daemons: a step that nobody can stop must not keep the process alive after Ctrl-C.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar

ResultT = TypeVar("ResultT")

MAX_WORKERS: Final = 16
_PATIENCE_SECONDS: Final = 5.0


class Stopped(BaseException):
    """Raised in work that goes on after something else failed; never seen by the caller of ``run``."""


class _Promise(Generic[ResultT]):
    """What a piece of work will have returned or raised (a Future, without what importing that costs)."""

    def __init__(self) -> None:
        self._kept = threading.Event()
        self._values: list[ResultT] = []
        self.error: BaseException | None = None

    def keep(self, value: ResultT) -> None:
        self._values.append(value)
        self._kept.set()

    def break_(self, error: BaseException) -> None:
        self.error = error
        self._kept.set()

    def result(self) -> ResultT:
        self._kept.wait()
        if self.error is not None:
            raise self.error
        return self._values[0]


class Schedule(Generic[ResultT]):
    """Pieces of work by number, each after those before it in ``order`` that it waits for.

    ``order`` must name what is waited for before who waits: then some worker can always go on.
    """

    def __init__(self, order: Sequence[int], *, workers: int, stop: threading.Event) -> None:
        self._order = tuple(order)
        self._workers = min(workers, len(self._order), MAX_WORKERS)
        self._stop = stop
        self._results: dict[int, _Promise[ResultT]] = {number: _Promise() for number in self._order}
        self._settled = threading.Event()
        self._unfinished = len(self._order)
        self._lock = threading.Lock()

    def result(self, number: int) -> ResultT:
        """What piece ``number`` returned; waits for it, and raises what it raised."""
        return self._results[number].result()

    def run(self, work: Callable[[int], ResultT]) -> list[ResultT]:
        """The results of all pieces in order; the first failure, in that order, after the others stopped."""
        queue = iter(self._order)
        threads = self._start(queue, work) if self._workers > 1 else []
        if threads:
            self._wait(threads)
        else:
            self._work(queue, work, reraise=True)
        return [self.result(number) for number in self._order]

    def _start(self, queue: Iterator[int], work: Callable[[int], ResultT]) -> list[threading.Thread]:
        """As many workers as can be started; none where there are no threads (a browser)."""
        threads: list[threading.Thread] = []
        for number in range(self._workers):
            thread = threading.Thread(
                target=self._work, args=(queue, work), name=f"stage-{number}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                break
            threads.append(thread)
        return threads

    def _wait(self, threads: Sequence[threading.Thread]) -> None:
        try:
            self._settled.wait()
        except BaseException:
            self._stop.set()
            raise
        finally:
            for thread in threads:
                thread.join(_PATIENCE_SECONDS / len(threads))
        for number in self._order:
            error = self._results[number].error
            if error is not None and not isinstance(error, Stopped):
                raise error

    def _work(self, queue: Iterator[int], work: Callable[[int], ResultT], *, reraise: bool = False) -> None:
        while True:
            with self._lock:
                number = next(queue, None)
            if number is None:
                return
            try:
                if self._stop.is_set():
                    raise Stopped
                self._results[number].keep(work(number))
            except BaseException as error:
                self._stop.set()
                self._results[number].break_(error)
                self._settled.set()
                if reraise:
                    raise
            with self._lock:
                self._unfinished -= 1
                if self._unfinished == 0:
                    self._settled.set()
