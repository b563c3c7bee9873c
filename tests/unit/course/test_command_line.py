"""The root of the command line: whatever comes, one clear message and an exit status."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import course.cli
from course.cli import cli, run

Call = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def layerlab(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """A process of its own, started by a shell that can redirect it; a small image lies in its store."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "Dockerfile").write_bytes(
        b'FROM busybox\nRUN touch "$(printf "\\033[31mred")" && : \xe4\xbd\xa0\n'
    )

    def call(line: str, **env: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["sh", "-c", line.replace("layerlab", f"{sys.executable} -m course")],
            cwd=folder,
            env={
                "PATH": os.defpath,
                "PYTHONPATH": str(Path(course.cli.__file__).parents[1]),
                "LAYERLAB_HOME": str(folder / "state"),
                "LANG": "C.UTF-8",
                **env,
            },
            capture_output=True,
            check=False,
        )

    assert call("layerlab build -q -t red .").returncode == 0
    return call


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("layerlab load <&-", 1, b"layerlab: "),
        ("layerlab build -f - . <&-", 1, b"layerlab: "),
        ("layerlab fs shell <&-", 0, b""),
        ("layerlab images >&-", 1, b"layerlab: Bad file descriptor\n"),
        ("layerlab save red >&-", 1, b"Bad file descriptor\n"),
        ("layerlab images >/dev/full", 1, b"layerlab: No space left on device\n"),
        ("layerlab build . 2>&-", 0, b""),
        ("layerlab run red 2>&- <&- >&- ", 0, b""),
    ],
)
def test_a_closed_or_full_stream_is_no_traceback(layerlab: Call, line: str, status: int, said: bytes) -> None:
    done = layerlab(line)

    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert done.returncode == status, done.stderr
    assert said in done.stderr


@pytest.mark.parametrize(
    "words", ["images", "image tree red", "save red", "build .", "--help", "inspect red"]
)
def test_a_reader_that_leaves_early_is_no_complaint(layerlab: Call, words: str) -> None:
    done = layerlab(f"layerlab {words} 2>errors | true; cat errors")

    assert b"Traceback" not in done.stdout
    assert b"Broken pipe" not in done.stdout
    assert b"Exception ignored" not in done.stdout


@pytest.mark.parametrize(
    "words", ["build .", "explain Dockerfile", "learn start --lang zh 1.3 there", "history red"]
)
def test_an_encoding_without_our_signs_is_no_traceback(layerlab: Call, words: str) -> None:
    done = layerlab(f"layerlab {words}", PYTHONIOENCODING="ascii")

    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("words", ["image tree red", "explain Dockerfile", "run red \x1b[31mblue"])
def test_a_name_cannot_steer_the_terminal(layerlab: Call, words: str) -> None:
    done = layerlab(f"layerlab {words}")

    assert b"\x1b" not in done.stdout + done.stderr
    assert b"[31m" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (RecursionError(), 1, "nested too deeply"),
        (MemoryError(), 1, "out of memory"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (IsADirectoryError(21, "Is a directory", "x"), 1, "layerlab: x: Is a directory"),
    ],
)
def test_what_no_word_catches_is_one_message(
    error: BaseException, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli, "main", fail)

    assert run(["images"]) == status
    assert said in capsys.readouterr().err


def test_an_interrupt_inside_exec_ends_with_130_too(tmp_path: Path) -> None:
    """CPython ends by the signal if a KeyboardInterrupt ever left an exec() of text."""
    code = (
        "import course.cli as cli, click\n"
        "def interrupted(*_, **__): exec('raise KeyboardInterrupt')\n"
        "cli.cli.main = interrupted\n"
        "cli.main([])\n"
    )

    (tmp_path / "interrupting.py").write_text(code)

    argv = [sys.executable, "-m", "interrupting"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (130, "interrupted\n")
