"""`learn grade`: a class is graded once, by anything that executes, and whatever happens costs little."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from small_class import LOOP, MUTANT, OWN, RIGHT, course, handed_in, learn, learn_json

from course.exercise import Exercise
from course.grader.kind import Isolation
from course.grader.sandbox import best_isolation
from course.teaching import batch, grading, holding
from course.teaching.results import Results, results_in

ROOT = Path(__file__).parents[4]


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exercise:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "state"))
    return course(tmp_path / "course")


def grade(capsys: pytest.CaptureFixture[str], *words: object, status: int = 0) -> Any:
    return learn_json(capsys, "grade", "0.1", *words, "--course", "course", "--patience", 4, status=status)


def points(said: Any) -> dict[str, int]:
    return {row["learner"]: row["points"] for row in said["graded"]}


def test_a_class_is_graded_once_and_only_what_changed_again(
    echo: Exercise, capsys: pytest.CaptureFixture[str]
) -> None:
    handed_in(Path("in"), ada=RIGHT, lin=MUTANT, eve=LOOP)

    first = grade(capsys, "in")
    again = grade(capsys, "in")
    Path("in/lin/echo.py").write_text(RIGHT)
    third = grade(capsys, "in")

    assert points(first) == {"ada": 5, "eve": 0, "lin": 2}
    assert (points(again), again["known"]) == ({}, 3)
    assert (points(third), third["known"]) == ({"lin": 5}, 2)
    assert sorted(each.points for each in Results(Path("results"), "0.1").read()) == [0, 5, 5]


def test_another_seed_or_exercise_is_graded_anew(echo: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    handed_in(Path("in"), ada=RIGHT)
    grade(capsys, "in")

    assert points(grade(capsys, "in", "--seed", "exam")) == {"ada": 5}
    checks = echo.folder / "checks.py"
    checks.write_text(checks.read_text() + "\n# changed\n")
    assert points(grade(capsys, "in", "--seed", "exam")) == {"ada": 5}
    (echo.folder / "README.en.md").write_text("another text, which decides about nothing")
    assert points(grade(capsys, "in", "--seed", "exam")) == {}


def test_shards_grade_everything_once(echo: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    handed_in(Path("in"), **{f"l{number}": RIGHT for number in range(5)})

    shards = [points(grade(capsys, "in", "--shard", f"{number}/3")) for number in range(3)]

    assert sorted(learner for shard in shards for learner in shard) == ["l0", "l1", "l2", "l3", "l4"]
    assert grade(capsys, "in")["known"] == 5
    learn("grade", "0.1", "in", "--course", "course", "--shard", "3/3", status=2)


def test_seeds_come_from_the_roster_or_a_secret(echo: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    handed_in(Path("in"), ada=RIGHT, lin=RIGHT)
    Path("roster.csv").write_text("learner,seed\nada,own\nlin,\ngrace,\n")
    Path("secret").write_bytes(b"nobody knows")

    said = grade(capsys, "in", "--roster", "roster.csv", "--secret", "secret", status=1)

    seeds = {each.learner: each.document["seed"] for each in Results(Path("results"), "0.1").read()}
    assert seeds["ada"] == "own"
    assert len(seeds["lin"]) == 12
    assert said["problems"] == ["nothing was handed in by 1: grace"]


def test_names_that_steer_paths_or_terminals_do_not(
    echo: Exercise, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Path("in").mkdir()
    for number, learner in enumerate(("../../up", "\x1b[2J", "=cmd()", "a/b")):
        Path(f"in/{number}.py").write_text(OWN)
        with Path("list.csv").open("a") as table:
            table.write(f'in/{number}.py,"{learner}"\n')

    learn("grade", "0.1", "list.csv", "--course", "course", "--patience", 4)
    learn("report", "results", "--course", "course", "-o", "out")

    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["course", "in", "list.csv", "out", "results"]
    assert "\x1b" not in Path("out/class.html").read_text()
    assert "'=cmd()" in Path("out/marks.csv").read_text()
    assert len(list(Path("out/learners").iterdir())) == 4


@pytest.mark.parametrize(
    ("words", "total"), [((), "5"), (("--weight", "0.1=0"), "0"), (("--weight", "0.1=0.5"), "2.5")]
)
def test_points_count_by_their_weight(echo: Exercise, words: tuple[str, ...], total: str) -> None:
    handed_in(Path("in"), ada=RIGHT)
    learn("grade", "0.1", "in", "--course", "course", "--patience", 4)

    learn("report", "results", "--course", "course", "-o", "out", *words)

    assert Path("out/marks.csv").read_text().splitlines() == ["learner,0.1,total", f"ada,5,{total}"]


def test_a_weight_that_is_no_number_is_told(echo: Exercise) -> None:
    handed_in(Path("in"), ada=RIGHT)
    learn("grade", "0.1", "in", "--course", "course", "--patience", 4)

    learn("report", "results", "--course", "course", "--weight", "0.1=much", status=2)


class Dying(Executor):
    """Grades all but one, whose worker dies."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if args[0].learner == "lin":
            future.set_exception(MemoryError("the worker was killed"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_a_dead_worker_costs_one_submission_and_the_next_run_grades_it(
    echo: Exercise, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in(Path("in"), ada=RIGHT, lin=RIGHT, zoe=RIGHT)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "ThreadPoolExecutor", lambda *_args, **_options: Dying())

        first = grade(capsys, "in", status=1)

    assert set(points(first)) == {"ada", "zoe"}
    assert "lin" in first["problems"][0]
    assert points(grade(capsys, "in")) == {"lin": 5}


def test_any_executor_grades(echo: Exercise, tmp_path: Path) -> None:
    tasks = [
        batch.Task(str(echo.folder), echo.version, name, source.encode(), "s", best_isolation(), 4.0)
        for name, source in (("ada", RIGHT), ("lin", MUTANT))
    ]

    with ProcessPoolExecutor(2) as executor:
        found = {task.learner: graded for task, graded in batch.grade_all(tasks, executor, 2)}

    assert {name: graded.points for name, graded in found.items()} == {"ada": 5, "lin": 2}  # type: ignore[union-attr]


def test_an_exercise_that_changes_meanwhile_stops_the_run(
    echo: Exercise, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in(Path("in"), ada=RIGHT, lin=RIGHT)
    honest = grading._stamp

    def changing(exercise: Exercise) -> Any:
        found = honest(exercise)
        (exercise.folder / "checks.py").touch()
        return found

    monkeypatch.setattr(grading, "_stamp", changing)
    learn("grade", "0.1", "in", "--course", "course", status=1)

    assert "was changed while it was graded" in capsys.readouterr().err


def test_without_walls_nothing_is_graded_unless_it_is_said_and_recorded(
    echo: Exercise, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in(Path("in"), ada=RIGHT)
    monkeypatch.setattr("course.grader.sandbox.best_isolation", lambda: Isolation.NONE)

    learn("grade", "0.1", "in", "--course", "course", status=1)
    assert "--unsafe" in capsys.readouterr().err
    assert holding.holding(echo, is_unsafe=True) is Isolation.NONE
    assert holding.holding(echo, is_unsafe=False, is_in_container=True) is Isolation.CONTAINER


def test_a_full_disk_ends_the_run_with_a_sentence_and_no_half_file(
    echo: Exercise, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in(Path("in"), ada=RIGHT, lin=RIGHT)

    def full(_from: str, _to: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        learn("grade", "0.1", "in", "--course", "course", status=1)

    assert "No space left on device" in capsys.readouterr().err
    assert [path for path in Path("results").rglob("*") if path.is_file()] == []
    assert len(points(grade(capsys, "in"))) == 2


def test_a_broken_result_is_named(echo: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    handed_in(Path("in"), ada=RIGHT)
    grade(capsys, "in")
    (result,) = Path("results/0.1").glob("*.json")
    result.write_text('{"learner": "ada"}')

    learn("report", "results", "--course", "course", status=1)

    assert str(result) in capsys.readouterr().err
    with pytest.raises(Exception, match="no results"):
        results_in(Path("in"))


SLOW = "import time\ndef echo(x):\n    time.sleep(0.1)\n    return x\n"


def layerlab(*words: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "course", "learn", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(count: int, folder: Path) -> None:
    """Wait until there are ``count`` results."""
    deadline = time.monotonic() + 60
    while len(list(folder.glob("*.json"))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_grader_loses_nothing_and_the_next_run_goes_on(
    echo: Exercise, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    handed_in(Path("in"), **{f"l{number:02}": SLOW for number in range(12)})
    words = ("grade", "0.1", "in", "--course", "course", "--patience", "9", "--jobs", "1")
    grader = layerlab(*words, cwd=tmp_path)

    until(2, Path("results/0.1"))
    grader.send_signal(signal.SIGKILL)
    grader.communicate()
    before = len(list(Path("results/0.1").glob("*.json")))
    second = grade(capsys, "in")

    assert 2 <= before < 12
    assert second["known"] + len(second["graded"]) == 12
    assert second["known"] == before


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, each a process with one thread."""
    pytest.importorskip("distributed")
    started: list[subprocess.Popen[bytes]] = []
    scheduler_file = tmp_path / "scheduler.json"

    def begin(*words: str) -> None:
        command = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]
        with (tmp_path / "dask.log").open("ab") as log:
            started.append(subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log))

    begin("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show",
          "--scheduler-file", str(scheduler_file))  # fmt: skip
    deadline = time.monotonic() + 60
    while not scheduler_file.exists() or not scheduler_file.read_text().strip():
        assert time.monotonic() < deadline, (tmp_path / "dask.log").read_text()
        time.sleep(0.05)
    address = json.loads(scheduler_file.read_text())["address"]
    for name in ("one", "two"):
        begin("dask_worker", address, "--no-nanny", "--nthreads", "1", "--name", name, "--no-dashboard")
    try:
        yield address, started[1:]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def test_a_cluster_grades_and_a_worker_that_is_killed_costs_nothing_but_time(
    echo: Exercise, cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    address, processes = cluster
    handed_in(Path("in"), **{f"l{number:02}": SLOW for number in range(10)})
    words = ("grade", "0.1", "in", "--course", "course", "--patience", "9", "--dask", address)

    grader = layerlab(*words, cwd=tmp_path)
    until(3, Path("results/0.1"))
    processes[0].kill()
    said, _ = grader.communicate(timeout=120)
    if grader.returncode:  # the submission in its hands may be the one that it costs
        assert said.count("its worker failed") == 1, said
        grader = layerlab(*words, cwd=tmp_path)
        said, _ = grader.communicate(timeout=120)

    assert grader.returncode == 0, said
    assert {each.points for each in Results(Path("results"), "0.1").read()} == {5}
    assert len(list(Path("results/0.1").glob("*.json"))) == 10


def test_dask_is_asked_for_by_name_where_it_is_missing(
    echo: Exercise, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in(Path("in"), ada=RIGHT)
    monkeypatch.setitem(sys.modules, "distributed", None)

    learn("grade", "0.1", "in", "--course", "course", "--dask", "tcp://127.0.0.1:8786", status=1)

    assert "pip install distributed" in capsys.readouterr().err
