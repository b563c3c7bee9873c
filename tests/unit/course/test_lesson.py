"""A notebook's questions: a wrong answer is told with a reason, an unanswered one is not given away."""

from __future__ import annotations

import subprocess
import sys

import pytest

from builder.errors import BuildError
from course.catalogue import Catalogue
from course.lesson import Lesson, sentence


@pytest.fixture
def lesson() -> Lesson:
    return Lesson("layers")


def test_a_right_prediction_is_marked(lesson: Lesson) -> None:
    verdict = lesson.predict({"layers": 3, "readable": None}, layers=3, readable=False, shipped=9)

    assert verdict.right == ("layers",)
    assert "✓ How many layers has the image, the base's included?: 3" in str(verdict)


def test_true_is_not_one_and_is_told_to_be_no_number(lesson: Lesson) -> None:
    verdict = lesson.predict({"layers": True}, layers=1, readable=False, shipped=9)

    assert verdict.right == ()
    assert "An answer here looks like this: a number." in str(verdict)


def test_an_unanswered_question_does_not_give_the_answer_away(lesson: Lesson) -> None:
    verdict = lesson.predict({"layers": None}, layers=31, readable=False, shipped=9)

    assert "31" not in str(verdict) and "31" not in verdict._repr_html_()


def test_a_choice_that_is_none_is_told_what_can_be_chosen(lesson: Lesson) -> None:
    assert '"base" / "top"' in str(lesson.check({"first": "bottom"}))


def test_an_unknown_name_is_told_with_the_nearest(lesson: Lesson) -> None:
    assert "There is no question 'shrink': did you mean 'shrinks'?" in str(lesson.check({"shrink": True}))


def test_an_answer_cannot_bring_markup_into_the_page(lesson: Lesson) -> None:
    answers: dict[str, object] = {"<script>": 1, "adds": "<script>"}

    assert "<script>" not in lesson.check(answers)._repr_html_()


@pytest.mark.parametrize("answers", [None, ["top"], "top"])
def test_answers_that_are_no_table_are_one_sentence(lesson: Lesson, answers: object) -> None:
    with pytest.raises(BuildError, match="the answers should be a table"):
        lesson.check(answers)  # type: ignore[arg-type]


def test_a_language_that_there_is_not_is_one_sentence() -> None:
    with pytest.raises(BuildError, match="no texts in 'de'"):
        Lesson("layers", "de")


def test_what_goes_wrong_in_a_cell_is_told_in_the_learners_language() -> None:
    say = Catalogue.read("zh")

    assert "`union` 还不存在" in sentence(NameError("name 'union' is not defined", name="union"), say)
    assert sentence(BuildError("what", fix="mend"), say) == "what\n  mend"
    assert sentence(ZeroDivisionError("division by zero"), say) == "ZeroDivisionError: division by zero"


CELLS = """
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
for cell in CELLS:
    shell.run_cell(cell)
"""


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["from course.lesson import Lesson; Lesson('layers')", "union"], "`union` is not there yet"),
        (["from course.lesson import at\nat('layers').say('see')", "union"], "`union` is not there yet"),
        (["LANGUAGE = 'de'", "from course.lesson import at\nat('layers')"], "LANGUAGE is one of: en, zh"),
        (
            ["from course.laboratory import Laboratory", "Laboratory().build('FROM alpine\\nCOPPY a b')"],
            "Dockerfile:2: ",
        ),
        (
            [
                "from course.lesson import Lesson; Lesson('layers')",
                "from unionfs_sim import *; mount([layer({})], Layer()).unlink('/nope')",
            ],
            "FileNotFoundError: No such file or directory: '/nope'",
        ),
        (
            ["from course.lesson import Lesson; lesson = Lesson('layers')", "lesson.check(['a'])"],
            "the answers",
        ),
    ],
)
def test_a_notebook_shows_a_sentence_and_no_traceback(cells: list[str], told: str) -> None:
    script = CELLS.replace("CELLS", repr(cells))

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
