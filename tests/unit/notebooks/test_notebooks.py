"""What every notebook keeps to; that they run to their end is shown by executing them."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from course.figures.picture import Picture
from course.lesson import Verdict

FOLDER = Path(__file__).parents[3] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def cells(notebook: Path, kind: str) -> list[str]:
    document = json.loads(notebook.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == kind]


def run(source: str, names: dict[str, Any]) -> Any:
    """The value of a cell's last expression, as a notebook shows it."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return (
        eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        if isinstance(last, ast.Expr)
        else None
    )


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_begins_with_a_question_in_both_languages(notebook: Path) -> None:
    first = cells(notebook, "markdown")[0]

    assert first.startswith("# ") and "?" in first.splitlines()[0]
    assert "？" in first


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_explanation_is_in_both_languages(notebook: Path) -> None:
    for text in cells(notebook, "markdown"):
        assert any("一" <= char <= "鿿" for char in text), text
        assert sum(char.isascii() and char.isalpha() for char in text) >= 5, text


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped_and_nothing_is_defined(notebook: Path) -> None:
    document = json.loads(notebook.read_text(encoding="utf-8"))

    for cell in document["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        if cell["cell_type"] == "code":
            body = ast.walk(ast.parse("".join(cell["source"])))
            assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_predicts_shows_pictures_and_ends_with_a_check(notebook: Path) -> None:
    names: dict[str, Any] = {}
    shown = [run(source, names) for source in cells(notebook, "code")]

    verdicts = [value for value in shown if isinstance(value, Verdict)]
    assert [verdict.heading for verdict in verdicts] == ["Prediction", "Check"]
    assert sum(isinstance(value, Picture) for value in shown) >= 2
    assert not verdicts[-1].complete


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_right_answers_are_marked_right_and_unanswered_ones_are_not_given_away(notebook: Path) -> None:
    names: dict[str, Any] = {}
    verdicts = [
        value for source in cells(notebook, "code") if isinstance(value := run(source, names), Verdict)
    ]

    for verdict in verdicts:
        assert Verdict(verdict.heading, verdict.truths, verdict.truths).complete
        assert verdict.answers.keys() == verdict.truths.keys()
        assert str(verdict).count("?") >= len(verdict.truths)


def test_without_matplotlib_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from builder.errors import BuildError
    from course.laboratory import Laboratory

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    picture = Laboratory().build("FROM scratch\nWORKDIR /x\n").stage_graph()

    assert picture._repr_svg_().startswith("<svg")
    with pytest.raises(BuildError, match="matplotlib is not installed") as error:
        picture.draw()
    assert "layerlab[viz]" in str(error.value)
