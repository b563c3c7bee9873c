"""A page on which lines are put in order, by keyboard or mouse, and saved as the file that is handed in.

One file that asks no network for anything; it knows the lines, and not which of them are right.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Final

from course.catalogue import Catalogue
from course.exercise import Exercise
from course.grader.kinds.parsons import shuffled

PAGE: Final = "order.html"
_TEXTS: Final = ("keys", "chosen-title", "left-title", "save", "up", "down", "away", "add")


def order_page(exercise: Exercise, seed: str, say: Catalogue) -> str:
    """The page for a learner with ``seed``, in the language of ``say``."""
    texts = say.exercise(exercise)
    told = {name: say(f"order.{name}") for name in _TEXTS}
    told["title"] = f"{exercise.id} {texts('title')}"
    told["task"] = texts("question")
    told["then"] = say("next-step", id=exercise.id, file=exercise.file)
    data = {
        "exercise": exercise.id,
        "seed": seed,
        "file": exercise.file,
        "order": shuffled(exercise, seed),
        "texts": told,
    }
    # No line of a Dockerfile may end the element that holds it.
    embedded = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    page = files("course.learn").joinpath(PAGE).read_text(encoding="utf-8")
    return page.replace("@LANGUAGE@", say.language).replace("@DATA@", embedded)
