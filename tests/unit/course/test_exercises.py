"""Every exercise that comes with the project does what it promises."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from course.catalogue import Catalogue
from course.exercise import Course, Exercise
from course.grader.kind import Conditions
from course.grader.sandbox import best_isolation
from course.grader.verify import verify

EVERY, BROKEN = Course().read()


def test_every_folder_is_an_exercise() -> None:
    assert BROKEN == []
    assert len(EVERY) >= 4


@pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.id)
def test_reference_starter_mutants_and_texts_are_as_they_should_be(exercise: Exercise) -> None:
    found = verify(exercise, Conditions(best_isolation(), patience=10))

    assert found.faults == ()
    assert found.reference == exercise.points
    assert found.starter == 0


@pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.id)
def test_each_exercise_comes_after_those_that_it_builds_on(exercise: Exercise) -> None:
    ids = [each.id for each in EVERY]

    assert all(ids.index(before) < ids.index(exercise.id) for before in exercise.after if before in ids)


def test_every_line_that_may_be_asked_about_builds_and_leaves_what_its_group_says() -> None:
    checks = Course().find("4.1").checks
    reasons = {
        "files": "files",
        "settings": "settings",
        "build-time": "build-time",
        "left-behind": "left-behind",
    }

    for group, names in checks.LINES.items():
        for name, lines in names.items():
            for line in lines:
                _, because = checks.left(*checks.placed(name, line), group)
                assert because == reasons.get(group, because), line


@pytest.mark.parametrize("exercise", [e for e in EVERY if e.notebook], ids=lambda exercise: exercise.id)
def test_an_exercise_names_the_notebook_that_leads_to_it(exercise: Exercise) -> None:
    page = Path("notebooks", f"{exercise.notebook}.ipynb").read_text(encoding="utf-8")

    assert f"`layerlab learn start {exercise.id}`" in page or f"`{exercise.id}`" in page


def test_both_catalogues_have_the_same_ids() -> None:
    assert Catalogue.read("en").ids() == Catalogue.read("zh").ids()


def test_the_wheel_leaves_the_answers_out() -> None:
    with open("pyproject.toml", "rb") as file:
        wheel = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert wheel["exclude"] == ["course/**/mutants/**", "course/**/reference.*"]
