"""Otter-Grader: autograder.zip whose tests ask layerlab, and marks as `otter grade` writes them.

https://otter-grader.readthedocs.io/en/latest/test_files/python_format.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from course.exercise import Exercise
from course.teaching.export import Wishes
from course.teaching.export.bundle import bundle
from course.teaching.marks import as_csv
from course.teaching.results import Graded

_TESTS: Final = '''\
"""Asks layerlab once, in a sandbox, about the file that was handed in; a test for each group."""

import functools
import json
import os
import pathlib
import subprocess
import tempfile

from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = None


@functools.cache
def graded():
    grade = next(folder / "grade.sh" for folder in FOLDERS if (folder / "grade.sh").exists())
    with tempfile.TemporaryDirectory() as place:
        said = os.path.join(place, "results.json")
        subprocess.run(["sh", str(grade), os.getcwd(), said], check=True, capture_output=True)
        return {{test["name"]: test for test in json.loads(pathlib.Path(said).read_text()).get("tests", [])}}


FOLDERS = [pathlib.Path.cwd(), pathlib.Path.cwd().parent]


def passes(group):
    test = graded().get(group)
    assert test is not None, {instead!r}
    assert test["score"] == test["max_score"], test["output"]

'''
_TEST: Final = """
@test_case(name={group!r}, points={points})
def test_{number}():
    passes({group!r})

"""


class _Otter:
    def package(self, exercise: Exercise, wishes: Wishes) -> Mapping[str, bytes]:
        instead = f"Hand in one file {exercise.file}."
        files = bundle(exercise, wishes.seed, "gradescope", json.dumps({"score": 0, "output": instead}))
        tests = _TESTS.format(name=exercise.id, instead=instead) + "".join(
            _TEST.format(group=name, points=group.points, number=number)
            for number, (name, group) in enumerate(exercise.groups.items(), 1)
        )
        needed = files.pop("requirements.txt")
        return {
            "otter_config.json": json.dumps({"lang": "python", "show_stdout": False}, indent=2).encode()
            + b"\n",
            "requirements.txt": needed + b"otter-grader\n",
            "tests/layerlab.py": tests.encode(),
            **{f"files/{path}": content for path, content in files.items()},
        }

    def marks(self, exercise: Exercise, results: Sequence[Graded]) -> Mapping[str, bytes]:
        head = ["file", *exercise.groups, "percent_correct", "total_points_earned"]
        rows = [
            [
                each.learner,
                *(test["points"] for test in each.tests),
                each.points / each.of_points,
                each.points,
            ]
            for each in results
        ]
        return {"final_grades.csv": as_csv([head, *rows]).encode()}


platform: Final = _Otter()
