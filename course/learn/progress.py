"""``layerlab learn progress``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from course.exercise import Exercise
from course.learn.desk import Desk, at_the_desk
from course.learn.word import Word


@click.command("progress", cls=Word)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@at_the_desk
def command(desk: Desk, *, as_json: bool) -> None:
    """Show what you did: first and best scores, hints, and how right your predictions were.

    \b
    Example:
      layerlab learn progress
    """
    rows = [row_of(desk, exercise) for exercise in desk.exercises()]
    if as_json:
        desk.session.json(rows)
        return
    touched = [row for row in rows if row["state"] != "new" or row["predictions"]]
    if not touched:
        desk.session.print(desk.say("none-started"))
        desk.session.print(desk.say("how-to-begin"))
        return
    columns = [desk.say(f"columns.{name}") for name in ("exercise", "first", "best", "hints", "predictions")]
    desk.session.table(columns, [_cells(row) for row in touched])
    for line in summary(desk, touched):
        desk.session.print(line)


def row_of(desk: Desk, exercise: Exercise) -> dict[str, object]:
    """What is known of one exercise."""
    progress = desk.progress
    return {
        "id": exercise.id,
        "state": progress.state(exercise.id),
        "of": exercise.points,
        "first": progress.number(exercise.id, "first"),
        "best": progress.number(exercise.id, "best"),
        "hints": progress.number(exercise.id, "hints") or 0,
        "predictions": [dict(each) for each in progress.predictions(exercise.id)],
    }


def _cells(row: Mapping[str, object]) -> list[str]:
    predictions = row["predictions"]
    assert isinstance(predictions, list)
    told = " ".join(f"{each.get('right')}/{each.get('of')}" for each in predictions)
    return [str(row["id"]), _or_dash(row["first"]), _or_dash(row["best"]), str(row["hints"]), told]


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def summary(desk: Desk, rows: Sequence[Mapping[str, object]]) -> list[str]:
    """The gain from the test before to the test after, and how right predictions were against how sure."""
    lines = []
    every: list[Mapping[str, object]] = []
    for row in rows:
        predictions = row["predictions"]
        assert isinstance(predictions, list)
        every += predictions
        before, after = (
            _accuracy([e for e in predictions if e.get("phase") == p]) for p in ("before", "after")
        )
        if before is not None and after is not None:
            lines.append(desk.say("gain", id=row["id"], before=before, after=after))
    accuracy = _accuracy(every)
    sure = [each["confidence"] for each in every if isinstance(each.get("confidence"), int)]
    if accuracy is not None:
        lines.append(desk.say("accuracy", percent=accuracy))
    if accuracy is not None and sure:
        mean = round(sum(sure) / len(sure))  # type: ignore[arg-type]  # filtered above
        verdict = "over" if mean > accuracy + 15 else "under" if mean < accuracy - 15 else "well"
        lines.append(desk.say(f"confidence.{verdict}", percent=mean))
    return lines


def _accuracy(predictions: Sequence[Mapping[str, object]]) -> int | None:
    """Percent of the answers that were right."""
    pairs = [(each.get("right"), each.get("of")) for each in predictions]
    known = [(right, of) for right, of in pairs if isinstance(right, int) and isinstance(of, int) and of]
    return round(100 * sum(r for r, _ in known) / sum(of for _, of in known)) if known else None
