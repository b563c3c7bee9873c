"""pytest as a door to the grader: a submission is graded once, and each group is a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builder.cli.session import visible
from course.catalogue import Catalogue
from course.exercise import Course, Exercise
from course.grader import report
from course.grader.grade import GroupResult, Result, grade
from course.grader.kind import Conditions
from course.teaching.holding import holding

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Door:
    """A graded submission, group by group."""

    result: Result

    @classmethod
    def graded(
        cls, exercise_id: str, file: Path, *, seed: str, course: str | None = None, unsafe: bool = False
    ) -> Door:
        """The file, graded in the sandbox; a BuildError where there is none, unless that is ``unsafe``."""
        exercise = find(exercise_id, course)
        conditions = Conditions(holding(exercise, is_unsafe=unsafe))
        return cls(grade(exercise, file, seed=seed, conditions=conditions))

    @property
    def groups(self) -> Mapping[str, GroupResult]:
        """The groups by name."""
        return {group.name: group for group in self.result.groups}

    def told(self, name: str) -> str:
        """Why a group lacks points: the misconception and the smallest failing case; "" if it does not."""
        group = self.groups[name]
        say = Catalogue.read("en")
        if self.result.refused is not None:
            return visible(report.refusal(self.result, say))
        if group.failure is None:
            return "" if group.earned == group.points else say("preserves")
        lines = report.details(group.failure, say.exercise(self.result.exercise), say)
        return visible("\n".join([report.misconception(self.result, group, say), *lines]))

    def passes(self, name: str, record_property: Callable[[str, object], None]) -> None:
        """Note a group's points as properties of the test, and fail the test unless it has all of them."""
        import pytest

        group = self.groups[name]
        record_property("points", group.earned)
        record_property("max_points", group.points)
        record_property("isolation", self.result.isolation.value)
        if told := self.told(name):
            pytest.fail(told, pytrace=False)


def find(exercise_id: str, course: str | None) -> Exercise:
    """The exercise in the folder ``course``, or in layerlab's own course."""
    return (Course(Path(course)) if course is not None else Course()).find(exercise_id)
