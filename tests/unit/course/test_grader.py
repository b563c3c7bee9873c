"""The grader survives what a submission may do, and scores what it deserves."""

from __future__ import annotations

from pathlib import Path

import pytest

from course.exercise import Exercise
from course.grader.grade import Result, grade
from course.grader.sandbox import Isolation, best_isolation, start

CHECKS = """
from course.check import Case

def cases(seed):
    yield Case("one", args=(1,), expected=1)
    yield Case("one", args=([1, 2, 3],), expected=[1, 2, 3])
    yield Case("two", args=("a",), expected="a")
"""
TOML = """
id = "0.1"
slug = "echo"
file = "echo.py"
function = "echo"
generator = 1
[groups]
one = 3
two = 2
[mutants]
"""
RIGHT = "def echo(x):\n    return x\n"


@pytest.fixture
def echo(tmp_path: Path) -> Exercise:
    folder = tmp_path / "exercise"
    folder.mkdir()
    (folder / "exercise.toml").write_text(TOML)
    (folder / "checks.py").write_text(CHECKS)
    return Exercise.read(folder)


@pytest.fixture(params=[Isolation.NONE, Isolation.BUBBLEWRAP], ids=lambda isolation: isolation.value)
def isolation(request: pytest.FixtureRequest) -> Isolation:
    if request.param is Isolation.BUBBLEWRAP and best_isolation() is not Isolation.BUBBLEWRAP:
        pytest.skip("bubblewrap is not installed or does not work here")
    assert isinstance(request.param, Isolation)
    return request.param


def graded(exercise: Exercise, source: str | bytes, isolation: Isolation) -> Result:
    submission = exercise.folder.parent / "submission.py"
    submission.write_bytes(source if isinstance(source, bytes) else source.encode())
    return grade(exercise, submission, seed="s", isolation=isolation)


def test_a_right_answer_scores_everything(echo: Exercise, isolation: Isolation) -> None:
    result = graded(echo, RIGHT, isolation)

    assert result.passed
    assert result.points == 5


def test_a_group_scores_all_or_nothing(echo: Exercise, isolation: Isolation) -> None:
    result = graded(echo, "def echo(x):\n    return x if x != [1, 2, 3] else []\n", isolation)

    assert [(group.name, group.passed) for group in result.groups] == [("one", False), ("two", True)]
    assert result.points == 2


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def echo(x):\n    while True: pass\n", "too-slow"),
        ("import os\ndef echo(x):\n    os._exit(0)\n", "ended"),
        ("def echo(x):\n    while True: print('a' * 4096, flush=True)\n", "flood"),
        ("import os\ndef echo(x):\n    os.close(3)\n    [os.close(n) for n in range(3, 32)]\n", "raised"),
        ("def echo(x):\n    return [0] * 10**10\n", "raised"),
        ("def echo(x):\n    return object()\n", "raised"),
        ("class Any:\n    def __eq__(self, other): return True\ndef echo(x):\n    return Any()\n", "raised"),
        ("def echo(x):\n    return True\n", "wrong"),
        ("def echo(x):\n    raise SystemExit(0)\n", "raised"),
        ("def echo(x):\n    return float('nan')\n", "raised"),
        ("def echo(x):\n    open('/etc/passwd', 'a')\n", "raised"),
    ],
)
def test_a_hostile_answer_costs_its_case(echo: Exercise, source: str, reason: str) -> None:
    result = graded(echo, source, best_isolation())

    assert result.points == 0
    assert result.groups[0].failure is not None
    assert result.groups[0].failure.reason in {reason, "ended"}


def test_writing_to_the_answer_channel_unasked_is_a_protocol_error(
    echo: Exercise, isolation: Isolation
) -> None:
    forged = (
        "import os\n"
        "def echo(x):\n"
        "    for fd in range(3, 32):\n"
        '        try: os.write(fd, b\'{"nonce": "guess", "value": 1}\\n\')\n'
        "        except OSError: pass\n"
        "    return x\n"
    )

    result = graded(echo, forged, isolation)

    assert result.points == 0
    assert {group.failure.reason for group in result.groups if group.failure} <= {
        "protocol",
        "not-asked",
        "ended",
    }


def test_a_fork_bomb_ends_with_its_worker(echo: Exercise) -> None:
    bomb = "import os\ndef echo(x):\n    while True:\n        try: os.fork()\n        except OSError: pass\n"

    result = graded(echo, bomb, best_isolation())

    assert result.points == 0


def test_a_thread_left_behind_does_not_keep_the_grader(echo: Exercise, isolation: Isolation) -> None:
    source = (
        "import threading, time\n"
        "def echo(x):\n    threading.Thread(target=time.sleep, args=(3600,)).start()\n    return x\n"
    )

    assert graded(echo, source, isolation).passed


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"def echo(x:\n", "not-python"),
        (b"def echo(x):\n    return '\xff'\n", "not-python"),
        (b"\x00", "not-python"),
        (b"(" * 5000, "not-python"),
        (b'{"cells": [], "nbformat": 4}', "notebook"),
        (b"#" * ((1 << 20) + 1), "too-large"),
        (b"x = 1\n", "not-loaded"),
        (b"echo = 3\n", "not-loaded"),
        (b"1/0\n", "not-loaded"),
        (b"while True: pass\n", "too-slow"),
        (b"import os; os._exit(3)\n", "ended"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_reason(echo: Exercise, source: bytes, reason: str) -> None:
    result = graded(echo, source, best_isolation())

    assert result.refused is not None
    assert result.refused[0] == reason
    assert result.points == 0


def test_the_sandbox_hides_the_machine(echo: Exercise) -> None:
    if best_isolation() is not Isolation.BUBBLEWRAP:
        pytest.skip("bubblewrap is not installed or does not work here")
    (echo.folder.parent / "canary").write_text("secret")
    peek = f"def echo(x):\n    return open({str(echo.folder.parent / 'canary')!r}).read()\n"

    result = graded(echo, peek, Isolation.BUBBLEWRAP)

    assert result.groups[0].failure is not None
    assert "FileNotFoundError" in result.groups[0].failure.detail


def test_a_killed_worker_leaves_no_process(echo: Exercise, isolation: Isolation) -> None:
    submission = echo.folder.parent / "submission.py"
    submission.write_text(RIGHT)
    worker = start(submission, "echo", isolation)

    worker.kill()
    worker.kill()

    assert worker.process.returncode is not None
