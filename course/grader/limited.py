"""A child of the grader that judges what may take long or much: builds, manifests, a learner's own cases.

It runs the project's code, not the learner's, with limits on memory and processor time, and is killed when
its time is over: ``RUN while true`` must not hold the grader. The parent sends the folder of the exercise
and the submission on descriptor 0 and reads verdicts, both as JSON.
"""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from course.check import Text, Verdict, Wrong
from course.exercise import Exercise, ExerciseError
from course.grader import worker
from course.grader.kind import Conditions, Isolation, Judgement, RefusedError
from course.grader.zygote import STABLE, Zygote, ZygoteError
from course.kinds import KINDS

MEMORY_BYTES: Final = 2 << 30
"""Address space, of which threads reserve much and use little."""

FILE_BYTES: Final = 64 << 20


_BOOT: Final = "import sys; sys.path[:] = sys.argv[1:-1]; from course.grader.limited import main; main()"
_KIND: Final = "limited child"


def judge_in_child(exercise: Exercise, submission: bytes, seed: str, conditions: Conditions) -> Judgement:
    """What ``verdicts(exercise, submission, seed)`` of the exercise's kind finds, in a limited child."""
    seconds = exercise.seconds * conditions.patience
    order = {
        "folder": os.path.abspath(exercise.folder),
        "seed": seed,
        "submission": base64.b64encode(submission).decode(),
        "seconds": seconds,
    }
    with (
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as answered,
        tempfile.TemporaryFile() as complained,
    ):
        asked.write(json.dumps(order).encode())
        asked.seek(0)
        done_read, done_write = os.pipe()
        with os.fdopen(done_read, "rb") as done:
            try:
                zygote = _forked((asked.fileno(), answered.fileno(), complained.fileno(), done_write))
            finally:
                os.close(done_write)
            in_time = bool(select.select([done], [], [], seconds)[0])  # its end closes the pipe
        status = _ended(zygote)
        if not in_time:
            raise RefusedError("too-slow-child", f"{exercise.seconds:g}", Isolation.CHILD)
        answered.seek(0)
        complained.seek(0)
        return _read(exercise, answered.read(), complained.read(), status)


def _forked(descriptors: Sequence[int]) -> Zygote:
    """A warm process with a child; a new one if the idle one was no use any more."""
    # -I: neither the environment nor the working directory may choose what is imported.
    argv = [sys.executable, "-I", "-c", _BOOT, *map(os.path.abspath, filter(None, sys.path))]
    while True:
        idle = STABLE.take(_KIND)
        zygote = idle or STABLE.start(_KIND, argv, {})
        try:
            zygote.fork({}, descriptors)
        except ZygoteError:
            STABLE.drop(zygote)
            if idle is None:
                raise
        else:
            return zygote


def _ended(zygote: Zygote) -> int:
    """The status that the child ended with."""
    try:
        status = int(str(zygote.ask({"end": True})["status"]))
    except ZygoteError:
        STABLE.drop(zygote)
        return -signal.SIGKILL
    STABLE.give_back(zygote)
    return status


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
    """Be a warm process that has everything loaded."""
    lines = worker.Lines(socket.socket(fileno=int(sys.argv[-1])))
    lines.next()
    for each in (*(known.module for known in KINDS.values()), "course.grader.attempt"):
        import_module(each)
    worker.serve(lines, os.fork, _judge)


def _judge(_order: Mapping[str, object], descriptors: Sequence[int]) -> None:
    """Be the child: judge what stands on the first descriptor, and say so on the second."""
    asked, answered, complained, _done = descriptors
    os.setsid()
    os.dup2(complained, 1)  # what a check prints is no verdict
    os.dup2(complained, 2)
    with os.fdopen(asked, encoding="utf-8") as file:
        order = json.load(file)
    _limit(order["seconds"])
    try:
        exercise = Exercise.read(Path(order["folder"]))
        submission = base64.b64decode(order["submission"])
        verdicts = import_module(KINDS[exercise.kind].module).verdicts(exercise, submission, order["seed"])
        said: dict[str, object] = {"verdicts": [verdict_to(each) for each in verdicts]}
    except RefusedError as refused:
        said = {"refused": [refused.reason, refused.detail]}
    except ExerciseError as broken:
        said = {"broken": broken.what, "where": str(broken.where)}
    with os.fdopen(answered, "w", encoding="utf-8") as file:
        json.dump(said, file, default=str)


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
