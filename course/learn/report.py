"""``layerlab learn report``: what a class understood and what it did not."""

from __future__ import annotations

import re
from pathlib import Path

import click

from builder.errors import BuildError
from course.exercise import Exercise, nearest
from course.figures.picture import write_whole
from course.grader.kind import Conditions
from course.learn.desk import Desk, at_the_desk
from course.learn.word import Word
from course.teaching.behaviours import Behaviour, behaviours
from course.teaching.holding import holding
from course.teaching.marks import groups_csv, marks_csv
from course.teaching.page import ClassResults, class_page, learner_page
from course.teaching.results import Graded, Results, file_stem, results_in

PATIENCE = 4.0


@click.command("report", cls=Word)
@click.argument("results", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("report"),
    show_default=True,
    help="The folder to write.",
)
@click.option(
    "--weight",
    "weights",
    multiple=True,
    metavar="ID=NUMBER",
    help="What an exercise counts for in the total  [default: what it says; predictions 0]",
)
@click.option("--unsafe", is_flag=True, help="Grade even where nothing holds a submission.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@at_the_desk
def command(
    desk: Desk, results: Path, output: Path, weights: tuple[str, ...], *, unsafe: bool, as_json: bool
) -> int:
    """Write what the results in DIR say: marks.csv, groups.csv, class.html, and a page for each learner.

    The class's page has marks, which misconceptions are shared, the hardest groups, and the wrong answers
    that no mutant explains; the page of a learner has his own results alone, in his language (--lang).

    \b
    Example:
      layerlab learn report results -o report
    """
    classes = [
        _class(desk.course.find(each.exercise_id), each, is_unsafe=unsafe) for each in results_in(results)
    ]
    by_exercise = {each.exercise.id: each.results for each in classes}
    counted = {each.exercise.id: each.exercise.weight for each in classes}
    for name, weight in map(_weight, weights):
        if name not in counted:
            raise BuildError(f"--weight {name}: there are no results of it", fix=nearest(name, counted))
        counted[name] = weight
    if as_json:
        desk.session.json({each.exercise.id: _summary(each) for each in classes})
        return 0
    try:
        (output / "learners").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildError(f"cannot write here: {error.strerror}", where=str(output)) from None
    write_whole(output / "marks.csv", marks_csv(by_exercise, counted).encode())
    write_whole(output / "groups.csv", groups_csv(by_exercise).encode())
    write_whole(output / "class.html", class_page(classes, desk.say, str(results)).encode())
    pages: dict[str, list[tuple[Exercise, Graded]]] = {}
    for each in classes:
        for graded in each.results:
            pages.setdefault(graded.learner, []).append((each.exercise, graded))
    for learner, theirs in pages.items():
        page = learner_page(learner, theirs, desk.say)
        write_whole(output / "learners" / f"{file_stem(learner)}.html", page.encode())
    desk.session.print(f"{output}: marks.csv, groups.csv, class.html, and {len(pages)} pages in learners/")
    return 0


def _weight(written: str) -> tuple[str, float]:
    """An exercise and what it counts for."""
    name, _, number = written.partition("=")
    if not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", number, re.ASCII):
        raise click.UsageError(f"--weight {written}: write an exercise and a number, such as 2.1=1")
    return name, float(number)


def _class(exercise: Exercise, results: Results, *, is_unsafe: bool) -> ClassResults:
    graded = results.read()
    conditions = Conditions(holding(exercise, is_unsafe=is_unsafe), PATIENCE)
    found = behaviours(exercise, graded, conditions)
    sources = {each.name: results.submission(each.example) for each in found if not each.mutant}
    return ClassResults(exercise, graded, found, sources)


def _summary(of: ClassResults) -> dict[str, object]:
    count = len(of.results)
    return {
        "learners": count,
        "mean": sum(each.points for each in of.results) / count,
        "max_points": of.exercise.points,
        "failed": {name: sum(name in each.failed for each in of.results) for name in of.exercise.groups},
        "behaviours": [_behaviour(each) for each in of.behaviours],
    }


def _behaviour(each: Behaviour) -> dict[str, object]:
    learners = [graded.learner for graded in each.results]
    return {"behaviour": each.name, "mutant": each.mutant or None, "learners": learners}
