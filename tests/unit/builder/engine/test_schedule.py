"""What does not depend on each other is done at the same time, where threads can be started."""

from __future__ import annotations

import itertools
import threading

import pytest

from builder.engine.schedule import Schedule, Stopped


def schedule(count: int, *, workers: int = 4) -> Schedule[int]:
    return Schedule(range(count), workers=workers, stop=threading.Event())


@pytest.fixture
def no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)


def test_pieces_are_done_at_the_same_time() -> None:
    meeting = threading.Barrier(3)

    def work(number: int) -> int:
        meeting.wait(10)
        return number * 2

    assert schedule(3).run(work) == [0, 2, 4]


def test_where_no_thread_can_start_pieces_are_done_one_after_another(no_thread: None) -> None:
    running = schedule(3)
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        return sum(running.result(before) for before in range(number)) + 1

    assert running.run(work) == [1, 2, 4]
    assert done == [0, 1, 2]


def test_where_only_some_threads_can_start_they_do_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    left = itertools.chain([True], itertools.repeat(False))

    def once(self: threading.Thread) -> None:
        if not next(left):
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", once)

    assert schedule(4).run(lambda number: number) == [0, 1, 2, 3]


@pytest.mark.parametrize("workers", [1, 4])
def test_the_first_failure_in_order_is_raised_and_stops_the_others(workers: int) -> None:
    running = schedule(3, workers=workers)

    def work(number: int) -> int:
        if number == 1:
            raise ValueError("one")
        if number == 2:
            running.result(1)
        return number

    with pytest.raises(ValueError, match="one"):
        running.run(work)


def test_work_that_waits_for_what_failed_is_stopped_without_a_thread(no_thread: None) -> None:
    running = schedule(2)

    def work(number: int) -> int:
        raise ValueError(str(number))

    with pytest.raises(ValueError, match="0"):
        running.run(work)
    with pytest.raises(ValueError, match="0"):
        running.result(0)


def test_nothing_begins_once_it_was_stopped() -> None:
    stop = threading.Event()
    stop.set()

    with pytest.raises(Stopped):
        Schedule(range(2), workers=1, stop=stop).run(lambda number: number)
