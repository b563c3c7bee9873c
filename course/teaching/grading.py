"""One run over what a class handed in: what has no result is graded, and written when it is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from builder.errors import BuildError
from course.exercise import Exercise
from course.grader.kind import Isolation
from course.teaching.batch import Task, Ungraded, grade_all, workers
from course.teaching.results import Graded, Results, digest_of, key_of
from course.teaching.submissions import Submission, UnusableError


@dataclass(slots=True)
class Run:
    """What one run has to do, and what it did. ``known``: how many had their result already."""

    exercise: Exercise
    results: Results
    isolation: Isolation
    patience: float = 1.0
    problems: list[str] = field(default_factory=list)
    graded: list[Graded] = field(default_factory=list)
    known: int = 0

    def grade(
        self,
        submissions: Sequence[Submission],
        *,
        jobs: int,
        dask: str = "",
        step: Callable[[], None] = lambda: None,
    ) -> None:
        """Grade what has no result; ``step`` is told of each. BuildError if the exercise is changed."""
        version, before = self.exercise.version, _stamp(self.exercise)
        self.results.look()
        with workers(jobs, dask) as (executor, at_a_time):
            for task, result in grade_all(self._tasks(submissions, version, step), executor, at_a_time):
                step()
                if isinstance(result, Ungraded):
                    why = f"not graded, its worker failed ({result.why}); run it again"
                    self.problems.append(f"{task.learner}: {why}")
                    continue
                if _stamp(self.exercise) != before:
                    raise BuildError(
                        "the exercise was changed while it was graded",
                        where=str(self.exercise.folder),
                        fix="run it again: what is affected is graded anew",
                    )
                self.results.write(result, task.submission)
                self.graded.append(result)

    def _tasks(
        self, submissions: Sequence[Submission], version: str, step: Callable[[], None]
    ) -> Iterator[Task]:
        folder = str(self.exercise.folder.absolute())
        for each in submissions:
            try:
                source = each.read()
            except UnusableError as error:
                self.problems.append(f"{each.place}: {error}")
                step()
                continue
            key = key_of(self.exercise, version, digest_of(source), each.seed)
            if self.results.has(each.learner, key):
                self.known += 1
                step()
                continue
            yield Task(folder, version, each.learner, source, each.seed, self.isolation, self.patience)


def _stamp(exercise: Exercise) -> list[tuple[str, int, int]]:
    """What changes when a file that decides about marks does; cheaper than the exercise's version."""
    return [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in exercise.deciding()]
