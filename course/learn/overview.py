"""The state at a glance, and what is next and why: bare ``layerlab learn``, and ``learn next``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from course.exercise import Exercise
from course.learn.desk import Desk, at_the_desk
from course.learn.start import begin, default_folder
from course.learn.word import Word


@dataclass(frozen=True, slots=True)
class Next:
    """An exercise to go on with. ``reason``: below ``[next]`` in the catalogue; ``before``: what led here."""

    exercise: Exercise
    reason: str
    before: tuple[str, ...] = ()


def next_of(desk: Desk, exercises: Sequence[Exercise]) -> Next | None:
    """What was begun and is not solved, else the first whose requirements are met; None if all is solved."""
    state = {exercise.id: desk.progress.state(exercise.id) for exercise in exercises}
    current = desk.progress.current()
    begun = [each for each in exercises if state[each.id] == "started"]
    if begun:
        chosen = next((each for each in begun if each.id == current), begun[0])
        return Next(chosen, "started")
    open_ = [each for each in exercises if state[each.id] == "new"]
    for exercise in open_:
        before = tuple(name for name in exercise.after if name in state)
        if all(state[name] == "solved" for name in before):
            if exercise is exercises[0]:
                return Next(exercise, "first")
            return Next(exercise, "after" if before else "in-order", before)
    return Next(open_[0], "in-order") if open_ else None


def glance(desk: Desk) -> Iterator[str]:
    """All exercises by module with their states, the sum, and what is next."""
    exercises = desk.exercises()
    progress = desk.progress
    best = {each.id: progress.number(each.id, "best") or 0 for each in exercises}
    solved = sum(progress.state(each.id) == "solved" for each in exercises)
    points, of = sum(best.values()), sum(each.points for each in exercises)
    yield desk.say("glance", solved=solved, all=len(exercises), points=points, of=of)
    module = None
    for exercise in exercises:
        if exercise.module != module:
            module = exercise.module
            yield ""
            yield _module(desk, module)
        state = progress.state(exercise.id)
        mark = {"solved": "✓", "started": "▸", "new": " "}[state]
        score = f"  {best[exercise.id]}/{exercise.points}" if state == "started" else ""
        yield f" {mark} {exercise.id:<5} {desk.say.exercise(exercise)('title')}{score}"
    yield ""
    yield from advice(desk, next_of(desk, exercises))


def _module(desk: Desk, module: str) -> str:
    """The heading of a module; a teacher's own has a number alone."""
    known = f"modules.{module}"
    name = desk.say(known) if known in desk.say.ids() else ""
    return desk.say("module", number=module, name=name).rstrip()


def advice(desk: Desk, following: Next | None) -> Iterator[str]:
    """What is next, why, and what to type."""
    if following is None:
        yield desk.say("next.all-done")
        return
    exercise = following.exercise
    title = desk.say.exercise(exercise)("title")
    why = desk.say(f"next.{following.reason}", before=", ".join(following.before))
    yield desk.say("next.heading", id=exercise.id, title=title)
    yield f"  {why}"
    if following.reason == "started":
        file = desk.submission(exercise, None)
        yield f"  layerlab learn check {exercise.id} {file}"
        yield f"  layerlab learn hint {exercise.id}"
    else:
        yield f"  layerlab learn start {exercise.id}"


@click.command("learn")
@at_the_desk
def show(desk: Desk) -> None:
    """Show where you are and what is next.

    \b
    Example:
      layerlab learn
    """
    for line in glance(desk):
        desk.session.print(line)


@click.command("next", cls=Word)
@at_the_desk
def command(desk: Desk) -> None:
    """Say what is next and why, and start it if that was not done yet.

    \b
    Example:
      layerlab learn next
    """
    following = next_of(desk, desk.exercises())
    if following is None or following.reason == "started":
        for line in advice(desk, following):
            desk.session.print(line)
        return
    for line in list(advice(desk, following))[:2]:
        desk.session.print(line)
    if (default_folder(following.exercise) / following.exercise.file).exists():
        desk.session.print(f"  layerlab learn check {following.exercise.id}")
        return
    begin(desk, following.exercise)
