"""An exercise as a notebook: the task, a cell that writes the file, a cell that checks it."""

from __future__ import annotations

import json

from course.catalogue import Catalogue
from course.exercise import Exercise


def notebook(exercise: Exercise, task: str, starter: str, say: Catalogue) -> str:
    """The notebook (nbformat 4.5) whose cells write ``starter`` beside it and run the same checks.

    They run them with the notebook's own Python: a notebook is often open where no environment is active.
    """
    learn = "!{sys.executable} -P -m course learn"
    check = f"import sys\n\n{learn} check {exercise.id} {exercise.file} --lang {say.language}"
    cells = [
        _cell("task", "markdown", task),
        _cell("file", "code", f"%%writefile {exercise.file}\n{starter.rstrip()}"),
        _cell("check", "code", check),
        _cell(
            "hint",
            "code",
            f"# {say('notebook-hint')}\n# {learn} hint {exercise.id} --lang {say.language}",
        ),
    ]
    document = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _cell(name: str, kind: str, source: str) -> dict[str, object]:
    cell: dict[str, object] = {"cell_type": kind, "id": name, "metadata": {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell | {"source": source.splitlines(keepends=True)}
