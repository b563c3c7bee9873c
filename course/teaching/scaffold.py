"""A new exercise in any folder: whole, small, and verified, for its author to change piece by piece."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

from builder.errors import BuildError
from course.exercise import Course
from course.figures.picture import write_whole

TEMPLATES: Final = Path(__file__).with_name("templates")
SCHEMA: Final = Path(__file__).with_name("exercise.schema.json")
KINDS: Final = {"F": "function", "P": "prediction", "D": "dockerfile", "Y": "yaml"}
"""The kinds that there are templates of, by the letter that the curriculum uses."""

_ID: Final = re.compile(r"[A-Za-z0-9]+(\.[A-Za-z0-9]+)*")


def scaffold(course: Path, exercise_id: str, kind: str) -> Path:
    """The folder of the new exercise, below ``course``; a BuildError if the id is taken, or none."""
    if not _ID.fullmatch(exercise_id):
        raise BuildError(f"{exercise_id!r} is no id of an exercise", fix="letters, digits and dots: 9.1")
    if course.is_dir() and any(each.id == exercise_id for each in Course(course).exercises()):
        raise BuildError(f"there is an exercise {exercise_id!r} already", where=str(course))
    slug = f"my-{KINDS[kind]}"
    folder = course / f"{exercise_id}-{slug}"
    if folder.exists():
        raise BuildError("it is there already", where=str(folder), fix="choose another id, or remove it")
    filled = {"@ID@": exercise_id, "@SLUG@": slug, "@MODULE@": exercise_id.partition(".")[0]}
    for name, said in tomllib.loads((TEMPLATES / f"{KINDS[kind]}.toml").read_text(encoding="utf-8")).items():
        text = str(said["text"])
        for word, meant in filled.items():
            text = text.replace(word, meant)
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BuildError(f"cannot write here: {error.strerror}", where=str(path.parent)) from None
        write_whole(path, text.encode())
    write_whole(course / SCHEMA.name, SCHEMA.read_bytes())
    return folder
