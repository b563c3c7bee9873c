"""Predictions: questions made from a seed, answered in answers.json, each judged by its key or by replay.

``checks.py`` has ``questions(seed)``. A question with ``choices`` asks for an explanation: the letter of one
of several statements, each a known misconception but one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from course.check import ABSENT, Question, Verdict, Wrong, fits, same
from course.grader.authoring import asked_of, made_once
from course.grader.document import opened, written
from course.grader.kind import Conditions, Isolation, Judgement, RefusedError
from course.grader.programs import answer_of
from course.grader.showing import shortened_json as shortened

if TYPE_CHECKING:
    from course.exercise import Exercise


@dataclass(frozen=True, slots=True)
class Prediction:
    """The kind of all exercises that are answered question by question."""

    suffix: str = ".json"

    def questions(self, exercise: Exercise, seed: str) -> Sequence[Question]:
        """What checks.py asks for this seed."""

        def made() -> list[Question]:
            asked: Iterable[Question] = exercise.checks.questions(exercise.seed(seed))
            return [replace(each, form=str, example=ABSENT) if each.choices else each for each in asked]

        return made_once(exercise, seed, made)

    def starter(self, exercise: Exercise, seed: str) -> bytes:
        """All questions, unanswered."""
        unanswered = {question.name: None for question in self.questions(exercise, seed)}
        return written(exercise, seed, "answers", unanswered)

    def submission(self, exercise: Exercise, part: Path | None, seed: str) -> bytes:
        """The answers that a program of the exercise gives."""
        if part is not None and part.suffix != ".py":
            return part.read_bytes()
        answers = {
            question.name: answer_of(exercise, part, question) for question in self.questions(exercise, seed)
        }
        return written(exercise, seed, "answers", answers)

    def judge(self, exercise: Exercise, submission: bytes, seed: str, conditions: Conditions) -> Judgement:
        """A verdict on each question."""
        questions = self.questions(exercise, seed)
        answers = opened(exercise, submission, seed, "answers")
        if not isinstance(answers, dict):
            raise RefusedError("not-a-document", "answers")
        unknown = sorted(answers.keys() - {question.name for question in questions})
        if unknown:
            raise RefusedError("unknown-question", ", ".join(unknown)[:200])
        return Judgement([self._verdict(exercise, each, answers) for each in questions], Isolation.NO_CODE)

    def _verdict(self, exercise: Exercise, question: Question, answers: Mapping[str, object]) -> Verdict:
        wrong = _wrong(exercise, question, answers.get(question.name))
        if wrong is not None and not wrong.shown:
            wrong = replace(wrong, shown=question.name if not question.shown else question.shown)
        return Verdict(question.group, wrong)

    def faults(self, exercise: Exercise, seed: str) -> Iterator[str]:
        """Questions that cannot be answered, or that nobody can judge."""
        questions = self.questions(exercise, seed)
        names = [question.name for question in questions]
        if len(set(names)) != len(names):
            yield "two questions have one name"
        for question in questions:
            if (question.key is ABSENT) == (question.judge is None):
                yield f"question {question.name}: it needs a key or a judge, one of the two"
            if question.key is not ABSENT and not question.choices and not fits(question.key, question.form):
                yield f"question {question.name}: its key {question.key!r} is no {question.form}"
            known = [choice.id for choice in question.choices]
            for choice in (question.key, *question.shows.values()) if known else ():
                if choice not in known:
                    yield f"question {question.name}: {choice!r} is none of its choices"


def _wrong(exercise: Exercise, question: Question, answer: object) -> Wrong | None:
    """What is wrong with an answer; None if nothing is."""
    fields: dict[str, object] = {"question": question.name, "detail": shortened(answer)}
    if answer is None and not fits(None, question.form):
        return Wrong(how="unanswered", fields=fields)
    if not fits(answer, question.form):
        fields["form"] = spelt(question.form)
        if question.example is ABSENT:
            return Wrong(how="form", fields=fields)
        return Wrong(how="form-like", fields={**fields, "example": shortened(question.example)})
    if question.judge is not None:
        judge = question.judge
        found = asked_of(exercise, lambda: judge(answer))
        return found if found is None else replace(found, fields={**fields, **found.fields})
    if question.choices:
        shows: dict[str, object] = {
            name: question.letter(str(choice)) for name, choice in question.shows.items()
        }
        right: object = question.letter(str(question.key))
    else:
        shows, right = dict(question.shows), question.key
    if same(answer, right):
        return None
    if isinstance(answer, str) and isinstance(right, str) and right.isalpha():  # a word or a letter, no path
        means_it = answer.strip().casefold() == right.casefold()
        if means_it:
            return Wrong(how="spelling", fields={**fields, "right": right})
    because = next((name for name, betrayed in shows.items() if same(answer, betrayed)), "")
    if question.choices:
        return Wrong(because, how="chosen", fields=fields)
    how, place = difference(answer, right)
    if place:
        fields |= {"place": place, "detail": shortened(answer.get(place)) if isinstance(answer, dict) else ""}
    return Wrong(because, how=how, fields=fields)


def difference(answer: object, right: object) -> tuple[str, str]:
    """How a wrong answer differs first, as a catalogue id, and at which of its texts ("" if it has none).

    >>> difference({"/a": "file"}, {"/a": "file", "/b": "dir"}), difference(["/b", "/a"], ["/a", "/b"])
    (('predicted-less', '/b'), ('predicted-order', ''))
    """
    if isinstance(answer, dict) and isinstance(right, dict):
        other = sorted(name for name in answer.keys() & right.keys() if not same(answer[name], right[name]))
        if other and other[0] <= min(answer.keys() ^ right.keys(), default=other[0]):
            return "predicted-other", other[0]
    elif not (fits(answer, list[str]) and isinstance(answer, list) and isinstance(right, list)):
        return "predicted", ""
    less, more = sorted(set(right) - set(answer)), sorted(set(answer) - set(right))
    if less or more:
        return (
            ("predicted-less", less[0])
            if less and less[:1] <= (more[:1] or less)
            else ("predicted-more", more[0])
        )
    return "predicted-order" if isinstance(answer, list) else "predicted", ""


def spelt(form: object) -> str:
    """A form in few words.

    >>> spelt(list[str]), spelt(int)
    ('list[str]', 'int')
    """
    return form.__name__ if isinstance(form, type) and not hasattr(form, "__args__") else str(form)


kind: Final = Prediction()
