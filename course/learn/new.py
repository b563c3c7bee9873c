"""``layerlab learn new``: an exercise of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from course.learn.word import Word
from course.teaching.scaffold import KINDS, scaffold


@click.command("new", cls=Word)
@click.argument("exercise_id", metavar="ID")
@click.option(
    "--kind",
    type=click.Choice(tuple(KINDS), case_sensitive=False),
    required=True,
    help="F: a function, P: predictions, D: a Dockerfile, Y: YAML.",
)
@click.option(
    "--course",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="The folder of exercises to put it into.",
)
def command(exercise_id: str, kind: str, course: Path) -> None:
    """Begin an exercise of your own in DIR: small, whole and verified, to be changed piece by piece.

    \b
    Example:
      layerlab learn new 9.1 --kind F --course my-exercises
      layerlab learn verify --course my-exercises
    """
    folder = scaffold(course, exercise_id, kind.upper())
    click.echo(f"{folder}: change README.en.md, checks.py and exercise.toml, then the rest")
    click.echo(f"after each change:  layerlab learn verify {exercise_id} --course {course}", err=True)
