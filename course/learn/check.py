"""``layerlab learn check``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from course.exercise import Exercise
from course.grader import report
from course.grader.grade import grade
from course.grader.kind import Conditions, Isolation
from course.grader.sandbox import best_isolation
from course.learn.desk import Desk, at_the_desk
from course.learn.start import default_folder


@click.command()
@click.argument("exercise_id", metavar="ID")
@click.argument("submission", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("--seed", help="Chooses the random cases  [default: that of `start`]")
@click.option("--json", "as_json", is_flag=True, help="As JSON (Exercism test-runner schema 3, with points).")
@at_the_desk
def command(desk: Desk, exercise_id: str, submission: Path | None, seed: str | None, *, as_json: bool) -> int:
    """Grade FILE (default: the file that `start` made). Exit status 1 if anything fails.

    \b
    Example:
      layerlab learn check 1.3 1.3-resolve/resolve.py
    """
    exercise = desk.course.find(exercise_id)
    submission = submission or submission_of(exercise)
    isolation = best_isolation()
    if isolation is Isolation.NONE and exercise.kind == "function":
        desk.session.say(desk.say("no-isolation-warning"))
    conditions = Conditions(isolation, progress=show_progress)
    result = grade(exercise, submission, seed=desk.seed_of(exercise, seed), conditions=conditions)
    desk.progress.checked(exercise.id, result.points, exercise.points)
    if as_json:
        desk.session.print(report.as_json(result, desk.say))
    for line in () if as_json else report.as_text(result, desk.say):
        desk.session.print(line)
    return 0 if result.passed else 1


def submission_of(exercise: Exercise) -> Path:
    """Where a learner's file lies if none is named: here, else in the folder that `start` makes."""
    here = Path(exercise.file)
    return here if here.exists() else default_folder(exercise) / exercise.file


def show_progress(done: int, cases: int) -> None:
    """Show how far the grading is, on a terminal's stderr only."""
    if sys.stderr.isatty():
        click.echo(f"\r{done}/{cases} ", err=True, nl=done == cases)
