"""The same submissions, graded by an exercise that was changed: whose marks change, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from course.teaching.results import Graded


@dataclass(frozen=True, slots=True)
class GroupChange:
    """A group that ended otherwise. ``why``: what is found wrong now, or was before."""

    name: str
    before: int
    after: int
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """A learner whose marks change."""

    learner: str
    before: int
    after: int
    groups: tuple[GroupChange, ...]
    why: str


def changes(old: Sequence[Graded], new: Sequence[Graded]) -> Iterator[Change]:
    """The learners whose marks, or groups, are others now, by learner."""
    before = {each.learner: each for each in old}
    for now in new:
        then = before.get(now.learner)
        if then is None:
            continue
        groups = tuple(_groups(then, now))
        if groups or then.points != now.points or then.document["status"] != now.document["status"]:
            yield Change(now.learner, then.points, now.points, groups, _why(then, now))


def _groups(then: Graded, now: Graded) -> Iterator[GroupChange]:
    old = {test["name"]: test for test in then.tests}
    new = {test["name"]: test for test in now.tests}
    for name in [*new, *(each for each in old if each not in new)]:
        was, is_now = old.get(name), new.get(name)
        if was is None:
            assert is_now is not None
            yield GroupChange(name, 0, is_now["points"], f"the group is new; {_said(is_now)}")
        elif is_now is None:
            yield GroupChange(name, was["points"], 0, "there is no such group any more")
        elif (was["status"], was["points"]) != (is_now["status"], is_now["points"]):
            yield GroupChange(name, was["points"], is_now["points"], _group_why(was, is_now))


def _group_why(was: Mapping[str, Any], is_now: Mapping[str, Any]) -> str:
    if was["status"] == is_now["status"]:
        if was["max_points"] != is_now["max_points"]:
            return f"it has {is_now['max_points']} points, and had {was['max_points']}"
        return "what preserves pays only if something improves"
    return f"fails now: {_said(is_now)}" if is_now["status"] == "fail" else f"failed before: {_said(was)}"


def _said(test: Mapping[str, Any]) -> str:
    """The last lines of its message: the smallest failing case."""
    message = str(test["message"] or "")
    return " ".join(message.splitlines()[1:] or message.splitlines()) or "it passes"


def _why(then: Graded, now: Graded) -> str:
    if now.document["status"] == "error" or then.document["status"] == "error":
        return f"refused {'now' if now.document['status'] == 'error' else 'before'}: " + str(
            now.document["message"] or then.document["message"]
        )
    if then.document["exercise_version"] != now.document["exercise_version"]:
        return "the exercise was changed"
    if then.document["layerlab"] != now.document["layerlab"]:
        return f"graded by layerlab {now.document['layerlab']}, and by {then.document['layerlab']} before"
    return "nothing that decides was changed: time, or chance in the submission"
