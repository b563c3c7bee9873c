"""docs/teaching.md, tried from top to bottom: every command in it works, in its order."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from course.cli import run

PAGE = Path(__file__).parents[4] / "docs" / "teaching.md"
ELSEWHERE = ("make demo", ". .venv/bin/activate", "pytest ")
"""Setting up, and what tests/unit/course/teaching/test_export.py runs."""


def commands() -> list[str]:
    """The lines of the page's sh blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [
        line for block in blocks for line in block.splitlines() if line and not line.startswith(ELSEWHERE)
    ]


def test_every_command_of_the_page_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LANG", "C.UTF-8")

    for line in commands():
        if line.startswith("layerlab"):
            assert run(shlex.split(line, comments=True)[1:]) == 0, f"{line}\n{capsys.readouterr().err}"
        else:
            subprocess.run(["sh", "-c", line], check=True)

    made = {path.name for path in tmp_path.iterdir()}
    assert {"report", "results", "results-2", "my-exercises", "autograder.zip", "marks.xml"} <= made
