"""Processes take turns: one runs at a time, in the same order always, and none is left behind."""

from __future__ import annotations

import threading

import pytest

from builder.world.machine.pipe import pipe
from builder.world.machine.scheduler import Cancelled, Killed, Scheduler
from builder.world.machine.stopped import DeadlockError


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, nanoseconds: int) -> bool:
        self.now_ns += nanoseconds
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scheduler(clock: Clock) -> Scheduler:
    return Scheduler(now=clock, advance=clock.advance)


def test_a_process_starts_when_the_first_one_waits(scheduler: Scheduler) -> None:
    said: list[str] = []
    task = scheduler.start(lambda: said.append("child") or 0, pid=2)
    said.append("parent")

    scheduler.block(lambda: task.done)

    assert said == ["parent", "child"]


def test_processes_run_in_the_order_of_their_birth(scheduler: Scheduler) -> None:
    said: list[int] = []
    tasks = [scheduler.start(lambda n=n: said.append(n) or 0, pid=n) for n in (2, 3, 4)]  # type: ignore[misc]

    scheduler.block(lambda: all(task.done for task in tasks))

    assert said == [2, 3, 4]


def test_the_clock_moves_only_when_all_sleep(scheduler: Scheduler, clock: Clock) -> None:
    woke: list[tuple[str, int]] = []

    def sleeper() -> int:
        scheduler.sleep(5)
        woke.append(("child", clock.now_ns))
        return 0

    scheduler.start(sleeper, pid=2)
    scheduler.sleep(9)
    woke.append(("parent", clock.now_ns))

    assert woke == [("child", 5), ("parent", 9)]


def test_a_writer_waits_for_room_and_a_reader_for_bytes(scheduler: Scheduler) -> None:
    reader, writer = pipe(scheduler)

    def produce() -> int:
        writer.write(b"x" * 300_000)
        writer.close()
        return 0

    scheduler.start(produce, pid=2)

    assert reader.read(-1) == b"x" * 300_000


def test_a_pipe_without_a_reader_breaks(scheduler: Scheduler) -> None:
    reader, writer = pipe(scheduler)
    reader.close()

    with pytest.raises(BrokenPipeError):
        writer.write(b"x")


def test_a_second_descriptor_keeps_the_pipe_open(scheduler: Scheduler) -> None:
    reader, writer = pipe(scheduler)
    other = writer.duplicate()
    writer.close()
    writer.close()
    other.write(b"late")
    other.close()

    assert reader.read(-1) == b"late"


def test_waiting_for_each_other_is_an_error_and_no_hang(scheduler: Scheduler) -> None:
    scheduler.start(lambda: scheduler.block(lambda: False) or 0, pid=2)  # type: ignore[func-returns-value]

    with pytest.raises(DeadlockError, match="would never end"):
        scheduler.block(lambda: False)

    scheduler.shut_down()


def test_an_error_in_another_process_reaches_the_first_one(scheduler: Scheduler) -> None:
    def fail() -> int:
        raise KeyError("inner")

    task = scheduler.start(fail, pid=2)

    with pytest.raises(KeyError, match="inner"):
        scheduler.block(lambda: task.done)


def test_shutting_down_unwinds_whoever_still_waits_and_leaves_no_thread(scheduler: Scheduler) -> None:
    unwound: list[str] = []

    def wait_for_ever() -> int:
        try:
            scheduler.block(lambda: False)
        finally:
            unwound.append("yes")
        return 0

    before = threading.active_count()
    scheduler.start(wait_for_ever, pid=2)
    scheduler.let_others_run()

    scheduler.shut_down()

    assert (unwound, threading.active_count()) == (["yes"], before)


def test_a_cancelled_run_raises_in_whoever_runs(clock: Clock) -> None:
    scheduler = Scheduler(now=clock, advance=clock.advance, is_cancelled=lambda: True)

    with pytest.raises(Cancelled):
        scheduler.check()


def test_a_signal_ends_a_process_that_waits(scheduler: Scheduler) -> None:
    task = scheduler.start(lambda: scheduler.block(lambda: False) or 0, pid=7)  # type: ignore[func-returns-value]
    scheduler.let_others_run()

    assert scheduler.signal(7, 15)
    scheduler.block(lambda: task.done)

    assert task.status == 128 + 15


def test_a_signal_that_is_handled_ends_nobody(scheduler: Scheduler) -> None:
    taken: list[int] = []

    with scheduler.enrolled(9, lambda signal: taken.append(signal) is None):
        scheduler.signal(9, 10)

    assert taken == [10]


def test_a_signal_to_oneself_raises_at_once(scheduler: Scheduler) -> None:
    with scheduler.enrolled(9), pytest.raises(Killed) as killed:
        scheduler.signal(9, 9)

    assert (killed.value.signal, killed.value.pid) == (9, 9)


def test_a_signal_to_nobody_says_so(scheduler: Scheduler) -> None:
    assert not scheduler.signal(4711, 15)


def test_at_the_end_the_others_may_finish_but_not_sleep(scheduler: Scheduler) -> None:
    said: list[str] = []

    def worker() -> int:
        said.append("works")
        scheduler.sleep(10**9)
        said.append("never")
        return 0

    task = scheduler.start(worker, pid=2)
    scheduler.finish()

    assert (said, task.status) == (["works"], 128 + 9)


def test_without_threads_each_process_runs_to_its_end_at_once(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    reader, writer = pipe(scheduler)

    def produce() -> int:
        writer.write(b"y" * 200_000)
        writer.close()
        return 3

    task = scheduler.start(produce, pid=2)

    assert (task.done, task.status, len(reader.read(-1))) == (True, 3, 200_000)


def test_a_sleep_that_is_cut_short_goes_on_unless_all_is_over() -> None:
    clock, moved, over = Clock(), list[int](), list[bool]()

    def advance(nanoseconds: int) -> bool:
        moved.append(nanoseconds)
        clock.now_ns += 10
        over.extend([True] * (len(moved) == 3))
        return False

    scheduler = Scheduler(now=clock, advance=advance, is_cancelled=lambda: bool(over))

    with pytest.raises(Cancelled):
        scheduler.sleep(100)

    assert moved == [100, 90, 80]
