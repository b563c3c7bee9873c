"""What every word of ``learn`` works with: the learner's language, course, seed and progress."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from builder.cli.session import Session
from builder.errors import BuildError
from course.catalogue import LANGUAGES, Catalogue, language_of
from course.exercise import MODULES, Course, Exercise, UnknownExerciseError
from course.progress import Progress

F = TypeVar("F", bound=Callable[..., Any])

language_option = click.option(
    "--lang", type=click.Choice(LANGUAGES), help="Language  [default: as LANG says, else en]"
)
course_option = click.option(
    "--course",
    type=click.Path(path_type=Path, file_okay=False),
    default=MODULES,
    metavar="DIR",
    help="A folder of exercises  [default: those that come with layerlab]",
)

SEED = "practice"
"""The seed of who was given none."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A learner's place. Its words print what a submission said only through the session."""

    session: Session
    say: Catalogue
    course: Course

    @property
    def progress(self) -> Progress:
        """What was done so far in this course."""
        return Progress(self.session.state_dir, self.course.key)

    def exercises(self) -> list[Exercise]:
        """All exercises in their order; tells of folders that are none on stderr."""
        exercises, broken = self.course.read()
        for error in broken:
            self.session.say(f"layerlab: {error}")
        return exercises

    def chosen(self, exercise_id: str | None) -> Exercise:
        """The exercise that was named, else the one that was started or checked last."""
        if exercise_id is None:
            exercise_id = self.progress.current()
        if exercise_id is None:
            raise BuildError(self.say("none-started"), fix=self.say("how-to-begin"))
        return self.find(exercise_id)

    def find(self, exercise_id: str) -> Exercise:
        """The exercise of this id; a BuildError in the learner's language if there is none."""
        try:
            return self.course.find(exercise_id)
        except UnknownExerciseError as error:
            if self.say.language == "en" or not error.known:
                raise  # it says more: which id is near, and which folders are broken
            known = self.say("there-are", ids=", ".join(error.known))
            raise BuildError(self.say("unknown-exercise", id=exercise_id), fix=known) from None

    def submission(self, exercise: Exercise, named: Path | None) -> Path:
        """The file that was named, else the exercise's file here, else the one that `start` made."""
        if named is not None:
            return named
        here = Path(exercise.file)
        started = self.progress.file(exercise.id)
        if started is None or (here.exists() and not started.exists()):
            return here if here.exists() else Path(f"{exercise.id}-{exercise.slug}") / exercise.file
        return Path(os.path.relpath(started))

    def seed_of(self, exercise: Exercise, asked: str | None) -> str:
        """The seed that was asked for, else the one that the exercise was started with."""
        return asked or self.progress.seed(exercise.id) or SEED


def at_the_desk(word: F) -> F:
    """Give a command a Desk for its first argument, and the options that choose language and course."""

    def sit(session: Session, /, lang: str | None, course: Path, **options: object) -> object:
        say = Catalogue.read(lang or language_of(session.env))
        return word(Desk(session, say, Course(course)), **options)

    sit.__doc__ = word.__doc__
    sit.__name__ = word.__name__
    sit.__click_params__ = getattr(word, "__click_params__", [])  # type: ignore[attr-defined]
    return language_option(course_option(click.pass_obj(sit)))  # type: ignore[return-value]
