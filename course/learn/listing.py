"""``layerlab learn list``."""

from __future__ import annotations

import click

from course.learn.desk import Desk, at_the_desk
from course.learn.word import Word


@click.command("list", cls=Word)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@at_the_desk
def command(desk: Desk, *, as_json: bool) -> None:
    """List the exercises and how far you are.

    \b
    Example:
      layerlab learn list
    """
    rows = [
        {
            "id": exercise.id,
            "title": desk.say.exercise(exercise)("title"),
            "kind": exercise.kind,
            "points": exercise.points,
            "state": desk.progress.state(exercise.id),
        }
        for exercise in desk.exercises()
    ]
    if as_json:
        desk.session.json(rows)
        return
    for row in rows:
        state = desk.say(f"state.{row['state']}")
        desk.session.print(f"{row['id']:<5} {row['title']}  ({state})")
