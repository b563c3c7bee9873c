"""Classroom 50: autograder.py with its files, and result.json (its wiki, "Advanced Autograding").

https://github.com/foundation50/classroom50/wiki/Advanced-Autograding
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from course.exercise import Exercise
from course.teaching.export import Wishes, one_or_many
from course.teaching.export.bundle import bundle
from course.teaching.results import Graded

_SCHEMA: Final = "classroom50/result/v1"
_AUTOGRADER: Final = '''#!/usr/bin/env python3
"""Grades the checkout in the working directory and writes result.json there."""

import datetime
import json
import os
import pathlib
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
pip = [sys.executable, "-m", "pip", "install", "--quiet", "-r", str(here / "requirements.txt")]
subprocess.run(pip, check=False)
subprocess.run(["sh", str(here / "grade.sh"), os.getcwd(), os.path.abspath("result.json")], check=True)
result = json.loads(pathlib.Path("result.json").read_text())
told = {"classroom": "CLASSROOM", "assignment": "ASSIGNMENT", "submission": "SUBMISSION_TAG"}
told |= {"commit": "COMMIT_URL", "release": "RELEASE_URL", "review": "REVIEW_URL"}
result |= {name: os.environ.get(variable, "") for name, variable in told.items()}
result["review"] = result["review"] or result["commit"]
now = datetime.datetime.now(datetime.timezone.utc)
result["datetime"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
body = result.pop("body")
pathlib.Path("result.json").write_text(json.dumps(result, indent=2) + "\\n")
pathlib.Path("release-body.md").write_text(body)
'''


class _Classroom50:
    def package(self, exercise: Exercise, wishes: Wishes) -> Mapping[str, bytes]:
        lost: dict[str, object] = {
            "schema": _SCHEMA,
            "score": 0,
            "max-score": exercise.points,
            "tests": [
                {"test-name": name, "passed": False, "score": 0, "max-score": group.points}
                for name, group in exercise.groups.items()
            ],
            "body": f"Hand in one file {exercise.file}.\n",
        }
        files = bundle(exercise, wishes.seed, "classroom50", json.dumps(lost))
        return {**files, "autograder.py": _AUTOGRADER.encode()}

    def marks(self, exercise: Exercise, results: Sequence[Graded]) -> Mapping[str, bytes]:
        documents = [json.dumps(document(each), indent=2).encode() + b"\n" for each in results]
        return one_or_many(results, documents, "result.json")


platform: Final = _Classroom50()


def document(graded: Graded) -> dict[str, object]:
    """A result as result.json, without what the runner knows; ``body`` is for release-body.md."""
    lines = [f"### {graded.points}/{graded.of_points}", "", str(graded.document["message"] or "")]
    for test in graded.tests:
        lines += ["", f"**{test['name']}** {test['points']}/{test['max_points']}"]
        lines += ["", "```", str(test["message"]).replace("```", "'''"), "```"] if test["message"] else []
    return {
        "schema": _SCHEMA,
        "score": graded.points,
        "max-score": graded.of_points,
        "tests": [
            {
                "test-name": test["name"],
                "passed": test["status"] == "pass",
                "score": test["points"],
                "max-score": test["max_points"],
            }
            for test in graded.tests
        ],
        "body": "\n".join([*lines, "", f"isolation: {graded.document['isolation']}", ""]),
    }
