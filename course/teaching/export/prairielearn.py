"""PrairieLearn: a question with an external grader, and results.json (PrairieLearn, "External Grading").

https://docs.prairielearn.com/externalGrading/
"""

from __future__ import annotations

import html
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from course.catalogue import Catalogue
from course.exercise import Exercise
from course.teaching.export import Wishes, one_or_many
from course.teaching.export.bundle import bundle
from course.teaching.results import Graded

_IMAGE: Final = "prairielearn/grader-python"
_RUN: Final = """#!/bin/sh
python3 -m pip install --quiet --target /tmp/needs -r /grade/tests/requirements.txt 2>/dev/null
PYTHONPATH=/tmp/needs
export PYTHONPATH
exec sh /grade/tests/grade.sh /grade/student /grade/results/results.json
"""


class _PrairieLearn:
    def package(self, exercise: Exercise, wishes: Wishes) -> Mapping[str, bytes]:
        instead = json.dumps({"gradable": False, "format_errors": f"Hand in one file {exercise.file}."})
        files = bundle(exercise, wishes.seed, "prairielearn", instead)
        title = Catalogue("en", exercise.text("en"))("title")
        options = {
            "enabled": True,
            "image": _IMAGE,
            "entrypoint": "/grade/tests/run.sh",
            "timeout": 60,
            "enableNetworking": True,
        }
        # The same exercise is the same question whenever it is exported.
        identity = uuid.uuid5(
            uuid.NAMESPACE_URL, f"layerlab/{exercise.id}/{exercise.slug}/{exercise.generator}"
        )
        about = {
            "uuid": str(identity),
            "title": title,
            "topic": "Container images",
            "type": "v3",
            "gradingMethod": "External",
            "externalGradingOptions": options,
        }
        name = html.escape(exercise.file)
        page = (
            "<pl-question-panel><markdown>\n"
            f"{exercise.readme('en').read_text(encoding='utf-8')}\n</markdown></pl-question-panel>\n"
            f'<pl-file-upload file-names="{name}"></pl-file-upload>\n'
            "<pl-submission-panel><pl-external-grader-results></pl-external-grader-results>"
            f'<pl-file-preview file-name="{name}"></pl-file-preview></pl-submission-panel>\n'
        )
        return {
            "info.json": json.dumps(about, indent=2).encode() + b"\n",
            "question.html": page.encode(),
            **{f"tests/{path}": content for path, content in files.items()},
            "tests/run.sh": _RUN.encode(),
        }

    def marks(self, exercise: Exercise, results: Sequence[Graded]) -> Mapping[str, bytes]:
        documents = [json.dumps(document(each), indent=2).encode() + b"\n" for each in results]
        return one_or_many(results, documents, "results.json")


platform: Final = _PrairieLearn()


def document(graded: Graded) -> dict[str, object]:
    """A result as results.json. What could not be judged costs no attempt."""
    message = str(graded.document["message"] or "")
    if graded.document["status"] == "error":
        return {"gradable": False, "format_errors": message}
    return {
        "gradable": True,
        "score": graded.points / graded.of_points,
        "output": f"isolation: {graded.document['isolation']}",
        "tests": [
            {
                "name": test["name"],
                "points": test["points"],
                "max_points": test["max_points"],
                "message": test["message"] or "",
            }
            for test in graded.tests
        ],
    }
