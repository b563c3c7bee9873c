"""``layerlab learn hint``."""

from __future__ import annotations

import click

from course.learn.desk import Desk, at_the_desk


@click.command()
@click.argument("exercise_id", metavar="ID")
@at_the_desk
def command(desk: Desk, exercise_id: str) -> None:
    """Show the next hint, from vague to precise.

    \b
    Example:
      layerlab learn hint 1.3
    """
    exercise = desk.course.find(exercise_id)
    hints = exercise.text(desk.say.language)["hints"]
    assert isinstance(hints, list)
    number = desk.progress.next_hint(exercise.id, len(hints))
    desk.session.print(desk.say("hint-of", number=number, all=len(hints), hint=hints[number - 1]))
    if number == len(hints):
        desk.session.print(desk.say("no-more-hints"))
