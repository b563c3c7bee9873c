"""Several simulated processes in turn: one runs, until it must wait for another.

Each process has a thread, because a program is an ordinary function and may wait anywhere; but only the
holder of the baton runs. The next holder is the next in order of birth that can go on, so the same commands
always interleave in the same way. Time stands still while anyone can run; when all sleep, the clock moves to
the first awakening (a discrete-event simulation).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from builder.world.machine.stopped import DeadlockError

SIGKILL: Final = 9
_STEPS_AFTER_THE_END: Final = 20_000
"""How many steps a process in the background may still take once the first process has ended."""
_SECONDS_TO_UNWIND: Final = 10.0


class Killed(BaseException):
    """A signal ends the process ``pid``. Not an Exception: no program can catch it by accident."""

    def __init__(self, signal: int, pid: int) -> None:
        super().__init__(signal, pid)
        self.signal = signal
        self.pid = pid


class Cancelled(BaseException):
    """The whole run was given up: every process unwinds."""


class Task:
    """One thread of the simulation: its turn, its sleep, and how it ended."""

    __slots__ = ("_turn", "body", "can_go_on", "done", "pid", "status", "thread", "verdict", "wakes_at_ns")

    def __init__(self, pid: int, body: Callable[[], int] | None) -> None:
        self.pid = pid
        self.body = body
        self.done = False
        self.status = 0
        self.can_go_on: Callable[[], bool] | None = None
        self.wakes_at_ns: int | None = None
        self.verdict: Killed | None = None
        self.thread: threading.Thread | None = None
        self._turn = threading.Lock()
        self._turn.acquire()

    @property
    def is_ready(self) -> bool:
        """Whether it could run if it had the baton."""
        if self.verdict is not None:
            return True
        if self.wakes_at_ns is not None:
            return False
        return self.can_go_on is None or self.can_go_on()

    def give_turn(self) -> None:
        """Let it run; only the holder of the baton may say so, and stops at once."""
        if self._turn.locked():
            self._turn.release()

    def await_turn(self) -> None:
        """Stop until the baton is given back."""
        self._turn.acquire()


class Scheduler:
    """The baton. ``now`` and ``advance`` read and move the clock of the simulation, in nanoseconds.

    ``advance`` returns False if it moved it by less, because there may be something else to do.
    """

    def __init__(
        self,
        *,
        now: Callable[[], int],
        advance: Callable[[int], bool],
        is_cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._now = now
        self._advance = advance
        self._is_cancelled = is_cancelled
        self._first = self._current = Task(1, None)
        self._tasks = [self._first]
        self._threads: list[threading.Thread] = []
        self._processes: dict[int, tuple[Task, Callable[[int], bool] | None]] = {}
        self._stop: BaseException | None = None
        self._is_closing = False
        self._last_pid = 0
        self._steps_left: int | None = None
        self.has_threads = True
        """False where threads cannot be started (a browser): then each process runs to its end at once."""

    def new_pid(self) -> int:
        """A number that no process had before."""
        self._last_pid += 1
        return self._last_pid

    # ---- called by whoever runs --------------------------------------------------------------

    def check(self) -> None:
        """Raise what ends this process: a cancelled run, or a signal. Called at every step of a shell."""
        if self._stop is None and self._is_cancelled is not None and self._is_cancelled():
            self._stop = Cancelled()
        if self._stop is not None:
            raise Cancelled
        task = self._current
        if task.verdict is not None:
            verdict, task.verdict = task.verdict, None
            raise verdict
        if self._steps_left is not None and task is not self._first:
            self._steps_left -= 1
            if self._steps_left < 0:
                raise Killed(SIGKILL, task.pid)

    def start(self, body: Callable[[], int], *, pid: int) -> Task:
        """Begin a process next to the others; it runs when the caller first waits."""
        task = Task(pid, body)
        if self.has_threads:
            thread = threading.Thread(
                target=self._live, args=(task,), name=f"simulated pid {pid}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                self.has_threads = False
            else:
                task.thread = thread
                self._threads = [old for old in self._threads if old.is_alive()]
                self._threads.append(thread)
                self._tasks.append(task)
                return task
        before, self._current = self._current, task
        self._run(task)
        self._current = before
        self._raise_stop()
        return task

    def block(self, can_go_on: Callable[[], bool]) -> None:
        """Wait until ``can_go_on()``; meanwhile others run."""
        self.check()
        if can_go_on():
            return
        task = self._current
        task.can_go_on = can_go_on
        try:
            self._hand_over()
        finally:
            task.can_go_on = None
        self.check()

    def let_others_run(self) -> None:
        """Let everybody else run until they wait or end; then go on."""
        if len(self._tasks) > 1:
            self.check()
            self._hand_over()
            self.check()

    def sleep(self, nanoseconds: int) -> None:
        """Let so much time of the simulation pass; the others go on meanwhile."""
        self.check()
        task = self._current
        task.wakes_at_ns = self._now() + nanoseconds
        try:
            self._hand_over()
        finally:
            task.wakes_at_ns = None
        self.check()

    # ---- signals ------------------------------------------------------------------------------

    @contextmanager
    def enrolled(self, pid: int, handler: Callable[[int], bool] | None = None) -> Iterator[None]:
        """While it lasts, signals can be sent to ``pid``; ``handler`` says whether it takes one itself."""
        before = self._processes.get(pid)
        self._processes[pid] = (self._current, handler)
        try:
            yield
        finally:
            if before is None:
                del self._processes[pid]
            else:
                self._processes[pid] = before

    def signal(self, pid: int, signal: int) -> bool:
        """Send a signal; whether there is such a process. Signal 0 only asks."""
        found = self._processes.get(pid)
        if found is None:
            task = next((task for task in self._tasks if task.pid == pid and not task.done), None)
            if task is None:
                return False
            found = (task, None)
        task, handler = found
        if signal and not (handler is not None and handler(signal)):
            task.verdict = Killed(signal, pid)
            if task is self._current:
                self.check()
        return True

    # ---- the end ------------------------------------------------------------------------------

    def finish(self) -> None:
        """End of the first process: the others run on until they wait or sleep, then they are killed."""
        self._steps_left = _STEPS_AFTER_THE_END
        while others := [task for task in self._tasks[1:] if not task.done]:
            if not any(task.is_ready for task in others):
                for task in others:
                    task.verdict = Killed(SIGKILL, task.pid)
            self._hand_over()

    def shut_down(self) -> None:
        """Unwind every process that is still there; leaves no thread behind."""
        self._is_closing = True
        self._stop = self._stop or Cancelled()
        for task in self._tasks[1:]:
            self._current = task
            task.give_turn()
            if task.thread is not None:
                task.thread.join(_SECONDS_TO_UNWIND)
        for thread in self._threads:
            thread.join(_SECONDS_TO_UNWIND)
        self._first = self._current = Task(1, None)
        self._tasks, self._threads = [self._first], []
        self._stop, self._is_closing, self._steps_left = None, False, None

    # ---- the baton ----------------------------------------------------------------------------

    def _live(self, task: Task) -> None:
        task.await_turn()
        self._run(task)
        if not self._is_closing:
            following = self._next(task)
            self._current = following
            following.give_turn()

    def _run(self, task: Task) -> None:
        assert task.body is not None, "only the first task has no body"
        try:
            self.check()
            task.status = task.body()
        except Killed as killed:
            task.status = 128 + killed.signal
        except Cancelled:
            task.status = 128 + SIGKILL
        except BaseException as error:  # it crosses to the first thread, which raises it again
            self._stop = self._stop or error
        task.done = True

    def _hand_over(self) -> None:
        task = self._current
        following = self._next(task)
        if following is not task:
            self._current = following
            following.give_turn()
            try:
                task.await_turn()
            except BaseException as error:
                # Ctrl-C reaches the main thread while it waits for its turn: whoever runs must stop.
                self._stop = error
                raise
        self._raise_stop()

    def _raise_stop(self) -> None:
        if self._stop is not None:
            if self._current is self._first and not isinstance(self._stop, Cancelled):
                raise self._stop
            raise Cancelled

    def _next(self, task: Task) -> Task:
        """Who runs next: the next ready one in order of birth, going round from ``task``."""
        if self._stop is not None:
            return self._first
        at = self._tasks.index(task)
        if task.done:
            del self._tasks[at]
            order = self._tasks[at:] + self._tasks[:at]
        else:
            order = self._tasks[at + 1 :] + self._tasks[: at + 1]
        while (ready := next((other for other in order if other.is_ready), None)) is None:
            alarms = [other.wakes_at_ns for other in order if other.wakes_at_ns is not None]
            if not alarms:
                self._stop = DeadlockError(
                    "every process of this command waits for another one: it would never end",
                    "look for a pipe that nobody writes to, or a wait for a process that waits itself",
                )
                return self._first
            if not self._advance(max(0, min(alarms) - self._now())):
                if self._is_cancelled is not None and self._is_cancelled():  # and signals arrive
                    self._stop = Cancelled()
                    return self._first
                continue
            for other in order:
                if other.wakes_at_ns is not None and other.wakes_at_ns <= min(alarms):
                    other.wakes_at_ns = None
        return ready
