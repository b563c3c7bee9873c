"""A class of 200: right, wrong in every known way and in another, and hostile; from folders to marks."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from small_class import learn, learn_json

from course.exercise import Course, Exercise
from course.teaching.results import Results

COUNT = 200
HOSTILE = (
    "def resolve(path, layers):\n    while True: pass\n",
    "import os\nos._exit(0)\n",
    "while True: pass\n",
    "def resolve(path, layers):\n    return [0] * 10**10\n",
    "import os\ndef resolve(path, layers):\n    os.kill(os.getppid(), 9)\n    os.fork()\n",
    "def resolve(path, layers):\n    while True: print('a' * 4096, flush=True)\n",
    "def resolve(path, layers):\n    return resolve(path, layers)\n",
    "def resolve(path, layers:\n",
    '{"cells": [], "nbformat": 4}',
    "\x00",
)
OWN = "def resolve(path, layers):\n    return 0 if layers and path in layers[0] else None\n"
"""Wrong in a way that no mutant is."""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exercise:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "state"))
    original = Course().find("1.3")
    shutil.copytree(original.folder, "course/03-resolve")
    return Exercise.read(Path("course/03-resolve"))


def sources(exercise: Exercise) -> list[str]:
    """What the 200 hand in, in turn: half of them right."""
    parts = [exercise.part(f"mutants/{mutant.name}") for mutant in exercise.mutants]
    wrong = [part.read_text() for part in parts if part is not None]
    reference = exercise.part("reference")
    assert reference is not None
    kinds = [reference.read_text(), *wrong, OWN]
    hostile = [HOSTILE[number % len(HOSTILE)] for number in range(COUNT // 20)]
    return [kinds[number % len(kinds)] for number in range(COUNT - len(hostile))] + hostile


def test_a_class_is_graded_reported_exported_and_graded_again(
    course: Exercise, capsys: pytest.CaptureFixture[str]
) -> None:
    handed = sources(course)
    for number, source in enumerate(handed):
        Path(f"in/learner{number:03}").mkdir(parents=True)
        Path(f"in/learner{number:03}/resolve.py").write_text(source)

    graded = learn_json(capsys, "grade", "1.3", "in", "--course", "course", "--patience", 2)

    assert len(graded["graded"]) == COUNT
    assert graded["problems"] == []
    points = {row["learner"]: row["points"] for row in graded["graded"]}
    caps = {mutant.name: mutant.cap for mutant in course.mutants}
    kinds = ["reference", *caps, "own"]
    for number in range(COUNT - COUNT // 20):
        kind = kinds[number % len(kinds)]
        scored = points[f"learner{number:03}"]
        assert scored == 100 if kind == "reference" else scored <= caps.get(kind, 30), kind
    assert {points[f"learner{number:03}"] for number in range(COUNT - COUNT // 20, COUNT)} == {0}

    reported = learn_json(capsys, "report", "results", "--course", "course")["1.3"]

    by_mutant = {each["mutant"]: each for each in reported["behaviours"] if each["mutant"]}
    assert set(by_mutant) == set(caps)
    of_own = [
        f"learner{number:03}" for number in range(COUNT - COUNT // 20) if kinds[number % len(kinds)] == "own"
    ]
    unexplained = [each for each in reported["behaviours"] if each["learners"] == of_own]
    assert [each["mutant"] for each in unexplained] == [None]

    learn("report", "results", "--course", "course", "-o", "report")
    page = Path("report/class.html").read_text()
    assert unexplained[0]["behaviour"] in page
    assert not re.search(r"<script|src=|href=\"(?!learners/)|@import|url\(", page)
    rows = list(csv.DictReader(Path("report/marks.csv").read_text().splitlines()))
    assert {row["learner"]: int(row["1.3"]) for row in rows} == points
    own_page = Path("report/learners/learner001.html").read_text()
    assert "learner002" not in own_page
    assert "bottom_up" not in own_page

    learn("export", "results", "--to", "gradescope", "--course", "course", "-o", "marks")
    exported = {path.parent.name: json.loads(path.read_text())["score"] for path in Path("marks").glob("*/*")}
    assert exported == points

    name, behaviour = "first_layer_only", unexplained[0]["behaviour"]
    learn("mutant", "1.3", behaviour, "--results", "results", "--name", name, "--course", "course")
    named = learn_json(capsys, "report", "results", "--course", "course")["1.3"]["behaviours"]
    assert [each["learners"] for each in named if each["mutant"] == name] == [of_own]

    toml = course.folder / "exercise.toml"
    toml.write_text(toml.read_text().replace("top-first = 10", "top-first = 5"))
    again = learn_json(
        capsys, "regrade", "again", "--against", "results", "--course", "course", "--patience", 2
    )

    changed = {change["learner"]: change for change in again["1.3"]}
    lost = {name for name, scored in points.items() if scored and "top-first" not in failed("results", name)}
    assert set(changed) >= lost
    right = changed["learner000"]
    assert (right["before"], right["after"]) == (100, 95)
    assert right["why"] == "the exercise was changed"
    assert right["groups"][0]["why"] == "it has 5 points, and had 10"
    assert {each.learner: each.points for each in Results(Path("results"), "1.3").read()} == points


def failed(folder: str, learner: str) -> tuple[str, ...]:
    (path,) = Path(folder, "1.3").glob(f"{learner}.*.json")
    return tuple(test["name"] for test in json.loads(path.read_text())["tests"] if test["status"] == "fail")
