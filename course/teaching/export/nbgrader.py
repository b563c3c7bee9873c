"""nbgrader: a source notebook whose tests ask layerlab, and marks as `nbgrader export` writes them.

https://nbgrader.readthedocs.io/en/stable/contributor_guide/metadata.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from course.exercise import Exercise
from course.grader.kind import kind_of
from course.teaching.export import Wishes
from course.teaching.marks import as_csv
from course.teaching.results import Graded

_ASK: Final = """\
import json
import subprocess
import sys

# Graded once, in a sandbox: what was written above is not imported here.
asked = [sys.executable, "-I", "-m", "course", "learn", "check", {id!r}, {file!r}]
asked += ["--seed", {seed!r}, "--json"]
said = subprocess.run(asked, capture_output=True, text=True)
assert said.stdout, said.stderr
layerlab = {{test["name"]: test for test in json.loads(said.stdout)["tests"]}}
"""
_TEST: Final = """\
test = layerlab[{group!r}]
assert test["points"] == test["max_points"], test["message"]
"""
_COLUMNS: Final = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
)


class _Nbgrader:
    def package(self, exercise: Exercise, wishes: Wishes) -> Mapping[str, bytes]:
        starter = kind_of(exercise).starter(exercise, wishes.seed).decode()
        asked = _ASK.format(id=exercise.id, file=exercise.file, seed=wishes.seed)
        cells = [
            _cell("task", exercise.readme("en").read_text(encoding="utf-8"), is_code=False, is_locked=True),
            _cell("answer", f"%%writefile {exercise.file}\n{starter}"),
            _cell("layerlab", asked, is_locked=True),
            *(
                _cell(f"group-{name}", _TEST.format(group=name), is_locked=True, points=group.points)
                for name, group in exercise.groups.items()
            ),
        ]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        name = assignment(exercise)
        return {f"source/{name}/{name}.ipynb": json.dumps(notebook, indent=1).encode() + b"\n"}

    def marks(self, exercise: Exercise, results: Sequence[Graded]) -> Mapping[str, bytes]:
        name = assignment(exercise)
        rows = [
            [name, "", "", each.learner, "", "", "", each.points, 0, each.points, each.of_points]
            for each in results
        ]
        return {"grades.csv": as_csv([_COLUMNS, *rows]).encode()}


platform: Final = _Nbgrader()


def assignment(exercise: Exercise) -> str:
    """The exercise's name as an assignment's: letters, digits and -."""
    return re.sub(r"[^A-Za-z0-9]+", "-", f"{exercise.id}-{exercise.slug}").strip("-")


def _cell(
    grade_id: str, source: str, *, is_code: bool = True, is_locked: bool = False, points: int | None = None
) -> dict[str, object]:
    """A cell; what the learner edits has no metadata, and is kept as it is handed in."""
    about: dict[str, object] = {}
    if is_locked:
        about = {
            "schema_version": 3,
            "grade_id": grade_id,
            "grade": points is not None,
            "solution": False,
            "locked": True,
            "task": False,
            **({"points": points} if points is not None else {}),
        }
    cell: dict[str, object] = {
        "cell_type": "code" if is_code else "markdown",
        "id": grade_id,
        "metadata": {"nbgrader": about} if about else {},
        "source": source.splitlines(keepends=True),
    }
    return {**cell, "execution_count": None, "outputs": []} if is_code else cell
