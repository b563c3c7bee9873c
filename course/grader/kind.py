"""What every kind of exercise does: asks, judges, and begins a learner's file.

Life of a submission: ``questions(exercise, seed)`` is what is asked, ``starter(…)`` the file that a learner
begins with, ``judge(…)`` what was found in the bytes handed in. A kind holds no state. Answers never leave
the grader: what is judged elsewhere (a sandbox, a limited child) is sent questions or the submission alone.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from course.check import Question, Verdict
from course.kinds import KINDS

if TYPE_CHECKING:
    from course.exercise import Exercise

SUBMISSION_BYTES: Final = 1 << 20


class Isolation(enum.Enum):
    """What stands between a submission and the machine; printed with every result."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    CONTAINER = "container"
    NONE = "none"
    CHILD = "limited child"
    NO_CODE = "no code runs"


@dataclass(frozen=True, slots=True)
class Conditions:
    """How to judge. ``patience`` multiplies every time limit; ``progress`` is told (done, all)."""

    isolation: Isolation
    patience: float = 1.0
    progress: Callable[[int, int], None] = lambda _done, _all: None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found, in the order of asking. ``printed``: what the submission itself printed."""

    verdicts: Sequence[Verdict]
    isolation: Isolation
    printed: bytes = b""


@dataclass(frozen=True)
class RefusedError(Exception):
    """A submission that cannot be judged at all. ``reason``: below ``[refused]`` in the catalogue."""

    reason: str
    detail: str = ""
    isolation: Isolation = field(default=Isolation.NO_CODE)


class Kind(Protocol):
    """One kind of exercise."""

    @property
    def suffix(self) -> str:
        """What follows the names of starter, reference and mutants of this kind, such as ``.py``."""
        ...

    def questions(self, exercise: Exercise, seed: str) -> Sequence[Question]:
        """What a learner with ``seed`` is asked beside the README; empty if the README says it all."""
        ...

    def starter(self, exercise: Exercise, seed: str) -> bytes:
        """The file that a learner begins with."""
        ...

    def submission(self, exercise: Exercise, part: Path | None, seed: str) -> bytes:
        """What a file of the exercise (reference, a mutant) hands in: itself, or what it answers.

        None stands for a reference that was not written, since every question has its key.
        """
        ...

    def judge(self, exercise: Exercise, submission: bytes, seed: str, conditions: Conditions) -> Judgement:
        """What was found in ``submission``; raises RefusedError if it cannot be judged."""
        ...

    def faults(self, exercise: Exercise, seed: str) -> Iterator[str]:
        """What is wrong with the exercise that only this kind can tell, a sentence each for its author."""
        ...


def kind_of(exercise: Exercise) -> Kind:
    """The kind of an exercise, loaded now."""
    kind: Kind = import_module(KINDS[exercise.kind].module).kind
    return kind
