"""Every exercise: reference 100 %, starter 0, every mutant caught by its group and below its cap."""

from __future__ import annotations

import tomllib

import pytest

from course.catalogue import LANGUAGES, Catalogue
from course.exercise import Exercise, exercises
from course.grader.grade import grade
from course.grader.sandbox import best_isolation

EVERY = list(exercises())
MUTANTS = [(exercise, mutant) for exercise in EVERY for mutant in exercise.mutants]


@pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.id)
@pytest.mark.parametrize("seed", ["practice", "another"])
def test_the_reference_scores_everything(exercise: Exercise, seed: str) -> None:
    result = grade(exercise, exercise.reference, seed=seed, isolation=best_isolation())

    assert [group.failure for group in result.groups if not group.passed] == []
    assert result.points == exercise.points


@pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.id)
def test_the_starter_scores_nothing(exercise: Exercise) -> None:
    assert grade(exercise, exercise.starter, seed="practice", isolation=best_isolation()).points == 0


@pytest.mark.parametrize(("exercise", "mutant"), MUTANTS, ids=[f"{e.id}-{m.name}" for e, m in MUTANTS])
def test_a_mutant_is_caught_by_its_group_and_stays_below_its_cap(exercise: Exercise, mutant: object) -> None:
    result = grade(exercise, mutant.path, seed="practice", isolation=best_isolation())  # type: ignore[attr-defined]

    failed = {group.name for group in result.groups if not group.passed}
    assert mutant.group in failed  # type: ignore[attr-defined]
    assert result.points <= mutant.cap  # type: ignore[attr-defined]


@pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.id)
def test_the_mutants_file_names_its_group_and_cap(exercise: Exercise) -> None:
    for mutant in exercise.mutants:
        first = mutant.path.read_text().splitlines()[0]
        assert first.startswith(f'"""Caught by: {mutant.group}. At most: {mutant.cap}.')
    assert {mutant.path for mutant in exercise.mutants} == set((exercise.folder / "mutants").glob("*.py"))


@pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.id)
def test_both_languages_say_the_same_things(exercise: Exercise) -> None:
    ids = [Catalogue(language, exercise.text(language)).ids() for language in LANGUAGES]

    assert ids[0] == ids[1]
    assert {f"groups.{name}.title" for name in exercise.groups} <= ids[0]
    assert all(len(exercise.text(language)["hints"]) == 3 for language in LANGUAGES)  # type: ignore[arg-type]
    assert all(exercise.readme(language).stat().st_size > 500 for language in LANGUAGES)


@pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.id)
def test_there_are_seventy_cases_or_more_and_the_seed_chooses_the_random_ones(exercise: Exercise) -> None:
    cases = exercise.cases("practice")

    assert len(cases) >= 70
    assert cases == exercise.cases("practice")
    assert cases != exercise.cases("another")


def test_both_catalogues_have_the_same_ids() -> None:
    assert Catalogue.read("en").ids() == Catalogue.read("zh").ids()


def test_the_wheel_leaves_the_answers_out() -> None:
    with open("pyproject.toml", "rb") as file:
        wheel = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert wheel["exclude"] == ["course/**/mutants/**", "course/**/reference.py"]
