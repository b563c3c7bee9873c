"""Marks as tables: a line a learner, and a line for each of his groups."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from builder.cli.session import visible
from course.teaching.results import Graded


def marks_csv(by_exercise: Mapping[str, Sequence[Graded]], weights: Mapping[str, float]) -> str:
    """A line a learner: points by exercise, and their weighted sum. Who has no result has an empty cell.

    ``weights``: by exercise; points of weight 0 are shown and do not count.
    """
    points: dict[str, dict[str, int]] = {}
    for exercise_id, results in by_exercise.items():
        for each in results:
            points.setdefault(each.learner, {})[exercise_id] = each.points
    head = ["learner", *by_exercise, "total"]
    rows = [
        [learner, *(scored.get(each, "") for each in by_exercise), _total(scored, weights)]
        for learner, scored in sorted(points.items())
    ]
    return as_csv([head, *rows])


def _total(scored: Mapping[str, int], weights: Mapping[str, float]) -> float:
    total = sum(points * weights[each] for each, points in scored.items())
    return int(total) if total == int(total) else round(total, 2)


def groups_csv(by_exercise: Mapping[str, Sequence[Graded]]) -> str:
    """A line for each group of each learner, with how it was graded."""
    head = [
        "learner",
        "exercise",
        "group",
        "status",
        "points",
        "max_points",
        "seed",
        "isolation",
        "submission",
    ]
    rows = [
        [
            each.learner,
            exercise_id,
            test["name"],
            test["status"] if each.document["status"] != "error" else "error",
            test["points"],
            test["max_points"],
            each.document["seed"],
            each.document["isolation"],
            each.document["submission"],
        ]
        for exercise_id, results in by_exercise.items()
        for each in results
        for test in each.tests
    ]
    return as_csv([head, *rows])


def as_csv(rows: Iterable[Sequence[object]]) -> str:
    """The rows as CSV (RFC 4180), for spreadsheets: no cell is a formula, and none steers a terminal."""
    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([_cell(each) for each in row])
    return text.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    shown = visible(value)
    # A spreadsheet computes what begins so; OWASP, "CSV Injection".
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown
