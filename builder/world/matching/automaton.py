"""Regular expressions in time proportional to the text, for those on which ``re`` would never end.

``re`` backtracks: ``(a*)*b`` costs it twice as much for every further ``a``, and while it works nothing can
stop it. Here all ways through an expression are followed at once, one byte after another (K. Thompson,
"Regular expression search algorithm", 1968; R. Pike's addition: each way carries its groups). Slower than
``re`` where that is harmless, so ``regex.Pattern`` asks here only where it is not.

What is read is the source that ``regex`` writes for ``re``: atoms of one byte, groups, alternatives,
repetitions, and what is true between two bytes. Back references are ``backtracking``'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

MAX_STEPS: Final = 20_000
"""Steps of a program; an expression with larger counts is left to ``re``."""

Looks: TypeAlias = Callable[[bytes, int], bool]
"""Whether something holds between two bytes: at a place of a text."""

_LOOKS: Final = (rb"(?=\w)", rb"(?<=\w)", rb"\b", rb"\B", rb"\A", rb"\Z", rb"^", rb"$")
_REPEAT: Final = re.compile(rb"([*+?])|\{(\d+),(\d*)\}")
_REFERENCE: Final = re.compile(rb"\\([1-9])")
_ATOM: Final = re.compile(rb"\[\^?(?:\\.|[^\]\\])+\]|\\x[0-9a-f]{2}|\\[^1-9]|[^()|\\]", re.DOTALL)


class TooMuchError(Exception):
    """An expression that no program of this kind is made for."""


@dataclass(frozen=True, slots=True)
class Found:
    """A match, asked as one of ``re`` is. ``places``: begin and end of the whole and of each group, or -1."""

    text: bytes
    places: tuple[int, ...]

    def span(self) -> tuple[int, int]:
        """Begin and end of the match."""
        return self.places[0], self.places[1]

    def start(self) -> int:
        """Where it begins."""
        return self.places[0]

    def end(self) -> int:
        """Where it ends."""
        return self.places[1]

    def __getitem__(self, group: int) -> bytes | None:
        begin, end = self.places[2 * group], self.places[2 * group + 1]
        return self.text[begin:end] if begin >= 0 and end >= 0 else None


@dataclass(slots=True)
class Step:
    """One step: read a byte of ``bytes_``, look, save a place, or go on at ``ways``, the preferred first.

    ``refers``: read once more what that group held. A step that does nothing is the end.
    """

    bytes_: frozenset[int] | None = None
    looks: Looks | None = None
    saves: int = -1
    refers: int = -1
    ways: list[int] = field(default_factory=list)


class Automaton:
    """A compiled expression. Raises TooMuchError if it has back references or is too large."""

    def __init__(self, source: bytes, flags: int, groups: int) -> None:
        self._groups = groups
        self._steps = program(source, flags)

    def search(
        self, text: bytes, start: int = 0, *, anchored: bool = False, whole: bool = False
    ) -> Found | None:
        """The leftmost match at or after ``start``, there the longest.

        ``anchored``: it begins at ``start``; ``whole``: it ends where the text ends.
        """
        best: tuple[int, ...] | None = None
        threads: dict[int, tuple[int, ...]] = {}
        nothing = (-1,) * (2 * self._groups + 2)
        for place in range(start, len(text) + 1):
            if best is None and (place == start or not anchored):
                self._follow(0, (place, *nothing[1:]), text, place, threads)
            elif not threads:
                break
            byte = text[place] if place < len(text) else -1
            following: dict[int, tuple[int, ...]] = {}
            for number, places in threads.items():
                step = self._steps[number]
                if best is not None and places[0] > best[0]:
                    continue
                if step.bytes_ is None:  # the end of the expression
                    if not whole or place == len(text):
                        reached = (places[0], place, *places[2:])
                        if best is None or places[0] < best[0] or place > best[1]:
                            best = reached
                elif byte in step.bytes_:
                    self._follow(number + 1, places, text, place + 1, following)
            threads = following
        return Found(text, best) if best is not None else None

    def _follow(
        self,
        number: int,
        places: tuple[int, ...],
        text: bytes,
        place: int,
        threads: dict[int, tuple[int, ...]],
    ) -> None:
        """Add the steps that read, or end, reached from ``number`` without reading; the preferred first."""
        waiting = [(number, places)]
        seen: set[int] = set()
        while waiting:
            number, places = waiting.pop()
            if number in seen or number in threads:
                continue
            seen.add(number)
            step = self._steps[number]
            if step.ways:
                waiting.extend((way, places) for way in reversed(step.ways))
            elif step.saves >= 0:
                saved = (*places[: step.saves], place, *places[step.saves + 1 :])
                waiting.append((number + 1, saved))
            elif step.looks is not None:
                if step.looks(text, place):
                    waiting.append((number + 1, places))
            else:
                threads[number] = places


def program(source: bytes, flags: int, *, references: bool = False) -> list[Step]:
    """The steps of an expression; TooMuchError if it is too large, or has back references unasked."""
    steps: list[Step] = []
    _Compiler(source, flags, steps, references=references).compile()
    return steps


class _Compiler:
    """Reads the source once and writes steps; every construct is entered at its first step."""

    def __init__(self, source: bytes, flags: int, steps: list[Step], *, references: bool) -> None:
        self._references = references
        self._source, self._flags, self._steps = source, flags, steps
        self._at = 0
        self._group = 0

    def compile(self) -> None:
        """Write the whole program; its last step is the end."""
        self._alternatives()
        if self._at < len(self._source):
            raise TooMuchError
        self._add(Step())

    def _add(self, step: Step) -> int:
        if len(self._steps) >= MAX_STEPS:
            raise TooMuchError
        self._steps.append(step)
        return len(self._steps) - 1

    def _peek(self, text: bytes) -> bool:
        return self._source.startswith(text, self._at)

    def _alternatives(self) -> None:
        begin = len(self._steps)
        self._sequence()
        ends: list[int] = []
        while self._peek(b"|"):
            self._at += 1
            self._shift(begin, 1)
            ends.append(self._add(Step()))
            self._steps[begin].ways = [begin + 1, len(self._steps)]
            begin = len(self._steps)
            self._sequence()
        for end in ends:
            # Where a jump leads must be a step of its own: the end of the expression reads nothing.
            self._steps[end].ways = [len(self._steps)]

    def _shift(self, begin: int, by: int) -> None:
        """Make room for ``by`` steps at ``begin``; ways behind it lead where they led."""
        for _ in range(by):
            self._steps.insert(begin, Step())
        if len(self._steps) > MAX_STEPS:
            raise TooMuchError
        for step in self._steps[begin + by :]:
            step.ways = [way + by if way >= begin else way for way in step.ways]

    def _sequence(self) -> None:
        while self._at < len(self._source) and not self._peek(b"|") and not self._peek(b")"):
            begin = len(self._steps)
            self._piece()
            match = _REPEAT.match(self._source, self._at)
            if match is not None:
                self._at = match.end()
                self._repeat(begin, match)

    def _piece(self) -> None:
        look = next((look for look in _LOOKS if self._peek(look)), None)
        if look is not None:
            self._at += len(look)
            self._add(Step(looks=_looks(look, self._flags)))
        elif self._peek(b"(?:"):
            self._at += 3
            self._alternatives()
            self._close()
        elif self._peek(b"(?"):
            raise TooMuchError
        elif self._peek(b"("):
            self._at += 1
            self._group += 1
            group = self._group
            self._add(Step(saves=2 * group))
            self._alternatives()
            self._add(Step(saves=2 * group + 1))
            self._close()
        elif self._references and (match := _REFERENCE.match(self._source, self._at)):
            self._at = match.end()
            self._add(Step(refers=int(match[1])))
        else:
            self._atom()

    def _close(self) -> None:
        if not self._peek(b")"):
            raise TooMuchError
        self._at += 1

    def _atom(self) -> None:
        match = _ATOM.match(self._source, self._at)
        if match is None:
            raise TooMuchError
        self._at = match.end()
        atom = re.compile(match[0], self._flags)
        self._add(Step(bytes_=frozenset(byte for byte in range(256) if atom.match(bytes([byte])))))

    def _repeat(self, begin: int, match: re.Match[bytes]) -> None:
        """Write the piece that begins at ``begin`` as often as ``match`` says."""
        least = int(match[1] == b"+") if match[1] else int(match[2])
        most = 1 if match[1] == b"?" else int(match[3]) if match[3] else None
        body = [replace(s, ways=[way - begin for way in s.ways]) for s in self._steps[begin:]]
        del self._steps[begin:]
        for _ in range(least):
            self._copy(body)
        if most is None:
            self._loop(body)
        else:
            self._optional(body, most - least)

    def _copy(self, body: list[Step]) -> None:
        begin = len(self._steps)
        for step in body:
            self._add(replace(step, ways=[way + begin for way in step.ways]))

    def _loop(self, body: list[Step]) -> None:
        fork = self._add(Step())
        self._copy(body)
        self._add(Step(ways=[fork]))
        self._steps[fork].ways = [fork + 1, len(self._steps)]

    def _optional(self, body: list[Step], times: int) -> None:
        forks = []
        for _ in range(times):
            forks.append(self._add(Step()))
            self._copy(body)
        for fork in forks:
            self._steps[fork].ways = [fork + 1, len(self._steps)]


def _looks(look: bytes, flags: int) -> Looks:
    compiled = re.compile(look, flags)
    return lambda text, place: compiled.match(text, place) is not None
