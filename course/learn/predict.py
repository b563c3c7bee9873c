"""``layerlab learn predict``: predict, run, see, explain; an answer is sealed before it is resolved."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Final, TextIO

import click

from builder.errors import BuildError
from course.check import ABSENT, LETTERS, Question
from course.exercise import Exercise
from course.grader import report
from course.grader.kind import Conditions, Isolation, kind_of
from course.grader.kinds.prediction import spelt
from course.grader.programs import right_answer
from course.grader.showing import shortened_json
from course.learn.desk import Desk, at_the_desk
from course.learn.start import form_in_words
from course.learn.word import Word
from course.problems.listing import entries
from course.problems.operations import run
from course.problems.stacks import fresh
from unionfs_sim import Union
from unionfs_sim.events import CopiedUp, OpaqueMade, RedirectMade, WhiteoutMade

FORWARDS: Final = "2.1"
BACKWARDS: Final = "2.2"
"""The exercise that gives an upper and asks for the operations."""


@click.command("predict", cls=Word)
@click.argument("exercise_id", metavar="[ID]", required=False)
@click.option("--seed", help="Chooses the questions  [default: that of `start`, else practice]")
@click.option("--before", "phase", flag_value="before", help="The test before a module: `progress` compares.")
@click.option("--after", "phase", flag_value="after", help="The test after a module.")
@click.option("--invert", is_flag=True, help="The other way round: given the upper, name the operations.")
@click.option("--real", is_flag=True, help="Ask the kernel's overlayfs too (Linux).")
@click.option("--only", multiple=True, metavar="QUESTION", help="Only this question; can be repeated.")
@at_the_desk
def command(
    desk: Desk,
    exercise_id: str | None,
    seed: str | None,
    phase: str | None,
    only: tuple[str, ...],
    *,
    invert: bool,
    real: bool,
) -> int:
    """Predict question by question, then see what happens and why; nothing is graded.

    Answers are read from the terminal. A list or a table is typed a line each and ends with an empty line; an
    empty answer leaves the question out.

    \b
    Example:
      echo 2 | layerlab learn predict 1.4 --seed 7 --only cat-1
    """
    exercise = desk.find(exercise_id or (BACKWARDS if invert else FORWARDS))
    if exercise.kind not in ("prediction", "choice"):
        raise BuildError(desk.say("predict.wrong-kind", id=exercise.id))
    seed = phase or desk.seed_of(exercise, seed)
    questions = kind_of(exercise).questions(exercise, seed)
    if unknown := set(only) - {question.name for question in questions}:
        known = ", ".join(question.name for question in questions)
        raise BuildError(desk.say("predict.no-question", name=min(unknown)), fix=known)
    chosen = [question for question in questions if not only or question.name in only]
    answers = dict(asked(desk, exercise, chosen, sys.stdin))
    if not answers:
        desk.session.print(desk.say("predict.nothing"))
        return 1
    confidence = sure(desk, sys.stdin)
    seal = sealed(exercise, seed, answers, confidence)
    desk.session.print(desk.say("predict.sealed", seal=seal))
    right = 0
    for question in chosen:
        if question.name in answers:
            right += tell(desk, exercise, seed, question, answers[question.name], real=real)
    of = len(answers)
    desk.progress.predicted(
        exercise.id,
        {"seed": seed, "phase": phase, "right": right, "of": of, "confidence": confidence, "seal": seal},
    )
    desk.session.print("")
    desk.session.print(desk.say("predict.score", right=right, of=of))
    return 0


def asked(
    desk: Desk, exercise: Exercise, questions: Sequence[Question], stream: TextIO
) -> Iterator[tuple[str, object]]:
    """The answers that are typed, by the names of their questions; those left out are left out."""
    texts = desk.say.exercise(exercise)
    for question in questions:
        desk.session.print(f"\n── {question.name}: {texts(question.text.id, **question.text.fields)}")
        for line in question.shown.splitlines():
            desk.session.print(f"    {line}")
        for letter, choice in zip(LETTERS, question.choices, strict=False):
            desk.session.print(f"    {letter}  {texts(choice.id, **choice.fields)}")
        desk.session.print(desk.say("answer-form", form=form_in_words(question.form, desk.say)))
        desk.session.out.flush()
        answer = typed(question.form, stream)
        if answer is not None:
            yield question.name, answer


def typed(form: object, stream: TextIO) -> object:
    """An answer of the form ``form`` as people type it; None if nothing was typed.

    >>> import io
    >>> typed(list[str], io.StringIO("/etc\\n/etc/motd\\n\\n"))
    ['/etc', '/etc/motd']
    >>> typed(dict[str, str], io.StringIO("/etc opaque dir\\n"))
    {'/etc': 'opaque dir'}
    """
    name = spelt(form)
    first = stream.readline().strip()
    if not first:
        return None
    if first[0] in '[{"' or name in ("int", "bool"):
        return _json(first)
    if name.startswith("list[int"):
        return [_json(word) for word in first.replace(",", " ").split()]
    if not name.startswith(("list", "dict")):
        return first
    lines = [first]
    while line := stream.readline().strip():
        lines.append(line)
    if name.startswith("list"):
        return lines
    pairs = (line.replace(":", " ", 1).split(None, 1) for line in lines if line != "{}")
    return {pair[0]: pair[1] if len(pair) > 1 else "" for pair in pairs}


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # of no right form, and told so


def sure(desk: Desk, stream: TextIO) -> int | None:
    """How sure the learner is, in percent; None if that is not said."""
    desk.session.print(f"\n{desk.say('predict.confidence')}")
    desk.session.out.flush()
    word = stream.readline().strip().removesuffix("%")
    return int(word) if word.isdecimal() and len(word) < 4 and int(word) <= 100 else None


def sealed(exercise: Exercise, seed: str, answers: dict[str, object], confidence: int | None) -> str:
    """A digest of a prediction: proves later what was predicted before the solution was seen."""
    said = [exercise.id, exercise.generator, seed, answers, confidence]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def tell(
    desk: Desk, exercise: Exercise, seed: str, question: Question, answer: object, *, real: bool
) -> bool:
    """Say what happens and whether that was predicted; gives whether it was."""
    document = {"exercise": exercise.id, "seed": seed, "answers": {question.name: answer}}
    conditions = Conditions(Isolation.NO_CODE)
    verdicts = kind_of(exercise).judge(exercise, json.dumps(document).encode(), seed, conditions).verdicts
    questions = kind_of(exercise).questions(exercise, seed)
    place = [each.name for each in questions].index(question.name)
    wrong = verdicts[place].wrong
    texts = desk.say.exercise(exercise)
    desk.session.print(f"\n{'✗' if wrong else '✓'} {question.name}")
    if wrong is not None:
        because = f"reasons.{wrong.because}" if wrong.because else f"groups.{question.group}.misconception"
        desk.session.print(f"  {texts(because, **wrong.fields)}")
        if wrong.shown != question.shown:
            for line in report.details(wrong, texts, desk.say):
                desk.session.print(line)
        if question.key is not ABSENT:
            right = shortened_json(right_answer(exercise, question))
            desk.session.print("  " + desk.say("predict.right", answer=right))
    lowers, lines = question.given.get("lowers"), question.given.get("lines")
    if question.judge is None and isinstance(lowers, list) and isinstance(lines, list) and lines:
        for line in frames(fresh(lowers), lines):
            desk.session.print(f"    {line}")
        if real:
            from course.problems.kernel import replayed  # Linux alone, and seldom asked

            seen = replayed(lowers, lines)
            union = fresh(lowers)
            for line in lines:
                run(union, line)
            assert union.upper is not None
            agrees = seen.upper == entries(union.upper)
            said = desk.say("predict.kernel-agrees" if agrees else "predict.kernel-differs")
            desk.session.print(f"  {said}")
            if not agrees:
                desk.session.print(f"    {shortened_json(seen.upper)}")
    return wrong is None


def frames(union: Union, lines: Sequence[str]) -> Iterator[str]:
    """Each operation, and what it did to the layers: a picture an operation, in words."""
    happened: list[str] = []

    def hear(event: object) -> None:
        match event:
            case CopiedUp(path=path, size_bytes=size):
                happened.append(f"copy-up {path} ({size} B)")
            case WhiteoutMade(path=path):
                happened.append(f"whiteout {path}")
            case OpaqueMade(path=path):
                happened.append(f"opaque {path}")
            case RedirectMade(path=path):
                happened.append(f"redirect {path}")

    union.events.subscribe(hear)
    for line in lines:
        happened.clear()
        run(union, line)
        yield f"$ {line}" + (f"   → {', '.join(happened)}" if happened else "")
