"""``layerlab learn mutant``: a learner's wrong answer, kept for good."""

from __future__ import annotations

from pathlib import Path

import click

from builder.errors import BuildError
from course.learn.desk import Desk, at_the_desk
from course.learn.word import Word
from course.teaching.mutant import make_mutant
from course.teaching.results import Results


@click.command("mutant", cls=Word)
@click.argument("exercise_id", metavar="ID")
@click.argument("which", metavar="LEARNER|BEHAVIOUR")
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="The folder of results.",
)
@click.option("--name", required=True, help="What it is called: its misconception, such as bottom_up.")
@at_the_desk
def command(desk: Desk, exercise_id: str, which: str, results: Path, name: str) -> int:
    """Make a wrong answer of the class a mutant of the exercise; `learn report` names them.

    \b
    Example:
      layerlab learn mutant 1.3 ada --results results --name first_layer_only --course my-course
    """
    exercise = desk.course.find(exercise_id)
    folder = Results(results, exercise.id)
    chosen = [each for each in folder.read() if which in (each.learner, each.document["behaviour"])]
    if not chosen:
        raise BuildError(
            f"there is no result of {which!r}", where=str(folder.place), fix="layerlab learn report DIR"
        )
    path = make_mutant(exercise, chosen[0], folder.submission(chosen[0]), name)
    desk.session.print(f"{path}: caught by {chosen[0].failed[0]}, {chosen[0].points} points at most")
    desk.session.say(f"read it for names of people; then:  layerlab learn verify {exercise.id}")
    return 0
