"""A course may lie in any folder; what is wrong with an exercise is one sentence for its author."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_exercise import graded, made, write

from course.cli import run
from course.exercise import Course, Exercise, ExerciseError
from course.grader.grade import Result
from course.grader.kind import Conditions
from course.grader.sandbox import best_isolation
from course.grader.verify import verify

CHECKS = """
from course.check import Case

def cases(seed):
    yield Case("one", (1,), 1)
    yield Case("two", (True,), True)

def oracle(x):
    return x
"""
FILES = {
    "starter.py": "def f(x):\n    return None\n",
    "reference.py": "def f(x):\n    return x\n",
    "mutants/a.py": "def f(x):\n    return 1\n",
    "mutants/b.py": "def f(x):\n    return True\n",
    "mutants/c.py": "def f(x):\n    return str(x)\n",
}
MUTANTS = """
a = { group = "two", cap = 1 }
b = { group = "one", cap = 1 }
c = { group = "one", cap = 0 }
"""
KEYS = 'function = "f"\nfile = "f.py"'


def exercise(folder: Path, *, checks: str = CHECKS, mutants: str = MUTANTS, **files: str) -> Exercise:
    known = {**FILES, **{name.replace("__", "/"): text for name, text in files.items()}}
    return made(folder, "function", checks, "one = 1\ntwo = 1", files=known, mutants=mutants, keys=KEYS)


def faults(found: Exercise) -> tuple[str, ...]:
    return verify(found, Conditions(best_isolation(), 10)).faults


def test_a_good_exercise_has_no_faults(tmp_path: Path) -> None:
    assert faults(exercise(tmp_path / "e")) == ()


def change(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("reference.py", "return x", "return 1", "the reference scores 1, not 2"),
        ("starter.py", "None", "x", "the starter scores 2, not 0"),
        ("mutants/a.py", "return 1", "return x", "the mutant 'a' is not caught by its group 'two'"),
        ("mutants/c.py", "str(x)", "x", "the mutant 'c' scores 2, more than its cap 0"),
        ("mutants/a.py", "return 1", "return (", "the mutant 'a' is refused (not-python"),
        ("checks.py", "(1,), 1)", "(1,), 2)", "f(1): checks.py says 2, its oracle 1"),
        ("checks.py", "(1,), 1)", "(1,), 1 / 0)", "checks.py:5: the exercise itself is broken: Zero"),
        ("checks.py", "import Case", "import Kase", "it cannot be loaded: ImportError"),
        ("checks.py", '"two"', '"three"', "a check belongs to the group 'three'"),
        ("text.zh.toml", 'title = "文字"', 'tittle = "文字"', "text.zh.toml lacks 'title'"),
        ("text.zh.toml", "[groups.two]", "[groups.too]", "text.zh.toml lacks 'groups.two.title'"),
        ("text.zh.toml", "文字 one", "word one", "text.zh.toml is in another language"),
        ("text.en.toml", "word two?", "word two", "text.en.toml: the second hint should be a question"),
        ("text.en.toml", '"word one", ', "", "text.en.toml: hints should be a list of 3 sentences"),
        ("text.en.toml", "title =", "title", "it is not TOML"),
        ("README.zh.md", "文字", "word", "README.zh.md is missing, too short, or in another language"),
    ],
)
def test_verify_finds(tmp_path: Path, name: str, old: str, new: str, fault: str) -> None:
    found = exercise(tmp_path / "e")
    change(found.folder, name, old, new)

    told = faults(Exercise.read(found.folder))

    assert any(fault in each for each in told), told


def test_verify_finds_a_missing_translation_and_a_missing_checks_file(tmp_path: Path) -> None:
    found = exercise(tmp_path / "e")
    (found.folder / "text.zh.toml").unlink()
    (found.folder / "checks.py").unlink()

    told = faults(found)

    assert any("text.zh.toml: it is missing" in each for each in told)
    assert any("checks.py: it is missing" in each for each in told)


def test_verify_finds_a_group_that_never_fails(tmp_path: Path) -> None:
    found = exercise(tmp_path / "e", mutants__b="def f(x):\n    return 1\n")
    change(found.folder, "exercise.toml", 'b = { group = "one"', 'b = { group = "two"')
    write(found.folder, {"mutants/b.py": FILES["mutants/a.py"], "mutants/c.py": FILES["mutants/a.py"]})
    change(found.folder, "exercise.toml", 'c = { group = "one", cap = 0', 'c = { group = "two", cap = 1')

    assert "the group 'one' never fails: no mutant is caught by it" in faults(Exercise.read(found.folder))


def test_verify_finds_mutants_that_only_one_place_knows(tmp_path: Path) -> None:
    found = exercise(tmp_path / "e")
    write(found.folder, {"mutants/d.py": FILES["mutants/a.py"]})

    assert any(
        "the mutant 'd' is in exercise.toml or in mutants/, and not in both" in f for f in faults(found)
    )


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('slug = "small"', "", "the key 'slug' is missing"),
        ('id = "0.1"', "id = 0.1", "id should be a text, and is 0.1"),
        ('kind = "function"', 'kind = "funktion"', "kind = 'funktion' is none of: function, prediction"),
        ("generator = 1", "generator = 0", "generator should be a number from 1 on"),
        ("one = 1", 'one = "1"', "the group 'one' should be a number of points"),
        ("one = 1", "one = { points = 1, perserves = true }", "the group 'one' should be"),
        ('group = "two"', 'group = "too"', "the mutant 'a' names the group 'too': did you mean 'two'?"),
        ("cap = 0", 'cap = "0"', "the mutant 'c' should be { group = …, cap = … }"),
        ('function = "f"', "", "the key 'function' is missing"),
        ('file = "f.py"', 'file = "../f.py"', "is not the name of a file"),
        ('slug = "small"', 'slug = "small"\nsecs = 3', "there is no key 'secs'"),
        ('slug = "small"', 'slug = "small"\nseconds = -1', "seconds should be more than 0"),
        ('slug = "small"', 'slug = "small"\nafter = "1.1"', "after should be a list of exercise ids"),
        ("[mutants]", "[mutant]", "the key 'mutants' is missing"),
        ("[groups]", "[groups", "it is not TOML"),
    ],
)
def test_what_exercise_toml_lacks_is_a_sentence(tmp_path: Path, old: str, new: str, what: str) -> None:
    found = exercise(tmp_path / "e")
    change(found.folder, "exercise.toml", old, new)

    with pytest.raises(ExerciseError) as raised:
        Exercise.read(found.folder)

    assert what in str(raised.value)
    assert "exercise.toml" in str(raised.value)


def test_a_broken_exercise_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "course").mkdir()
    exercise(tmp_path / "course" / "good")
    broken = exercise(tmp_path / "course" / "broken")
    change(broken.folder, "exercise.toml", 'slug = "small"', "")
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "state"))

    assert run(["learn", "list", "--course", str(tmp_path / "course"), "--lang", "en"]) == 0

    said = capsys.readouterr()
    assert "0.1" in said.out
    assert "the key 'slug' is missing" in said.err


def test_two_exercises_of_one_id_are_told(tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    for name in ("a", "b"):
        exercise(tmp_path / "course" / name)

    exercises, broken = Course(tmp_path / "course").read()

    assert len(exercises) == 1
    assert "the id '0.1' is that of" in str(broken[0])


def test_an_exercise_anywhere_is_started_checked_and_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "course" / "week-1").mkdir(parents=True)
    exercise(tmp_path / "course" / "week-1" / "f")
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    course = ["--course", str(tmp_path / "course"), "--lang", "en"]

    assert run(["learn", "start", "0.1", "mine", *course]) == 0
    assert run(["learn", "check", "0.1", *course]) == 1
    Path("mine/f.py").write_text(FILES["reference.py"])
    assert run(["learn", "check", "0.1", *course]) == 0
    assert run(["learn", "verify", *course]) == 0

    assert "1 exercises are fine" in capsys.readouterr().out


def test_a_folder_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", "list", "--course", str(tmp_path / "nowhere")]) == 1

    assert "no such folder of exercises" in capsys.readouterr().err


def test_an_id_that_is_mistyped_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", "hint", "1.33"]) == 1

    assert "did you mean '1.3'?" in capsys.readouterr().err


def test_a_mutant_that_another_seed_lets_through_is_found_with_more_seeds(tmp_path: Path) -> None:
    lucky = CHECKS.replace(
        "(True,), True)", "(True,), True) if sum(seed.encode()) % 2 else Case('two', (1,), 1)"
    )
    found = exercise(tmp_path / "e", checks=lucky)

    more = verify(found, Conditions(best_isolation(), 10), more_seeds=6).faults

    assert any("'a'" in fault and "with the seed 'more-" in fault for fault in more)


def test_predictions_do_not_count_in_marks_unless_the_exercise_says_so(tmp_path: Path) -> None:
    kinds = {"prediction": 0.0, "choice": 1.0, "dockerfile": 1.0}
    for kind, weight in kinds.items():
        assert made(tmp_path / kind, kind, "", "one = 1").weight == weight

    assert made(tmp_path / "counts", "prediction", "", "one = 1", keys="weight = 2").weight == 2


@pytest.mark.parametrize("weight", ["-1", "true", "'1'", "1000"])
def test_a_weight_is_a_number(tmp_path: Path, weight: str) -> None:
    with pytest.raises(ExerciseError, match="weight should be from 0 to 100"):
        made(tmp_path / "e", "prediction", "", "one = 1", keys=f"weight = {weight}")


def test_what_a_child_judges_may_lie_in_a_relative_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    checks = "from course.check import held\ndef judge(one, _):\n    yield held('one', '/a' in one.paths)\n"
    found = made(Path("e"), "dockerfile", checks, "one = 1", files={"starter.Dockerfile": "FROM scratch\n"})

    assert graded(found, "FROM busybox\nRUN echo > /a\n").passed


@pytest.mark.parametrize(("kind", "seeds"), [("dockerfile", 1), ("yaml", 1), ("choice", 4), ("parsons", 4)])
def test_seeds_are_tried_only_where_they_decide_about_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, seeds: int
) -> None:
    asked: set[str] = set()

    def graded_without_looking(exercise: Exercise, _: bytes, *, seed: str, conditions: Conditions) -> Result:
        asked.add(seed)
        return Result(exercise, seed, conditions.isolation, ())

    monkeypatch.setattr("course.grader.verify.grade_bytes", graded_without_looking)
    checks = "def items(seed):\n    return []\n\ndef lines(seed):\n    return []\n"
    files = {"starter.x": "x", "reference.json": "{}"}
    found = made(tmp_path / "e", kind, checks, "one = 1", files=files)

    verify(found, Conditions(best_isolation()), more_seeds=2)

    assert len(asked) == seeds
