"""A submission's score: every case asked, every group all or nothing."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from course.check import Case, same
from course.exercise import Exercise
from course.grader.sandbox import Isolation, start
from course.grader.wire import Conversation, WorkerGoneError

SUBMISSION_BYTES: Final = 1 << 20
RESTARTS: Final = 2
"""How often a worker that died is replaced: a loop in every case must not cost a second each."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that went wrong. ``reason``: a catalogue id; ``detail``: an exception or an answer, as text."""

    case: Case
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class GroupResult:
    """How one group of checks ended; ``failure`` is its smallest failing case."""

    name: str
    points: int
    passed: bool
    cases: int
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A graded submission. ``refused``: (catalogue id, detail) if it could not be run at all."""

    exercise: Exercise
    seed: str
    isolation: Isolation
    groups: tuple[GroupResult, ...]
    refused: tuple[str, str] | None = None

    @property
    def points(self) -> int:
        """The points scored."""
        return sum(group.points for group in self.groups if group.passed)

    @property
    def passed(self) -> bool:
        """Whether every group passed."""
        return self.refused is None and all(group.passed for group in self.groups)


def grade(
    exercise: Exercise,
    submission: Path,
    *,
    seed: str,
    isolation: Isolation,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Result:
    """The result of ``submission``; ``progress`` is told (cases done, cases in all)."""
    refused = unreadable(submission)
    if refused is None:
        cases = exercise.cases(seed)
        try:
            failures = _ask_all(exercise, submission, cases, isolation, progress)
        except WorkerGoneError as error:
            refused = (error.reason, error.detail)
        else:
            return Result(exercise, seed, isolation, tuple(_by_group(exercise, cases, failures)))
    lost = tuple(GroupResult(name, points, passed=False, cases=0) for name, points in exercise.groups.items())
    return Result(exercise, seed, isolation, lost, refused)


def unreadable(submission: Path) -> tuple[str, str] | None:
    """Why ``submission`` is not a Python module, as (catalogue id, detail); None if it is one."""
    if not submission.is_file():
        return ("no-file", str(submission))
    if submission.stat().st_size > SUBMISSION_BYTES:
        return ("too-large", f"{submission.stat().st_size:,}")
    source = submission.read_bytes()
    if source.lstrip()[:1] == b"{" and b'"cells"' in source:
        return ("notebook", str(submission))
    try:
        ast.parse(source)
    except SyntaxError as error:
        return ("not-python", f"line {error.lineno}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return ("not-python", str(error))
    return None


def _ask_all(
    exercise: Exercise,
    submission: Path,
    cases: list[Case],
    isolation: Isolation,
    progress: Callable[[int, int], None],
) -> list[Failure]:
    failures: list[Failure] = []
    restarts = 0
    conversation = _begin(exercise, submission, isolation)
    try:
        for done, case in enumerate(cases):
            progress(done, len(cases))
            if restarts > RESTARTS:
                failures.append(Failure(case, "not-asked", ""))
                continue
            try:
                answer = conversation.ask(case.args)
            except WorkerGoneError as gone:
                failures.append(Failure(case, gone.reason, gone.detail))
                restarts += 1
                conversation.worker.kill()
                if restarts <= RESTARTS:
                    conversation = _begin(exercise, submission, isolation)
                continue
            if answer.raised is not None:
                failures.append(Failure(case, "raised", answer.raised))
            elif not same(answer.value, case.expected):
                failures.append(Failure(case, "wrong", repr(answer.value)))
        progress(len(cases), len(cases))
    finally:
        conversation.worker.kill()
    return failures


def _begin(exercise: Exercise, submission: Path, isolation: Isolation) -> Conversation:
    conversation = Conversation(start(submission, exercise.function, isolation))
    try:
        conversation.begin()
    except WorkerGoneError:
        conversation.worker.kill()
        raise
    return conversation


def _by_group(exercise: Exercise, cases: Iterable[Case], failures: list[Failure]) -> Iterable[GroupResult]:
    counts: dict[str, int] = dict.fromkeys(exercise.groups, 0)
    for case in cases:
        counts[case.group] += 1
    for name, points in exercise.groups.items():
        failed = [failure for failure in failures if failure.case.group == name]
        smallest = min(failed, key=lambda failure: failure.case.size, default=None)
        yield GroupResult(name, points, passed=smallest is None, cases=counts[name], failure=smallest)
