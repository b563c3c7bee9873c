"""A plan in plan.json: judged by constraints, each a group.

``checks.py`` has ``questions(seed)``, which yields one question (what to plan), and ``judge(plan, seed)``,
which yields verdicts. Nothing is built, no code of the learner runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from course.check import Question, Verdict, Wrong, fits
from course.grader.authoring import asked_of
from course.grader.document import opened, written
from course.grader.kind import Conditions, Isolation, Judgement
from course.grader.kinds.prediction import spelt
from course.grader.programs import answer_of
from course.grader.showing import shortened_json as shortened

if TYPE_CHECKING:
    from course.exercise import Exercise


@dataclass(frozen=True, slots=True)
class Planned:
    """The kind of exercises that are answered by one JSON value, under ``key``."""

    key: str
    suffix: str = ".json"

    def questions(self, exercise: Exercise, seed: str) -> Sequence[Question]:
        """The one question."""
        return asked_of(exercise, lambda: list(exercise.checks.questions(exercise.seed(seed))))

    def starter(self, exercise: Exercise, seed: str) -> bytes:
        """A plan of nothing."""
        empty: object = {} if fits({}, self.questions(exercise, seed)[0].form) else []
        return written(exercise, seed, self.key, empty)

    def submission(self, exercise: Exercise, part: Path | None, seed: str) -> bytes:
        """The plan that a program of the exercise makes."""
        if part is not None and part.suffix != ".py":
            return part.read_bytes()
        return written(exercise, seed, self.key, answer_of(exercise, part, self.questions(exercise, seed)[0]))

    def judge(self, exercise: Exercise, submission: bytes, seed: str, conditions: Conditions) -> Judgement:
        """What the constraints say."""
        return Judgement(planned(exercise, submission, seed, self), Isolation.NO_CODE)

    def faults(self, exercise: Exercise, seed: str) -> Iterator[str]:
        """More than one question, or none."""
        count = len(self.questions(exercise, seed))
        if count != 1:
            yield f"questions(seed) yields {count} questions; this kind has one"


def planned(exercise: Exercise, submission: bytes, seed: str, kind: Planned) -> list[Verdict]:
    """The verdicts on the value that stands in a document."""
    question = kind.questions(exercise, seed)[0]
    plan = opened(exercise, submission, seed, kind.key)
    if not fits(plan, question.form):
        fields = {
            "form": spelt(question.form),
            "example": shortened(question.example),
            "detail": shortened(plan),
        }
        return [Verdict(group, Wrong(how="form-like", fields=fields)) for group in exercise.groups]
    return asked_of(exercise, lambda: list(exercise.checks.judge(plan, exercise.seed(seed))))


kind: Final = Planned("plan")
