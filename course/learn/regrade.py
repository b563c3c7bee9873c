"""``layerlab learn regrade``: the same submissions by the exercise as it is now."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import click

from course.exercise import Exercise
from course.learn.desk import Desk, at_the_desk
from course.learn.grade import Progress
from course.learn.word import Word
from course.teaching.batch import usual_jobs
from course.teaching.grading import Run
from course.teaching.holding import holding
from course.teaching.regrade import Change, changes
from course.teaching.results import Graded, Results, results_in
from course.teaching.submissions import Submission


@click.command("regrade", cls=Word)
@click.argument("results", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--against",
    metavar="OLD",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder of results to grade again.",
)
@click.option("--jobs", type=click.IntRange(1, 256), help="How many at a time  [default: one a processor]")
@click.option(
    "--patience",
    type=click.FloatRange(0.1, 100),
    default=1.0,
    show_default=True,
    help="Multiplies every time limit, for a busy machine.",
)
@click.option("--unsafe", is_flag=True, help="Grade even where nothing holds a submission.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@at_the_desk
def command(
    desk: Desk,
    results: Path,
    against: Path,
    jobs: int | None,
    patience: float,
    *,
    unsafe: bool,
    as_json: bool,
) -> int:
    """Grade again what OLD holds, into DIR, and say whose marks change and why. OLD is only read.

    \b
    Example:
      layerlab learn regrade results-2 --against results
    """
    told: dict[str, list[Change]] = {}
    problems: list[str] = []
    for old in results_in(against):
        exercise = desk.course.find(old.exercise_id)
        before = old.read()
        run = Run(exercise, Results(results, exercise.id), holding(exercise, is_unsafe=unsafe), patience)
        progress = Progress(desk, len(before), time.monotonic())
        submissions = [_handed_in(old, each) for each in before]
        run.grade(submissions, jobs=jobs or usual_jobs(), step=progress.step)
        told[exercise.id] = list(changes(before, run.results.read()))
        problems += run.problems
        if not as_json:
            _tell(desk, exercise, len(before), told[exercise.id])
    for problem in problems:
        desk.session.say(problem)
    if as_json:
        desk.session.json({name: [_row(each) for each in found] for name, found in told.items()})
    return 1 if problems else 0


def _handed_in(old: Results, graded: Graded) -> Submission:
    place = str(old.submission_path(graded))
    return Submission(graded.learner, place, partial(old.submission, graded), str(graded.document["seed"]))


def _tell(desk: Desk, exercise: Exercise, count: int, found: list[Change]) -> None:
    desk.session.print(f"{exercise.id}: {len(found)} of {count} change")
    for each in found:
        desk.session.print(f"{each.learner}: {each.before} → {each.after} ({each.why})")
        for group in each.groups:
            desk.session.print(f"    {group.name}: {group.before} → {group.after}: {group.why}")


def _row(change: Change) -> dict[str, object]:
    groups = [
        {"group": each.name, "before": each.before, "after": each.after, "why": each.why}
        for each in change.groups
    ]
    learner = {"learner": change.learner, "before": change.before, "after": change.after}
    return {**learner, "why": change.why, "groups": groups}
