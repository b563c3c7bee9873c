"""Embedded bases are images: whatever takes an image takes them, and for an unknown tag its kin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builder.world.supplies import bases
from course.cli import run


def said(capsys: pytest.CaptureFixture[str], *words: str, state: Path) -> tuple[int, str, str]:
    status = run(["--state", str(state), *words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize(
    "words",
    [
        ["run", "alpine", "echo", "hi"],
        ["history", "nginx"],
        ["inspect", "busybox:1.36"],
        ["image", "tree", "debian:12-slim"],
        ["image", "diff", "alpine", "busybox"],
        ["tag", "alpine:3.19", "mine"],
        ["fs", "explain", "/etc/passwd", "--lower", "alpine"],
    ],
)
def test_a_word_that_takes_an_image_takes_an_embedded_one(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = said(capsys, *words, state=tmp_path / "state")

    assert "no such image" not in err
    assert status == 0


def test_the_embedded_images_are_listed_and_each_can_be_had(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = said(capsys, "images", "--embedded", "--json", state=tmp_path)

    names = [each["name"] for each in json.loads(out)]
    assert names == list(bases.names())
    assert all(bases.find(name) is not None for name in names)


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ("alpine:3.20", "alpine:3.19"),
        ("alpine:edge", "alpine:3"),
        ("debian:trixie-slim", "debian:12-slim"),
        ("debian:13", "debian:12"),
        ("nginx:1.27-alpine", "nginx:1.24-alpine"),
        ("nginx:1.27.3", "nginx:1.24.0"),
        ("busybox:1.37", "busybox:1.36"),
        ("gcc:14.2", "gcc:12.2"),
        ("ubuntu:24.04", "ubuntu:22.04"),
        ("node:20", None),
        ("elsewhere.example/alpine:3.19", None),
    ],
)
def test_the_nearest_tag_of_the_same_repository_is_taken(asked: str, taken: str | None) -> None:
    assert bases.relative(asked) == taken


def test_every_embedded_name_is_nearest_to_itself() -> None:
    assert [bases.relative(name) for name in bases.names()] == list(bases.names())


def test_a_build_says_what_it_took_once_and_strict_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM alpine:3.21\nRUN cat /etc/alpine-release\nFROM alpine:3.21\n")
    build = ["build", "--progress", "plain", "--target", "0", str(tmp_path)]

    status, _, err = said(capsys, *build, state=tmp_path / "state")
    refused, _, refusal = said(capsys, *build, "--strict", state=tmp_path / "state")

    assert status == 0
    assert err.count("alpine:3.21 is not here: alpine:3.19 is taken for it") == 1
    assert refused == 1
    assert "no image 'alpine:3.21' here" in refusal


def test_a_learners_progress_is_no_foreign_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "learn.json").write_text("{}")

    assert said(capsys, "images", state=tmp_path)[0] == 0


@pytest.mark.parametrize(
    ("word", "advice"),
    [("buld", "Did you mean build?"), ("ps", "nothing runs in the background"), ("zzz", "--help")],
)
def test_a_mistyped_word_gets_a_suggestion(
    word: str, advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = said(capsys, word, state=tmp_path)

    assert status == 2
    assert advice in err
