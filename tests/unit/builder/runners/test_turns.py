"""Turns in one root: one at a time, in the order in which they asked."""

import threading

from builder.runners.turns import Turns


def test_who_waits_has_a_turn_when_it_is_left_or_over_and_in_order() -> None:
    turns, said = Turns(), list[str]()
    first_has_it, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with turns.held():
            first_has_it.set()
            go_on.wait(30)
            said.append("first")
            turns.give_way()
            said.append("first again")
            with turns.left():
                pass
            said.append("first last")

    def other(name: str) -> None:
        with turns.held():
            said.append(name)

    one = threading.Thread(target=first)
    one.start()
    first_has_it.wait(30)
    others = []
    for name in ("second", "third"):
        others.append(threading.Thread(target=other, args=(name,)))
        others[-1].start()
        while turns.waiting < len(others):
            pass
    go_on.set()
    for thread in (one, *others):
        thread.join(30)

    assert said == ["first", "second", "third", "first again", "first last"]


def test_a_turn_is_kept_where_nobody_waits() -> None:
    turns = Turns()

    with turns.held():
        turns.give_way()

        assert turns.waiting == 0
