"""A course with one small exercise, and a class that handed something in for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_exercise import made

from course.cli import run
from course.exercise import Exercise

CHECKS = """
from course.check import Case

def cases(seed):
    yield Case("same", args=(1,), expected=1)
    yield Case("same", args=(2,), expected=2)
    yield Case("text", args=("a",), expected="a")
"""
RIGHT = "def echo(x):\n    return x\n"
MUTANT = "def echo(x):\n    return 1 if x == 2 else x\n"
OWN = "def echo(x):\n    return x if x == 1 else None\n"
LOOP = "def echo(x):\n    while True: pass\n"


def course(folder: Path) -> Exercise:
    """The exercise 0.1 in ``folder``: echo(x), two groups of 3 and 2 points, one mutant that is known."""
    return made(
        folder,
        "function",
        CHECKS,
        "same = 3\ntext = 2",
        files={"starter.py": "def echo(x): ...\n", "reference.py": RIGHT, "mutants/always_one.py": MUTANT},
        mutants='always_one = { group = "same", cap = 2 }\n',
        keys='file = "echo.py"\nfunction = "echo"',
    )


def handed_in(folder: Path, **sources: str) -> Path:
    """A folder with a folder for each learner."""
    for learner, source in sources.items():
        (folder / learner).mkdir(parents=True)
        (folder / learner / "echo.py").write_text(source)
    return folder


def learn(*words: object, status: int = 0) -> None:
    """Run ``layerlab learn``; fails unless it ends with ``status``."""
    assert run(["learn", *map(str, words)]) == status


def learn_json(capsys: pytest.CaptureFixture[str], *words: object, status: int = 0) -> Any:
    """What ``layerlab learn … --json`` answers."""
    capsys.readouterr()
    learn(*words, "--json", status=status)
    return json.loads(capsys.readouterr().out)
