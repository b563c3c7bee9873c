"""Lines to be put in order (a Parsons problem), judged by building the Dockerfile that they make.

``checks.py`` has ``lines(seed)``, the right lines and wrong ones that were mixed in, and
``judge(attempt, starter)``, where the starter is all lines that ``STARTER`` names, in its order. In
order.json stand all lines, shuffled; a learner moves them and deletes those that do not belong.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from course.check import Question, Text, Verdict, Wrong, fits
from course.grader.authoring import asked_of
from course.grader.document import opened, written
from course.grader.kind import Conditions, Judgement
from course.grader.kinds.layers import Planned
from course.grader.limited import judge_in_child

if TYPE_CHECKING:
    from course.exercise import Exercise


class _Parsons(Planned):
    __slots__ = ()

    def questions(self, exercise: Exercise, seed: str) -> Sequence[Question]:
        group, given = next(iter(exercise.groups)), {"lines": in_order(exercise, seed)}
        return [Question("order", group, Text("question"), list[str], ["FROM scratch"], given=given)]

    def starter(self, exercise: Exercise, seed: str) -> bytes:
        return written(exercise, seed, self.key, shuffled(exercise, seed))

    def judge(self, exercise: Exercise, submission: bytes, seed: str, conditions: Conditions) -> Judgement:
        return judge_in_child(exercise, submission, seed, conditions)


kind: Final = _Parsons("order")


def in_order(exercise: Exercise, seed: str) -> list[str]:
    """All lines as checks.py has them: for the programs of an exercise, which pick among them."""
    return asked_of(exercise, lambda: list(exercise.checks.lines(exercise.seed(seed))))


def shuffled(exercise: Exercise, seed: str) -> list[str]:
    """All lines, as a learner with ``seed`` finds them."""
    lines = in_order(exercise, seed)
    return random.Random(exercise.seed(seed)).sample(lines, len(lines))


def verdicts(exercise: Exercise, submission: bytes, seed: str) -> list[Verdict]:
    """What the child finds."""
    from course.grader.attempt import judged  # the builder, which only the child needs

    order = opened(exercise, submission, seed, kind.key)
    left = shuffled(exercise, seed)
    if not isinstance(order, list) or not fits(order, list[str]):
        return _all_wrong(
            exercise, Wrong(how="form", fields={"form": "list[str]", "detail": str(order)[:200]})
        )
    for line in order:
        if line not in left:
            how = "line-twice" if order.count(line) > 1 else "line-unknown"
            return _all_wrong(exercise, Wrong(how=how, shown=line))
        left.remove(line)
    starter = "\n".join(exercise.checks.STARTER) + "\n"
    return judged(exercise, "\n".join(order) + "\n", starter)


def _all_wrong(exercise: Exercise, wrong: Wrong) -> list[Verdict]:
    return [Verdict(group, wrong) for group in exercise.groups]
