"""A wrong answer of a learner, made a mutant of the exercise: kept, so that a group must always catch it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from builder.errors import BuildError
from course.exercise import Exercise
from course.figures.picture import write_whole
from course.grader.kind import kind_of
from course.teaching.results import Graded

KEPT_AS_HANDED_IN: Final = ("function", "dockerfile", "yaml", "mutants")
"""Kinds whose mutants are submissions. Of the others a mutant is a program that answers any seed."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,60}")


def make_mutant(exercise: Exercise, graded: Graded, submission: bytes, name: str) -> Path:
    """Write ``submission`` to the exercise's mutants, and a line about it to exercise.toml; the new file.

    The group that must catch it is the first that did, its cap what it scored.
    """
    toml = exercise.folder / "exercise.toml"
    if exercise.kind not in KEPT_AS_HANDED_IN:
        raise BuildError(
            f"a mutant of the kind {exercise.kind!r} is a program that answers any seed",
            where=str(exercise.folder / "mutants"),
            fix="write answer(question, right): docs/exercises.md",
        )
    if not _NAME.fullmatch(name):
        raise BuildError(f"{name!r} is no name for a mutant", fix="small letters, digits and _: bottom_up")
    if any(mutant.name == name for mutant in exercise.mutants):
        raise BuildError(f"there is a mutant {name!r} already", where=str(toml))
    if not graded.failed or graded.document["status"] == "error":
        raise BuildError("that answer was caught by no group", fix="choose one that was judged, and failed")
    if exercise.kind == "mutants":
        submission = submission.replace(f'"{graded.document["seed"]}"'.encode(), b'"$seed"')
    path = exercise.folder / "mutants" / f"{name}{kind_of(exercise).suffix}"
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise BuildError(f"cannot write here: {error.strerror}", where=str(path.parent)) from None
    line = f'{name} = {{ group = "{graded.failed[0]}", cap = {graded.points} }}\n'
    text = toml.read_text(encoding="utf-8")
    head = re.search(r"^\[mutants\][^\n]*\n", text, re.MULTILINE)
    written = (
        text[: head.end()] + line + text[head.end() :] if head else f"{text.rstrip()}\n\n[mutants]\n{line}"
    )
    write_whole(path, submission)
    write_whole(toml, written.encode())
    return path
