"""``layerlab learn check``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from course.exercise import Exercise
from course.grader import report
from course.grader.grade import Result, grade
from course.grader.kind import Conditions, Isolation
from course.learn.desk import Desk, at_the_desk
from course.learn.word import Word


@click.command("check", cls=Word)
@click.argument("exercise_id", metavar="[ID]", required=False)
@click.argument("submission", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("--seed", help="Chooses the random cases  [default: that of `start`]")
@click.option("--json", "as_json", is_flag=True, help="As JSON (Exercism test-runner schema 3, with points).")
@at_the_desk
def command(
    desk: Desk, exercise_id: str | None, submission: Path | None, seed: str | None, *, as_json: bool
) -> int:
    """Grade FILE (default: the file that `start` made). Exit status 1 if anything fails.

    \b
    Example:
      layerlab learn check 1.3 1.3-resolve/resolve.py
    """
    exercise = desk.chosen(exercise_id)
    result = graded(desk, exercise, desk.submission(exercise, submission), seed)
    if as_json:
        desk.session.print(report.as_json(result, desk.say))
    for line in () if as_json else report.as_text(result, desk.say):
        desk.session.print(line)
    return 0 if result.passed else 1


def graded(desk: Desk, exercise: Exercise, submission: Path, seed: str | None) -> Result:
    """The result of a file, noted in the learner's progress; warns where nothing holds a submission."""
    isolation = Isolation.NO_CODE
    if exercise.kind == "function":
        from course.grader.sandbox import best_isolation  # processes, which not every platform has

        isolation = best_isolation()
    if isolation is Isolation.NONE:
        desk.session.say(desk.say("no-isolation-warning"))
    conditions = Conditions(isolation, progress=show_progress)
    result = grade(exercise, submission, seed=desk.seed_of(exercise, seed), conditions=conditions)
    if result.refused is None or result.refused[0] != "no-file":
        failing = report.first_failure(result)
        desk.progress.checked(
            exercise.id, result.points, exercise.points, failing.name if failing is not None else ""
        )
    return result


def show_progress(done: int, cases: int) -> None:
    """Show how far the grading is, on a terminal's stderr only."""
    if sys.stderr.isatty():
        click.echo(f"\r{done}/{cases} ", err=True, nl=done == cases)
