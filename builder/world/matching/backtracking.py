"""Regular expressions with back references, searched in steps that can be stopped.

No automaton knows what a group held, so ways through the expression are tried one after another, as ``re``
does it; but what has been tried is remembered, and somebody is asked now and then whether to go on: with
``re``, ``\\(a*\\)*\\1b`` on a line of sixty ``a`` would end neither by itself nor when its time is over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from builder.world.matching.automaton import Found, Step, program

_STEPS_BETWEEN_CHECKS: Final = 4096
_MOST_REMEMBERED: Final = 200_000


class Backtracker:
    """A compiled expression. ``check`` is called every few thousand steps and may raise."""

    def __init__(self, source: bytes, flags: int, groups: int, check: Callable[[], None]) -> None:
        self._steps = program(source, flags, references=True)
        self._groups = groups
        self._check = check
        self._ignores_case = bool(flags & re.IGNORECASE)
        self._count = 0
        self._referred = tuple(sorted({step.refers for step in self._steps if step.refers >= 0}))

    def search(
        self, text: bytes, start: int = 0, *, anchored: bool = False, whole: bool = False
    ) -> Found | None:
        """The leftmost match at or after ``start``, there the longest.

        ``anchored``: it begins at ``start``; ``whole``: it ends where the text ends.
        """
        for begin in range(start, start + 1 if anchored else len(text) + 1):
            found = self._from(text, begin, whole=whole)
            if found is not None:
                return Found(text, found)
        return None

    def _from(self, text: bytes, begin: int, *, whole: bool) -> tuple[int, ...] | None:
        best: tuple[int, ...] | None = None
        nothing = (-1,) * (2 * self._groups + 1)
        waiting: list[tuple[int, int, tuple[int, ...]]] = [(0, begin, (begin, *nothing))]
        seen: set[tuple[int, ...]] = set()
        while waiting:
            self._count += 1
            if self._count % _STEPS_BETWEEN_CHECKS == 0:
                self._check()
            number, place, places = waiting.pop()
            step = self._steps[number]
            if step.ways:
                # Where ways part or meet again is where the same may be tried twice, or for ever.
                key = (number, place, *(places[end] for group in self._referred for end in _ends(group)))
                if key in seen:
                    continue
                if len(seen) >= _MOST_REMEMBERED:
                    seen.clear()
                seen.add(key)
                waiting.extend((way, place, places) for way in reversed(step.ways))
            elif step.saves >= 0:
                saved = (*places[: step.saves], place, *places[step.saves + 1 :])
                waiting.append((number + 1, place, saved))
            elif step.looks is not None:
                if step.looks(text, place):
                    waiting.append((number + 1, place, places))
            elif step.refers >= 0:
                end = self._repeated(text, place, places, step)
                if end is not None:
                    waiting.append((number + 1, end, places))
            elif step.bytes_ is not None:
                if place < len(text) and text[place] in step.bytes_:
                    waiting.append((number + 1, place + 1, places))
            elif (not whole or place == len(text)) and (best is None or place > best[1]):
                best = (begin, place, *places[2:])
                if place == len(text):
                    break
        return best

    def _repeated(self, text: bytes, place: int, places: tuple[int, ...], step: Step) -> int | None:
        """Where what a group held ends if it stands at ``place`` again."""
        begin, end = (places[each] for each in _ends(step.refers))
        if begin < 0 or end < begin:
            return None
        held, there = text[begin:end], text[place : place + end - begin]
        same = held.lower() == there.lower() if self._ignores_case else held == there
        return place + len(held) if same else None


def _ends(group: int) -> tuple[int, int]:
    return 2 * group, 2 * group + 1
