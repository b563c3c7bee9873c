"""A submission's score: judged by its kind, every group all or nothing."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from course.check import Verdict, Wrong
from course.exercise import Exercise, ExerciseError
from course.grader.kind import SUBMISSION_BYTES, Conditions, Isolation, RefusedError, kind_of

_RAISED: Final = ("raised", "too-slow", "too-slow-in-all", "not-asked", "ended")
_EXCEPTION: Final = re.compile(r"\b[A-Z]\w+(?=:|$)")


@dataclass(frozen=True, slots=True)
class GroupResult:
    """How one group of checks ended; ``failure`` is its smallest failing verdict.

    ``earned``: its points, or 0; a group that preserves may have passed and earned nothing.
    """

    name: str
    points: int
    passed: bool
    earned: int
    failure: Wrong | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A graded submission. ``refused``: (catalogue id, detail) if it could not be judged at all.

    ``behaviour``: equal for two submissions that were asked the same and were wrong in the same way; "" if
    nothing was wrong.
    """

    exercise: Exercise
    seed: str
    isolation: Isolation
    groups: tuple[GroupResult, ...]
    refused: tuple[str, str] | None = None
    printed: bytes = b""
    behaviour: str = ""

    @property
    def points(self) -> int:
        """The points scored."""
        return sum(group.earned for group in self.groups)

    @property
    def passed(self) -> bool:
        """Whether every group passed."""
        return self.refused is None and all(group.passed for group in self.groups)


def grade(exercise: Exercise, submission: Path, *, seed: str, conditions: Conditions) -> Result:
    """The result of the file ``submission``; an ExerciseError if the exercise itself is broken."""
    try:
        return grade_bytes(exercise, _read(submission), seed=seed, conditions=conditions)
    except RefusedError as refused:
        return _refused(exercise, seed, refused)


def grade_bytes(exercise: Exercise, submission: bytes, *, seed: str, conditions: Conditions) -> Result:
    """The result of what was handed in."""
    try:
        if len(submission) > SUBMISSION_BYTES:
            raise RefusedError("too-large", f"{len(submission):,}")
        judgement = kind_of(exercise).judge(exercise, submission, seed, conditions)
    except RefusedError as refused:
        return _refused(exercise, seed, refused)
    groups = tuple(_by_group(exercise, judgement.verdicts))
    return Result(
        exercise,
        seed,
        judgement.isolation,
        groups,
        printed=judgement.printed,
        behaviour=_behaviour(judgement.verdicts),
    )


def _behaviour(verdicts: Sequence[Verdict]) -> str:
    """A digest of all that was wrong. Of what was raised, its kind counts, and neither line nor words."""
    wrong = [(number, verdict.wrong) for number, verdict in enumerate(verdicts) if verdict.wrong is not None]
    if not wrong:
        return ""
    said = [
        (number, each.because, each.how, "" if each.how in _RAISED else sorted(each.fields.items()))
        for number, each in wrong
    ]
    raised = [
        _EXCEPTION.findall(str(each.fields.get("detail", ""))) for _, each in wrong if each.how in _RAISED
    ]
    return hashlib.sha256(json.dumps([said, raised], default=str).encode()).hexdigest()[:16]


def _refused(exercise: Exercise, seed: str, refused: RefusedError) -> Result:
    lost = tuple(
        GroupResult(name, group.points, passed=False, earned=0) for name, group in exercise.groups.items()
    )
    behaviour = f"refused: {refused.reason}"
    return Result(
        exercise, seed, refused.isolation, lost, (refused.reason, refused.detail), behaviour=behaviour
    )


def _read(submission: Path) -> bytes:
    """The bytes of a submission, no more of them than one may have; refuses what is no file."""
    if not submission.is_file():
        raise RefusedError("no-file", str(submission))
    size = submission.stat().st_size
    if size > SUBMISSION_BYTES:
        raise RefusedError("too-large", f"{size:,}")
    return submission.read_bytes()


def _by_group(exercise: Exercise, verdicts: Sequence[Verdict]) -> Iterator[GroupResult]:
    found: dict[str, list[Verdict]] = {name: [] for name in exercise.groups}
    for verdict in verdicts:
        if verdict.group not in found:
            raise ExerciseError(
                f"a check belongs to the group {verdict.group!r}, which exercise.toml does not have",
                where=str(exercise.folder / "checks.py"),
            )
        found[verdict.group].append(verdict)
    wrong = {name: [v for v in judged if v.wrong is not None] for name, judged in found.items()}
    for name, judged in found.items():
        if not judged:
            raise ExerciseError(
                f"nothing was judged in the group {name!r}", where=str(exercise.folder / "checks.py")
            )
    improves = any(not wrong[name] for name, group in exercise.groups.items() if not group.preserves) or all(
        group.preserves for group in exercise.groups.values()
    )
    for name, group in exercise.groups.items():
        smallest = min(wrong[name], key=lambda verdict: verdict.size, default=None)
        passed = smallest is None
        pays = passed and (improves or not group.preserves)
        yield GroupResult(
            name, group.points, passed, group.points if pays else 0, smallest.wrong if smallest else None
        )
