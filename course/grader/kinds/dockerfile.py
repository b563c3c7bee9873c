"""A Dockerfile, built in memory in a limited child and judged by what came out.

``checks.py`` has ``judge(attempt, starter)``, which yields verdicts; both are Attempts. The files of
``given/`` are the build context.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from course.check import Question, Verdict
from course.grader.authoring import handed_in, required
from course.grader.kind import Conditions, Judgement, RefusedError
from course.grader.limited import judge_in_child

if TYPE_CHECKING:
    from course.exercise import Exercise


class _DockerfileKind:
    suffix = ".Dockerfile"

    def questions(self, exercise: Exercise, seed: str) -> Sequence[Question]:
        return ()

    def starter(self, exercise: Exercise, seed: str) -> bytes:
        return required(exercise, "starter").read_bytes()

    def submission(self, exercise: Exercise, part: Path | None, seed: str) -> bytes:
        return handed_in(exercise, part)

    def judge(self, exercise: Exercise, submission: bytes, seed: str, conditions: Conditions) -> Judgement:
        return judge_in_child(exercise, submission, seed, conditions)

    def faults(self, exercise: Exercise, seed: str) -> Iterator[str]:
        return iter(())


kind: Final = _DockerfileKind()


def verdicts(exercise: Exercise, submission: bytes, seed: str) -> list[Verdict]:
    """What the child finds."""
    from course.grader.attempt import judged  # the builder, which only the child needs

    return judged(exercise, decoded(submission), required(exercise, "starter").read_text(encoding="utf-8"))


def decoded(submission: bytes) -> str:
    """The text that was handed in; refuses what is none."""
    try:
        return submission.decode()
    except UnicodeDecodeError as error:
        raise RefusedError("not-text", str(error)) from None
