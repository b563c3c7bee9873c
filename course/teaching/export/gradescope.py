"""Gradescope: a zip with an autograder, and results.json (Gradescope, "Autograder Specifications").

https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from course.exercise import Exercise
from course.teaching.export import Wishes, one_or_many
from course.teaching.export.bundle import bundle
from course.teaching.results import Graded

_SETUP: Final = """#!/usr/bin/env bash
apt-get update && apt-get install -y python3 python3-pip bubblewrap
python3 -m pip install -r /autograder/source/requirements.txt ||
    python3 -m pip install --break-system-packages -r /autograder/source/requirements.txt
"""
_RUN: Final = """#!/usr/bin/env bash
sh /autograder/source/grade.sh /autograder/submission /autograder/results/results.json
"""


class _Gradescope:
    def package(self, exercise: Exercise, wishes: Wishes) -> Mapping[str, bytes]:
        instead = json.dumps({"score": 0, "output": f"Hand in one file {exercise.file}."})
        files = bundle(exercise, wishes.seed, "gradescope", instead)
        return {**files, "setup.sh": _SETUP.encode(), "run_autograder": _RUN.encode()}

    def marks(self, exercise: Exercise, results: Sequence[Graded]) -> Mapping[str, bytes]:
        documents = [json.dumps(document(each), indent=2).encode() + b"\n" for each in results]
        return one_or_many(results, documents, "results.json")


platform: Final = _Gradescope()


def document(graded: Graded) -> dict[str, object]:
    """A result as results.json."""
    said = graded.document
    return {
        "score": graded.points,
        "output": str(said["message"] or "") + f"\nisolation: {said['isolation']}",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {name: said[name] for name in ("exercise", "exercise_version", "seed", "isolation")},
        "tests": [
            {
                "name": test["name"],
                "score": test["points"],
                "max_score": test["max_points"],
                "status": "passed" if test["status"] == "pass" else "failed",
                "output": test["message"] or "",
                "output_format": "text",
                "visibility": "visible",
            }
            for test in graded.tests
        ],
    }
