"""A result, told: as text for a learner, as JSON for a machine."""

from __future__ import annotations

import json
from collections.abc import Iterator

from course.catalogue import Catalogue
from course.grader.grade import Failure, GroupResult, Result


def as_text(result: Result, say: Catalogue) -> Iterator[str]:
    """The lines for a learner: a line for each group, the smallest failing case of the first wrong one."""
    if result.refused is not None:
        yield _refused(result, say)
        yield say("isolation", name=result.isolation.value)
        return
    titles = say.exercise(result.exercise)
    for group in result.groups:
        mark = "✓" if group.passed else "✗"
        scored = group.points if group.passed else 0
        yield f"{mark} {scored:>3}/{group.points:<3} {titles(f'groups.{group.name}.title')}"
    first = next((group for group in result.groups if not group.passed), None)
    if first is not None and first.failure is not None:
        yield ""
        yield titles(f"groups.{first.name}.misconception")
        yield from _case(result, first.failure, say)
    yield ""
    yield say("score", points=result.points, of=result.exercise.points)
    yield say("isolation", name=result.isolation.value)
    if result.passed:
        yield say("done", id=result.exercise.id)


def _refused(result: Result, say: Catalogue) -> str:
    assert result.refused is not None
    reason, detail = result.refused
    return say(f"refused.{reason}", detail=detail, id=result.exercise.id)


def _case(result: Result, failure: Failure, say: Catalogue) -> Iterator[str]:
    args = ", ".join(map(repr, failure.case.args))
    yield f"    {result.exercise.function}({args})"
    yield "    " + say(
        f"failure.{failure.reason}", expected=repr(failure.case.expected), detail=failure.detail
    )


def as_json(result: Result, say: Catalogue) -> str:
    """The result in the schema of Exercism's test runners, version 3, with points added."""
    status = "error" if result.refused else "pass" if result.passed else "fail"
    document = {
        "version": 3,
        "status": status,
        "message": _refused(result, say) if result.refused else None,
        "tests": [_test(result, group, say) for group in result.groups],
        "points": result.points,
        "max_points": result.exercise.points,
        "exercise": result.exercise.id,
        "generator": result.exercise.generator,
        "seed": result.seed,
        "isolation": result.isolation.value,
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _test(result: Result, group: GroupResult, say: Catalogue) -> dict[str, object]:
    message = None
    if group.failure is not None:
        message = "\n".join(line.strip() for line in _case(result, group.failure, say))
    return {
        "name": group.name,
        "status": "pass" if group.passed else "fail",
        "message": message,
        "points": group.points if group.passed else 0,
        "max_points": group.points,
    }
