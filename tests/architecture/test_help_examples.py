"""Every word's --help has an example, and it works as it stands there."""

import io
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from course.cli import cli, run

ROOT = Path(__file__).parents[2]
PREPARED = (
    "build -q -t web -t web:1 -t web:2 -t nginx-example examples/nginx",
    "save -o web.tar web:latest",
    "learn start 1.3 started",
    "learn start 1.3 handed-in/ada",
    "learn grade 1.3 handed-in -o results",
)
"""What a reader of the examples has done before."""

FOLLOWS = {"learn check": "learn start 1.3"}
"""Examples that go on from another one."""

FAILS = {"learn check": 1, "learn watch": 1}
"""The starter file is not an answer yet."""

ELSEWHERE = {"fs mount", "pull", "push", "login", "registry", "registry serve", "daemon"}
"""They need /dev/fuse, a registry or docker: tests/real/fuse, tests/real/daemon and
tests/unit/builder/cli/test_registry_words.py."""


def words(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(command)
    yield name, command
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            assert found is not None
            yield from words(found, f"{name} {word}".strip())


def examples(command: click.Command) -> list[str]:
    """The indented lines below "Example:" in a help page."""
    page = command.get_help(click.Context(command, info_name="x"))
    block = re.search(r"^ *Example:\n((?: {4}.*\n)+)", page, re.MULTILINE)
    return [line.strip() for line in block[1].splitlines()] if block else []


ALL = dict(words(cli))


@pytest.mark.parametrize("name", ALL)
def test_every_word_has_an_example_of_its_own(name: str) -> None:
    lines = examples(ALL[name])

    assert lines
    assert any(f"layerlab {name}".strip() in line for line in lines)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    shutil.copytree(ROOT / "examples", folder / "examples")
    shutil.copytree(ROOT / "course/modules/01-rootfs-and-union/03-resolve", folder / "my-course/03-resolve")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("LAYERLAB_HOME", str(folder / "state"))
        for line in PREPARED:
            assert run(shlex.split(line)) == 0
    return folder


@pytest.fixture
def classroom(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = shutil.copytree(prepared, tmp_path / "classroom")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LAYERLAB_HOME", str(folder / "state"))
    monkeypatch.setenv("LANG", "C.UTF-8")
    return folder


@pytest.mark.parametrize("name", [name for name in ALL if name not in ELSEWHERE])
def test_the_example_works(
    name: str, classroom: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if name in FOLLOWS:
        run(shlex.split(FOLLOWS[name]))
    for line in examples(ALL[name]):
        said, _, typed = line.rpartition(" | ")
        text = shlex.split(said)[1] if said else ""
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

        status = run(shlex.split(typed)[1:])

        assert status == FAILS.get(name, 0), capsys.readouterr().err
    assert Path.cwd() == classroom
    assert [name for name in os.listdir(classroom) if name.startswith(".")] == []
