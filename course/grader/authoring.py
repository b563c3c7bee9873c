"""Where the grader runs what the author of an exercise wrote: whatever that raises is a sentence for him."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from course.exercise import ExerciseError, of_error

if TYPE_CHECKING:
    from course.exercise import Exercise

T = TypeVar("T")

KEPT_SEEDS: Final = 16
"""Of how many seeds the cases are kept: a class has one, or each learner his own."""


def asked_of(exercise: Exercise, call: Callable[[], T]) -> T:
    """What ``call`` answers; an ExerciseError with the line of checks.py if it raises."""
    try:
        return call()
    except ExerciseError:
        raise
    except Exception as error:  # an author's file may raise anything; a learner must not get its traceback
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if Path(frame.filename).is_relative_to(exercise.folder)]
        where = f"{own[-1].filename}:{own[-1].lineno}" if own else str(exercise.folder / "checks.py")
        raise ExerciseError(f"the exercise itself is broken: {of_error(error)}", where=where) from error


def made_once(exercise: Exercise, seed: str, make: Callable[[], list[T]]) -> list[T]:
    """What ``make`` makes of ``seed``, made when it is asked for first; nobody may change it."""
    found = exercise.made.get(seed)
    if found is None:
        found = asked_of(exercise, make)
        for oldest in list(exercise.made)[: 1 - KEPT_SEEDS]:
            exercise.made.pop(oldest, None)
        exercise.made[seed] = found
    return found


def required(exercise: Exercise, name: str) -> Path:
    """The file ``name`` of the exercise, with whatever suffix; an ExerciseError if there is none."""
    found = exercise.part(name)
    if found is None:
        raise ExerciseError(f"there is no file {name}.*", where=str(exercise.folder))
    return found


def handed_in(exercise: Exercise, part: Path | None) -> bytes:
    """The bytes of a reference or mutant that is a submission as it stands; ExerciseError without one."""
    return (part or required(exercise, "reference")).read_bytes()
