"""What the pages show as typed and answered is what the command answers: ``console`` blocks, replayed.

``…`` in an answer stands for what was left out. A block without any answer is a list of examples.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from registry_served import host, served

ROOT = Path(__file__).parents[4]
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ layerlab (.*)\n", re.MULTILINE)


def transcripts() -> Iterator[tuple[str, str]]:
    """Each block of the README and the pages, with the page and its line."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if page.name == "pipelines.md":
            continue  # its repository is the checkout: test_pipeline.py plays it
        text = page.read_text()
        for block in _BLOCK.finditer(text):
            yield f"{page.name}:{text.count(chr(10), 0, block.start()) + 1}", block[1]


BLOCKS = dict(transcripts())


ANSWERED = [place for place, block in BLOCKS.items() if any(_COMMAND.split(block)[2::2])]


def shown(expected: str) -> re.Pattern[str]:
    """What an answer must match."""
    parts = re.split(r"\n?…\n?", expected)
    return re.compile(".*?".join(map(re.escape, parts)), re.DOTALL)


@pytest.mark.parametrize("place", ANSWERED)
def test_a_transcript_is_what_happens(
    place: str, layerlab: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    _, *parts = _COMMAND.split(BLOCKS[place])
    with served(tmp_path / "registry") as server:

        def put(text: str, names: dict[str, str]) -> str:
            for name, other in names.items():
                text = text.replace(name, other)
            return text

        here = {"localhost:5000": host(server)}
        answers = [layerlab(*shlex.split(put(command, here))) for command in parts[::2]]

    back = {other: name for name, other in here.items()}
    for answer, expected in zip(answers, parts[1::2], strict=True):
        out, err = put(answer.out, back), put(answer.err, back)
        # What is said on the standard error is shown where it helps.
        assert shown(expected).fullmatch(out) or shown(expected).search(err + out), expected


def test_there_are_transcripts() -> None:
    assert any(place.startswith("registry.md") for place in BLOCKS)
