"""``layerlab learn reset``."""

from __future__ import annotations

from pathlib import Path

import click

from course.grader.kind import kind_of
from course.learn.desk import Desk, at_the_desk
from course.learn.word import Word


@click.command("reset", cls=Word)
@click.argument("exercise_id", metavar="ID")
@click.argument("submission", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@at_the_desk
def command(desk: Desk, exercise_id: str, submission: Path | None) -> None:
    """Begin an exercise anew: forget its scores and hints, keep FILE under another name, write a fresh one.

    \b
    Example:
      layerlab learn reset 1.3
    """
    exercise = desk.find(exercise_id)
    file = desk.submission(exercise, submission)
    seed = desk.seed_of(exercise, None)
    desk.progress.forget(exercise.id)
    if not file.exists():
        desk.session.print(desk.say("forgotten", id=exercise.id))
        return
    kept = free_name(file)
    file.rename(kept)
    file.write_bytes(kind_of(exercise).starter(exercise, seed))
    desk.progress.begin(exercise.id, seed, file)
    desk.session.print(desk.say("reset", id=exercise.id, file=file, kept=kept))


def free_name(file: Path) -> Path:
    """A name beside ``file`` that nothing has, such as ``resolve.1.py``."""
    number = 1
    while (name := file.with_name(f"{file.stem}.{number}{file.suffix}")).exists():
        number += 1
    return name
