"""``layerlab learn hint``."""

from __future__ import annotations

import click

from course.learn.desk import Desk, at_the_desk
from course.learn.word import Word


@click.command("hint", cls=Word)
@click.argument("exercise_id", metavar="[ID]", required=False)
@at_the_desk
def command(desk: Desk, exercise_id: str | None) -> None:
    """Show the next hint, from vague to precise; first the one for what failed last, if there is one.

    \b
    Example:
      layerlab learn hint 1.3
    """
    exercise = desk.chosen(exercise_id)
    texts = desk.say.exercise(exercise)
    failing = desk.progress.failing(exercise.id)
    own = f"groups.{failing}.hint"
    if failing:
        desk.session.print(desk.say("failed-last", title=texts(f"groups.{failing}.title")))
    if own in texts.ids() and desk.progress.hinted_group(exercise.id) != failing:
        desk.progress.hint_group(exercise.id, failing)
        desk.session.print(texts(own))
        return
    hints = texts.sentences["hints"]
    assert isinstance(hints, list)
    number = desk.progress.next_hint(exercise.id, len(hints))
    desk.session.print(desk.say("hint-of", number=number, all=len(hints), hint=hints[number - 1]))
    if number == len(hints):
        desk.session.print(desk.say("no-more-hints"))
