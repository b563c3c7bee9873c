"""``layerlab learn watch``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from course.exercise import Exercise
from course.grader import report
from course.grader.grade import Result
from course.learn.check import graded
from course.learn.desk import Desk, at_the_desk
from course.learn.word import Word

SECONDS_BETWEEN_LOOKS = 0.3


@click.command("watch", cls=Word)
@click.argument("exercise_id", metavar="[ID]", required=False)
@click.argument("submission", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("--seed", help="Chooses the random cases  [default: that of `start`]")
@click.option("--for", "seconds", type=float, help="Stop after so many seconds  [default: when it is solved]")
@at_the_desk
def command(
    desk: Desk, exercise_id: str | None, submission: Path | None, seed: str | None, seconds: float | None
) -> int:
    """Grade FILE again whenever it is saved, and show the next thing to do; ends when it is solved.

    \b
    Example:
      layerlab learn watch 1.3 --for 1
    """
    exercise = desk.chosen(exercise_id)
    file = desk.submission(exercise, submission)
    desk.session.print(desk.say("watching", file=file))
    for _ in changes(file, seconds, time.sleep, time.monotonic):
        result = graded(desk, exercise, file, seed)
        for line in next_step(desk, exercise, result):
            desk.session.print(line)
        desk.session.out.flush()
        if result.passed:
            return 0
    return 1


def changes(
    file: Path, seconds: float | None, sleep: Callable[[float], None], clock: Callable[[], float]
) -> Iterator[None]:
    """Once now, and then whenever ``file`` was written; ends after ``seconds``."""
    seen: object = object()
    end = None if seconds is None else clock() + seconds
    while True:
        now = _version(file)
        if now != seen:
            seen = now
            yield
        if end is not None and clock() >= end:
            return
        sleep(SECONDS_BETWEEN_LOOKS)


def _version(file: Path) -> tuple[int, int, int] | None:
    """What changes when an editor saves, also if it puts a new file in the place of the old one."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def next_step(desk: Desk, exercise: Exercise, result: Result) -> Iterator[str]:
    """The score, and one thing to do: what is wrong with the first group that fails."""
    if result.refused is not None:
        yield report.refusal(result, desk.say)
        return
    passed = sum(group.passed for group in result.groups)
    yield desk.say("watched", points=result.points, of=exercise.points, passed=passed, all=len(result.groups))
    first = report.first_failure(result)
    if first is None or first.failure is None:
        yield desk.say("done", id=exercise.id)
        yield desk.say("then-next")
        return
    texts = desk.say.exercise(exercise)
    yield f"✗ {texts(f'groups.{first.name}.title')}"
    yield report.misconception(result, first, desk.say)
    yield from report.details(first.failure, texts, desk.say)
