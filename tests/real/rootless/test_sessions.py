"""A builder's part of the state directory, and what is left of it when it is killed at any point."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from builder.namespace.state import State

pytestmark = [pytest.mark.rootless]


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    """The sessions of a state directory that has been used; every test's state is ``tmp_path``."""
    state = State(str(tmp_path))
    assert state.workspace()
    state.close()
    return Path(state.path) / "sessions"


def started_and_closed(tmp_path: Path) -> None:
    state = State(str(tmp_path))
    assert state.namespace
    state.close()


def test_a_session_is_removed_with_everything_in_it_when_its_builder_closes(
    tmp_path: Path, sessions: Path
) -> None:
    state = State(str(tmp_path))
    workspace = Path(state.path) / state.workspace()
    assert workspace.is_dir()

    state.close()

    assert list(sessions.iterdir()) == []


@pytest.mark.parametrize("mode", [0o700, 0o755])
@pytest.mark.parametrize("content", [(), ("1",), ("lock",), ("1/upper", "1/work")])
def test_the_next_builder_removes_what_nobody_holds(
    tmp_path: Path, sessions: Path, mode: int, content: tuple[str, ...]
) -> None:
    left = sessions / "left"
    left.mkdir(mode=mode)
    for name in content:
        (left / name).mkdir(parents=True)
    if content:  # before it is the namespace's, nothing is in it
        for each in (left, *left.rglob("*")):
            os.chown(each, sessions.stat().st_uid, sessions.stat().st_gid)

    started_and_closed(tmp_path)

    assert list(sessions.iterdir()) == []


def test_a_session_that_is_held_stays(tmp_path: Path, sessions: Path) -> None:
    held = sessions / "held"
    held.mkdir()
    os.chown(held, sessions.stat().st_uid, sessions.stat().st_gid)
    lock = os.open(held, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)

    started_and_closed(tmp_path)
    os.close(lock)

    assert [each.name for each in sessions.iterdir()] == ["held"]


def test_two_builders_leave_each_other_alone(tmp_path: Path, sessions: Path) -> None:
    first, second = State(str(tmp_path)), State(str(tmp_path))
    of_the_first = Path(first.path) / first.workspace()
    of_the_second = Path(second.path) / second.workspace()

    second.close()

    assert of_the_first.is_dir()
    assert not of_the_second.exists()
    first.close()
    assert list(sessions.iterdir()) == []


def test_a_builder_whose_session_is_swept_before_it_holds_it_makes_another(
    tmp_path: Path, sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, swept = fcntl.flock, []

    def sweep_first(descriptor: int, operation: int) -> None:
        if not swept:
            swept.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            os.rmdir(swept[0])
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", sweep_first)

    state = State(str(tmp_path))
    workspace = state.workspace()

    assert os.path.basename(swept[0]) not in workspace
    assert (Path(state.path) / workspace).is_dir()
    state.close()
    assert list(sessions.iterdir()) == []
