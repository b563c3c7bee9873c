"""Wrong answers that are wrong in the same way, and the mutant that is wrong so, too, if there is one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from course.exercise import Exercise
from course.grader.authoring import required
from course.grader.grade import grade_bytes
from course.grader.kind import Conditions, kind_of
from course.teaching.results import Graded

SEEDS: Final = 4
"""With more seeds than these, behaviours are compared by what they betray, and not case by case."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Results that are wrong alike, the one with the shortest submission last. ``mutant``: "" for none."""

    name: str
    results: tuple[Graded, ...]
    mutant: str = ""

    @property
    def example(self) -> Graded:
        """One of them, the first by learner."""
        return self.results[0]


def behaviours(exercise: Exercise, results: Sequence[Graded], conditions: Conditions) -> list[Behaviour]:
    """How a class is wrong, the most frequent first; mutants are graded as the class was."""
    wrong = [each for each in results if each.document["behaviour"]]
    seeds = sorted({str(each.document["seed"]) for each in wrong})
    exactly = len(seeds) <= SEEDS
    by_name: dict[str, list[Graded]] = {}
    for each in wrong:
        by_name.setdefault(_name(each, exactly=exactly), []).append(each)
    known = {
        _name(graded, exactly=exactly): name
        for seed in seeds[: SEEDS if exactly else 1]
        for name, graded in _mutants(exercise, seed, conditions)
    }
    found = [Behaviour(name, tuple(alike), known.get(name, "")) for name, alike in by_name.items()]
    return sorted(found, key=lambda each: (-len(each.results), each.name))


def _name(graded: Graded, *, exactly: bool) -> str:
    behaviour = str(graded.document["behaviour"])
    if exactly or behaviour.startswith("refused"):
        return behaviour
    betrayed = [(test["name"], test["wrong"]["because"]) for test in graded.tests if test["wrong"]]
    return hashlib.sha256(repr(betrayed).encode()).hexdigest()[:16]


def _mutants(exercise: Exercise, seed: str, conditions: Conditions) -> Iterator[tuple[str, Graded]]:
    """The mutants that are here, graded; an installed course has none."""
    for mutant in exercise.mutants:
        if exercise.part(f"mutants/{mutant.name}") is None:
            continue
        handed = kind_of(exercise).submission(exercise, required(exercise, f"mutants/{mutant.name}"), seed)
        result = grade_bytes(exercise, handed, seed=seed, conditions=conditions)
        yield mutant.name, Graded.of(result, "", "", "")
