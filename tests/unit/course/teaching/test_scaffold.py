"""`learn new`, and the schema of exercise.toml, which agrees with the reader."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_class import learn
from small_exercise import made, write

from course.exercise import Course, Exercise, ExerciseError
from course.teaching.scaffold import KINDS, SCHEMA

jsonschema = pytest.importorskip("jsonschema")
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize("letter", KINDS)
def test_a_new_exercise_is_verified_as_it_is(
    letter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    learn("new", "9.1", "--kind", letter, "--course", "mine")

    learn("verify", "--course", "mine")

    assert "1 exercises are fine" in capsys.readouterr().out
    learn("new", "9.1", "--kind", letter, "--course", "mine", status=1)


@pytest.mark.parametrize("name", ["../x", "", "a/b", "9..1", "\x1b[2J"])
def test_an_id_leads_nowhere(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    learn("new", name, "--kind", "F", "--course", "mine", status=1)

    assert list(tmp_path.iterdir()) == []


def test_the_schema_accepts_every_exercise_of_the_course() -> None:
    for exercise in Course().exercises():
        VALIDATOR.validate(tomllib.loads((exercise.folder / "exercise.toml").read_text()))


GOOD: dict[str, Any] = {
    "id": "0.1",
    "slug": "small",
    "kind": "function",
    "module": "0",
    "function": "f",
    "file": "f.py",
    "notebook": "01_layers",
    "generator": 1,
    "seconds": 1,
    "weight": 1,
    "after": ["0.0"],
    "groups": {"one": 1, "two": {"points": 2, "preserves": True}},
    "mutants": {"m": {"group": "one", "cap": 0}},
}
ODD = [None, 101, "", "text", "a/b", "..",
       -1, 0, 1, 61, 0.5, True, [], ["0.1"], [1], {}, {"one": 0}, {"one": -1},
       {"one": {"points": 1}}, {"m": {"group": "one"}}, {"m": {"group": "one", "cap": "1"}}]  # fmt: skip


def as_toml(tables: dict[str, Any]) -> str:
    """The tables as TOML: plain keys first, then tables; None stands for a key that is left out."""
    plain = {name: said for name, said in tables.items() if not isinstance(said, dict) and said is not None}
    lines = [f"{name} = {json.dumps(said)}" for name, said in plain.items()]
    for name, said in tables.items():
        if isinstance(said, dict):
            lines += [f"[{name}]", *(f"{key} = {inline(value)}" for key, value in said.items())]
    return "\n".join(lines) + "\n"


def inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {json.dumps(each)}" for key, each in value.items()) + " }"
    return json.dumps(value)


@given(key=st.sampled_from([*GOOD, "unknown"]), value=st.sampled_from(ODD))
def test_schema_and_reader_agree_about_one_odd_value(
    key: str, value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    made(folder, "function", "", "one = 1", keys='function = "f"')
    text = as_toml({**GOOD, key: value})
    write(folder, {"exercise.toml": text})
    try:
        Exercise.read(folder)
        read = True
    except ExerciseError as error:
        # That a mutant's group exists is more than a schema can say.
        read = "names the group" in str(error)

    assert VALIDATOR.is_valid(tomllib.loads(text)) is read, text
