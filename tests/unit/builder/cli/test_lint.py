"""``layerlab lint``: findings on stdout, talk on stderr, 1 if anything was found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from course.cli import run


def lint(directory: Path, text: str, *options: str) -> int:
    path = directory / "Dockerfile"
    path.write_text(text, encoding="utf-8")
    return run(["lint", *options, str(path)])


def test_a_good_file_is_quiet_and_succeeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(tmp_path, "FROM alpine:3.19\nRUN true\n") == 0

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "nothing found\n"


def test_findings_are_printed_one_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(tmp_path, "FROM alpine:3.19 AS B\nMAINTAINER me\n") == 1

    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Dockerfile:1: StageNameCasing: ")
    assert second.startswith("Dockerfile:2: MaintainerDeprecated: ")


def test_json_has_the_same_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(tmp_path, "FROM alpine:3.19\nRUN a \\\n\n b\n", "--json") == 1

    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["rule"], finding["line"]) == ("NoEmptyContinuation", 4)
    assert finding["url"].endswith("/no-empty-continuation/")


def test_a_directory_stands_for_the_dockerfile_in_it(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM alpine:3.19\n", encoding="utf-8")

    assert run(["lint", str(tmp_path)]) == 0


def test_an_ignored_source_is_found_with_the_experimental_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".dockerignore").write_text("*.tmp\n", encoding="utf-8")

    assert lint(tmp_path, "FROM scratch\nCOPY a.tmp /\n") == 0
    assert lint(tmp_path, "FROM scratch\nCOPY a.tmp /\n", "--experimental") == 1
    assert "excluded by .dockerignore line 1: *.tmp" in capsys.readouterr().out


def test_a_variable_of_an_embedded_base_is_known(tmp_path: Path) -> None:
    assert lint(tmp_path, "FROM alpine:3.19\nENV P=$PATH:/x\n") == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FRO alpine\n", "did you mean 'FROM'?"),
        ("FROM alpine:3.19\nCOPY --from=b / /\nFROM alpine AS b\n", "begins only in line 3"),
        ("# check=skip\nFROM alpine:3.19\n", "check: no such option"),
    ],
)
def test_a_file_that_cannot_be_built_is_an_error(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lint(tmp_path, text) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err


def test_a_missing_file_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint", str(tmp_path / "nowhere")]) == 1
    assert "no Dockerfile at" in capsys.readouterr().err


def test_the_rules_are_printed_as_the_page_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint", "--rules"]) == 0

    page = Path(__file__).parents[4] / "docs" / "lint.md"
    assert capsys.readouterr().out == page.read_text(encoding="utf-8")
