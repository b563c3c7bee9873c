"""Many submissions, graded by whatever implements ``concurrent.futures.Executor``: threads, or a cluster.

A submission costs itself and nothing else: a worker that dies with one in its hands loses that one, which is
told and graded by the next run.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from builder.errors import BuildError
from course.exercise import Exercise, ExerciseError
from course.grader.grade import grade_bytes
from course.grader.kind import Conditions, Isolation
from course.teaching.results import Graded, digest_of

AHEAD: Final = 4
"""How many submissions are handed out for each worker, so that 10,000 of them are not read at once."""


@dataclass(frozen=True, slots=True)
class Task:
    """One submission to grade. It travels: to another thread, process or machine."""

    folder: str
    version: str
    learner: str
    submission: bytes
    seed: str
    isolation: Isolation
    patience: float = 1.0


@dataclass(frozen=True, slots=True)
class Ungraded:
    """A submission whose worker died, or broke; the next run grades it."""

    task: Task
    why: str


class NotHeldError(BuildError):
    """Submissions cannot be held as they should be."""


def grade_one(task: Task) -> Graded:
    """The result of one submission; runs wherever the executor's workers are."""
    exercise = _exercise(task.folder, task.version)
    conditions = Conditions(task.isolation, task.patience)
    result = grade_bytes(exercise, task.submission, seed=task.seed, conditions=conditions)
    if result.refused is not None and result.refused[0] == "not-held":
        raise NotHeldError(f"submissions cannot be held here: {result.refused[1]}")
    return Graded.of(result, task.learner, digest_of(task.submission), task.version)


@functools.lru_cache(maxsize=8)
def _exercise(folder: str, version: str) -> Exercise:
    """The exercise, read once in each process; its cases are made once a seed."""
    exercise = Exercise.read(Path(folder))
    if exercise.version != version:
        raise ExerciseError("the exercise is another one here, or was changed meanwhile", where=folder)
    return exercise


def grade_all(
    tasks: Iterable[Task], executor: Executor, workers: int
) -> Iterator[tuple[Task, Graded | Ungraded]]:
    """Results as they come. What is wrong with the exercise or the machine is raised, and nothing else."""
    waiting = iter(tasks)
    running: dict[Future[Graded], Task] = {}
    try:
        while True:
            while len(running) < workers * AHEAD and (task := next(waiting, None)) is not None:
                running[executor.submit(grade_one, task)] = task
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield _finished(running.pop(future), future)
    finally:
        for future in running:
            future.cancel()


def _finished(task: Task, future: Future[Graded]) -> tuple[Task, Graded | Ungraded]:
    error = future.exception()
    if error is None:
        return task, future.result()
    if isinstance(error, BuildError):
        raise error
    return task, Ungraded(task, f"{type(error).__name__}: {error}"[:300])


@contextmanager
def workers(jobs: int, dask: str) -> Iterator[tuple[Executor, int]]:
    """Threads of this process (submissions run in processes of their own), or a dask.distributed cluster.

    The second value is how many work at a time.
    """
    if dask:
        with _cluster(dask) as cluster:
            yield cluster
        return
    executor = ThreadPoolExecutor(jobs, thread_name_prefix="grade")
    try:
        yield executor, jobs
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Executor, int]]:
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise BuildError("dask.distributed is not installed", fix="pip install distributed") from None
    try:
        client = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise BuildError(f"no scheduler answers: {error}", where=address) from None
    try:
        count = sum(client.nthreads().values())
        if not count:
            raise BuildError(
                "the cluster has no workers", where=address, fix="start some: dask worker ADDRESS"
            )
        yield client.get_executor(), count
    finally:
        client.close()


def usual_jobs() -> int:
    """As many as this process may use processors."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
