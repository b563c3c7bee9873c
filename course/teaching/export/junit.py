"""JUnit XML, as test reporters read it: a suite a learner, a case a group, its points as properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from xml.etree import ElementTree

from builder.cli.session import visible
from course.exercise import Exercise
from course.teaching.export import Wishes, only
from course.teaching.results import Graded


class _JUnit:
    def package(self, exercise: Exercise, wishes: Wishes) -> Mapping[str, bytes]:
        raise only("junit", "marks")

    def marks(self, exercise: Exercise, results: Sequence[Graded]) -> Mapping[str, bytes]:
        return {"junit.xml": ElementTree.tostring(document(exercise, results), "utf-8", xml_declaration=True)}


platform: Final = _JUnit()


def document(exercise: Exercise, results: Sequence[Graded]) -> ElementTree.Element:
    """All results as ``testsuites``."""
    root = ElementTree.Element("testsuites", name=exercise.id)
    for each in results:
        _suite(root, exercise, each)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    return root


def _suite(root: ElementTree.Element, exercise: Exercise, graded: Graded) -> None:
    refused = graded.document["status"] == "error"
    failed = [test for test in graded.tests if test["status"] != "pass"]
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=visible(graded.learner),
        tests=str(len(graded.tests)),
        failures=str(0 if refused else len(failed)),
        errors=str(len(failed) if refused else 0),
        skipped="0",
        time="0",
    )
    _properties(
        suite, points=graded.points, max_points=graded.of_points, isolation=graded.document["isolation"]
    )
    for test in graded.tests:
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"layerlab.{exercise.id}", name=test["name"], time="0"
        )
        _properties(case, points=test["points"], max_points=test["max_points"])
        if test["status"] != "pass":
            message = visible(str(test["message"] or graded.document["message"] or ""))
            what = ElementTree.SubElement(case, "error" if refused else "failure", type=test["name"])
            what.set("message", message.partition("\n")[0])
            what.text = message


def _properties(of: ElementTree.Element, **values: object) -> None:
    holder = ElementTree.SubElement(of, "properties")
    for name, value in values.items():
        ElementTree.SubElement(holder, "property", name=name, value=str(value))
