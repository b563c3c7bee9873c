"""References and mutants of exercises that are answered in a file: programs that answer, as learners do.

``answer(question)`` in reference.py is the right answer; ``answer(question, right)`` in a mutant is what
somebody with the misconception would say. They are the author's own and run in the grader.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from course.check import ABSENT, Question
from course.grader.authoring import asked_of, required

if TYPE_CHECKING:
    from course.exercise import Exercise


def answer_of(exercise: Exercise, part: Path | None, question: Question) -> object:
    """What the program in the file ``part`` answers to ``question``; without one, what is right."""
    if part is None:
        return right_answer(exercise, question)
    module = exercise.module_of(part)
    if part == exercise.part("reference"):
        return asked_of(exercise, lambda: module.answer(question))
    return asked_of(exercise, lambda: module.answer(question, right_answer(exercise, question)))


def right_answer(exercise: Exercise, question: Question) -> object:
    """The key, else what the reference answers."""
    if question.key is ABSENT:
        return answer_of(exercise, required(exercise, "reference"), question)
    if question.choices and isinstance(question.key, str):
        return question.letter(question.key)
    return question.key
