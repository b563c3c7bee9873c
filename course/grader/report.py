"""A result, told: as text for a learner, as JSON for a machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from course.catalogue import Catalogue
from course.check import Text, Wrong
from course.grader.grade import GroupResult, Result

PRINTED: Final = 2000
"""Characters of a submission's own output that are shown."""

UNJUDGED: Final = MappingProxyType(
    {
        "build": "build",
        "form": "form",
        "form-like": "form",
        "spelling": "spelling",
        "line-twice": "line-twice",
        "line-unknown": "line-unknown",
    }
)
"""How a submission can be wrong before any group has looked at it: no group's own sentence fits, but this."""


def as_text(result: Result, say: Catalogue) -> Iterator[str]:
    """The lines for a learner: a line for each group, the smallest failing case of the first wrong one.

    What a submission printed or raised is told as it is: whoever prints the lines makes it harmless.
    """
    if result.refused is not None:
        yield refusal(result, say)
        yield say("isolation", name=say(f"isolations.{result.isolation.value}"))
        return
    titles = say.exercise(result.exercise)
    for group in result.groups:
        mark = "✓" if group.passed else "✗"
        yield f"{mark} {group.earned:>3}/{group.points:<3} {titles(f'groups.{group.name}.title')}"
    first = first_failure(result)
    if first is not None and first.failure is not None:
        yield ""
        yield misconception(result, first, say)
        yield from details(first.failure, titles, say)
    if any(group.passed and not group.earned for group in result.groups):
        yield ""
        yield say("preserves")
    if result.printed:
        yield ""
        yield say("printed")
        text = result.printed.decode(errors="replace")
        yield from ("    " + line for line in text[:PRINTED].splitlines())
        if len(text) > PRINTED:
            yield "    …"
    yield ""
    yield say("score", points=result.points, of=result.exercise.points)
    yield say("isolation", name=say(f"isolations.{result.isolation.value}"))
    if result.passed:
        yield say("done", id=result.exercise.id)


def first_failure(result: Result) -> GroupResult | None:
    """The group to speak of: the first that failed, in the order of the lesson."""
    return next((group for group in result.groups if not group.passed), None)


def refusal(result: Result, say: Catalogue) -> str:
    """Why a submission was not judged, in one sentence."""
    assert result.refused is not None
    reason, detail = result.refused
    return say(f"refused.{reason}", detail=detail, id=result.exercise.id, seed=result.seed)


def misconception(result: Result, group: GroupResult, say: Catalogue) -> str:
    """What this failure betrays: the misconception that the verdict names, else the group's.

    An answer that could not be judged at all betrays none: it is told what keeps it from being judged.
    """
    assert group.failure is not None
    if group.failure.how in UNJUDGED and not group.failure.because:
        return say(f"unjudged.{UNJUDGED[group.failure.how]}")
    texts = say.exercise(result.exercise)
    because = group.failure.because
    sentence = f"reasons.{because}" if because else f"groups.{group.name}.misconception"
    return texts(sentence, **group.failure.fields)


def details(wrong: Wrong, texts: Catalogue, say: Catalogue) -> Iterator[str]:
    """The smallest thing that is wrong, indented, and how it is wrong."""
    shown = texts(wrong.shown.id, **wrong.shown.fields) if isinstance(wrong.shown, Text) else wrong.shown
    yield from ("    " + line for line in shown.splitlines())
    if wrong.how:
        fields = dict(wrong.fields)
        if isinstance(form := fields.get("form"), str):
            fields["form"] = say.form(form)
        yield "    " + say(f"failure.{wrong.how}", **fields)


def as_json(result: Result, say: Catalogue) -> str:
    """The document of the result, as JSON."""
    return json.dumps(as_document(result, say), indent=2)  # in ASCII: nothing in it can steer a terminal


def as_document(result: Result, say: Catalogue) -> dict[str, object]:
    """The result in the schema of Exercism's test runners, version 3, with points added."""
    status = "error" if result.refused else "pass" if result.passed else "fail"
    return {
        "version": 3,
        "status": status,
        "message": refusal(result, say) if result.refused else None,
        "tests": [_test(result, group, say) for group in result.groups],
        "points": result.points,
        "max_points": result.exercise.points,
        "exercise": result.exercise.id,
        "generator": result.exercise.generator,
        "seed": result.seed,
        "isolation": result.isolation.value,
    }


def _test(result: Result, group: GroupResult, say: Catalogue) -> dict[str, object]:
    message = None
    if group.failure is not None:
        texts = say.exercise(result.exercise)
        lines = [misconception(result, group, say), *details(group.failure, texts, say)]
        message = "\n".join(line.strip() for line in lines)
    return {
        "name": group.name,
        "status": "pass" if group.passed else "fail",
        "message": message,
        "points": group.earned,
        "max_points": group.points,
    }
