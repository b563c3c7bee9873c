"""A child of the grader that judges what may take long or much: builds, manifests, a learner's own cases.

It runs the project's code, not the learner's, with limits on memory and processor time, and is killed when
its time is over: ``RUN while true`` must not hold the grader. The parent sends the folder of the exercise
and the submission on descriptor 0 and reads verdicts, both as JSON.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

from course.check import Text, Verdict, Wrong
from course.exercise import Exercise, ExerciseError
from course.grader.kind import Conditions, Isolation, Judgement, RefusedError
from course.kinds import KINDS

MEMORY_BYTES: Final = 2 << 30
"""Address space, of which threads reserve much and use little."""

FILE_BYTES: Final = 64 << 20


def judge_in_child(exercise: Exercise, submission: bytes, seed: str, conditions: Conditions) -> Judgement:
    """What ``verdicts(exercise, submission, seed)`` of the exercise's kind finds, in a limited child."""
    order = {
        "folder": os.path.abspath(exercise.folder),
        "seed": seed,
        "submission": base64.b64encode(submission).decode(),
        "seconds": exercise.seconds * conditions.patience,
    }
    # -I: neither the environment nor the working directory may choose what is imported.
    boot = "import sys; sys.path[:] = sys.argv[1:]; from course.grader.limited import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", boot, *map(os.path.abspath, filter(None, sys.path))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    )
    try:
        said, complained = process.communicate(
            json.dumps(order).encode(), exercise.seconds * conditions.patience
        )
    except subprocess.TimeoutExpired:
        raise RefusedError("too-slow-child", f"{exercise.seconds:g}", Isolation.CHILD) from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return _read(exercise, said, complained, process.returncode)


def _read(exercise: Exercise, said: bytes, complained: bytes, status: int) -> Judgement:
    try:
        answer = json.loads(said)
    except ValueError:
        if status < 0 or b"MemoryError" in complained:
            raise RefusedError("too-much", isolation=Isolation.CHILD) from None
        last = complained.decode(errors="replace").strip().rpartition("\n")[2]
        raise ExerciseError(
            f"the exercise itself is broken: {last}", where=str(exercise.folder / "checks.py")
        ) from None
    match answer:
        case {"broken": str(what), "where": str(where)}:
            raise ExerciseError(what, where=where)
        case {"refused": [str(reason), str(detail)]}:
            raise RefusedError(reason, detail, Isolation.CHILD)
    return Judgement([verdict_from(each) for each in answer["verdicts"]], Isolation.CHILD)


def main() -> None:
    """Judge what stands on descriptor 0, and say so on descriptor 1."""
    order = json.load(sys.stdin)
    _limit(order["seconds"])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a check prints is no verdict
    try:
        exercise = Exercise.read(Path(order["folder"]))
        submission = base64.b64decode(order["submission"])
        verdicts = import_module(KINDS[exercise.kind].module).verdicts(exercise, submission, order["seed"])
        said: dict[str, object] = {"verdicts": [verdict_to(each) for each in verdicts]}
    except RefusedError as refused:
        said = {"refused": [refused.reason, refused.detail]}
    except ExerciseError as broken:
        said = {"broken": broken.what, "where": str(broken.where)}
    json.dump(said, answers, default=str)
    answers.flush()
    os._exit(0)  # threads of a build that was given up must not keep the answer


def _limit(seconds: float) -> None:
    import resource  # not on every platform

    # The soft limit on processor time raises SIGXCPU, which ends the child, should the parent be gone.
    wanted = (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, int(seconds) + 5),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    )
    for what, most in wanted:
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def verdict_to(verdict: Verdict) -> dict[str, object]:
    """A verdict as JSON holds it."""
    wrong = verdict.wrong
    if wrong is None:
        return {"group": verdict.group}
    shown: object = wrong.shown
    if isinstance(wrong.shown, Text):
        shown = {"id": wrong.shown.id, "fields": dict(wrong.shown.fields)}
    said = {"because": wrong.because, "shown": shown, "fields": dict(wrong.fields), "how": wrong.how}
    return {"group": verdict.group, "wrong": said}


def verdict_from(said: Mapping[str, object]) -> Verdict:
    """The verdict that JSON holds."""
    match said:
        case {
            "group": str(group),
            "wrong": {"because": str(because), "shown": shown, "fields": dict(fields), "how": str(how)},
        }:
            text = Text(shown["id"], shown["fields"]) if isinstance(shown, dict) else str(shown)
            return Verdict(group, Wrong(because, text, fields, how))
    return Verdict(str(said["group"]))
