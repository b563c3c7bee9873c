"""What every notebook keeps to: executed here, in both languages, and held against what is kept."""

from __future__ import annotations

import ast
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from course.exercise import Course
from course.lesson import Lesson, Sealed, Verdict
from course.notebook_outputs import executed, run, written

FOLDER = Path(__file__).parents[3] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_PIXELS = 780

every_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


@cache
def document(notebook: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(notebook.read_text(encoding="utf-8"))
    return read


@cache
def done(notebook: Path, language: str) -> dict[str, Any]:
    return executed(document(notebook), language=language)


def sources(notebook: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in document(notebook)["cells"] if cell["cell_type"] == "code"]


def shown(notebook: Path, language: str, mime: str) -> list[str]:
    return [
        "".join(output["data"][mime])
        for cell in done(notebook, language)["cells"]
        for output in cell.get("outputs", [])
        if mime in output.get("data", {})
    ]


def lesson_of(notebook: Path) -> Lesson:
    return Lesson(notebook.stem.partition("_")[2])


def test_every_lesson_has_a_notebook() -> None:
    assert [notebook.stem.partition("_")[2] for notebook in NOTEBOOKS] == sorted(
        Lesson.names(), key=lambda name: next(path.name for path in NOTEBOOKS if path.stem.endswith(name))
    )


@every_notebook
def test_it_begins_with_a_question_in_both_languages(notebook: Path) -> None:
    first = "".join(document(notebook)["cells"][0]["source"])

    assert first.startswith("# ") and "?" in first.splitlines()[0]
    assert "？" in first.splitlines()[2]


@every_notebook
def test_what_is_kept_is_what_it_shows_today(notebook: Path) -> None:
    assert written(done(notebook, "en")) == notebook.read_text(encoding="utf-8"), "run make outputs"


@every_notebook
def test_it_shows_one_language_at_a_time(notebook: Path) -> None:
    english, chinese = (shown(notebook, language, "text/markdown") for language in ("en", "zh"))

    assert len(english) == len(chinese) >= 6
    assert not any("一" <= char <= "鿿" for text in english for char in text)
    assert all(any("一" <= char <= "鿿" for char in text) for text in chinese)


@every_notebook
def test_all_other_text_is_in_the_catalogue_and_nothing_is_defined(notebook: Path) -> None:
    cells = document(notebook)["cells"]

    assert [cell["cell_type"] for cell in cells] == ["markdown"] + ["code"] * (len(cells) - 1)
    for source in sources(notebook):
        body = ast.walk(ast.parse(source))
        assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body)


@every_notebook
def test_nothing_of_a_run_or_a_machine_is_kept(notebook: Path) -> None:
    text = re.sub(r"sha256:[0-9a-f]+", "", notebook.read_text(encoding="utf-8"))

    for told in (
        r" at 0x[0-9a-f]{6,}",
        r"/root/|/home/\w+/\w|/tmp/tmp",
        r"\b20\d\d-\d\d-\d\dT",
        r"Traceback",
    ):
        assert not re.search(told, text), told


@every_notebook
def test_it_shows_pictures_that_fit_a_page(notebook: Path) -> None:
    for language in ("en", "zh"):
        pictures = shown(notebook, language, "image/svg+xml")
        wide = [float(found[1]) for each in pictures if (found := re.search(r' width="([\d.]+)"', each))]

        assert len(wide) == len(pictures) >= 2
        assert max(wide) <= MOST_PIXELS


@every_notebook
@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_asks_before_and_after_and_gives_no_answer_away(notebook: Path, language: str) -> None:
    verdicts = [text for text in shown(notebook, language, "text/plain") if re.match(r".+: 0 / \d\n", text)]

    assert len(verdicts) == 2
    for text in verdicts:
        assert "✗" not in text and "✓" not in text
        assert text.count(": ?") >= 3


@every_notebook
def test_the_right_answers_are_right_and_wrong_ones_get_a_reason_and_a_counter_example(
    notebook: Path,
) -> None:
    lesson = lesson_of(notebook)
    key = lesson.check({}).truths

    assert lesson.check({name: sealed.truth for name, sealed in key.items()}).complete
    wrong = {
        question.name: _wrong(key[question.name], question.choices) for question in lesson.questions("check")
    }
    told = lesson.check(wrong)
    assert told.right == ()
    for mark, ask, _, why, counter in told._rows():
        assert (mark, bool(why), bool(counter)) == ("✗", True, True), ask
        assert "{" not in why


def _wrong(sealed: Sealed, choices: tuple[str, ...]) -> object:
    match sealed.truth:
        case bool(truth):
            return not truth
        case int(truth):
            return truth + 1
        case str(truth):
            assert truth in choices
            return next(choice for choice in choices if choice != truth)
    raise AssertionError(sealed)


@every_notebook
def test_the_key_of_the_check_is_not_in_the_notebook(notebook: Path) -> None:
    last = next(source for source in reversed(sources(notebook)) if "lesson.check(" in source)

    questions = lesson_of(notebook).questions("check")
    assert re.findall(r'^    "(\w+)": None,$', last, re.MULTILINE) == [each.name for each in questions]
    assert last.count(":") == len(questions)


@every_notebook
def test_run_twice_it_shows_the_same_and_writes_nothing(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Any] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    for source in sources(notebook):
        first, again = (repr(run(source, names)) for _ in range(2))
        assert first == again, source
    assert list(tmp_path.iterdir()) == []


@every_notebook
def test_one_can_begin_with_any_of_its_texts(notebook: Path) -> None:
    texts = [source for source in sources(notebook) if ".say(" in source]

    for source in texts:
        fresh: dict[str, Any] = {}
        assert str(run(source, fresh))
        assert isinstance(fresh["lesson"], Lesson)
    chinese: dict[str, Any] = {"LANGUAGE": "zh"}
    assert re.search("[一-鿿]", str(run(texts[0], chinese)))


@every_notebook
def test_both_languages_have_the_same_texts(notebook: Path) -> None:
    name = notebook.stem.partition("_")[2]
    english, chinese = (Lesson(name, language)._texts for language in ("en", "zh"))

    assert english.ids() == chinese.ids()
    said = set(re.findall(r'\.say\("(\w+)"\)', "".join(sources(notebook))))
    assert {f"text.{part}" for part in said} == {each for each in english.ids() if each.startswith("text.")}


@every_notebook
def test_the_exercises_that_it_leads_to_are_in_the_course(notebook: Path) -> None:
    texts = "".join(shown(notebook, "en", "text/markdown"))
    known = {exercise.id for exercise in Course().exercises()}

    for line in re.findall(r"learn start[^\n]*", texts):
        for exercise in re.findall(r"\b\d+\.\d+K?\b|(?<=start )C\b", line):
            assert exercise in known, exercise


def test_without_matplotlib_a_notebook_runs_and_a_drawing_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from builder.errors import BuildError
    from course.laboratory import Laboratory

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    picture = Laboratory().build("FROM scratch\nWORKDIR /x\n").stage_graph()

    assert written(executed(document(NOTEBOOKS[0]))) == NOTEBOOKS[0].read_text(encoding="utf-8")
    with pytest.raises(BuildError, match="matplotlib is not installed") as error:
        picture.draw()
    assert "layerlab[viz]" in str(error.value)


def test_a_verdict_knows_nothing_of_the_language() -> None:
    assert isinstance(Lesson("layers", "zh").check({}), Verdict)
