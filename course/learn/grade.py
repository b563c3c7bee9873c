"""``layerlab learn grade``: a class."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import click

from course.grader.kind import Isolation
from course.learn.desk import SEED, Desk, at_the_desk
from course.learn.word import Word
from course.teaching.batch import usual_jobs
from course.teaching.grading import Run
from course.teaching.holding import holding
from course.teaching.results import Results
from course.teaching.roster import Roster, seed_of
from course.teaching.submissions import Submission, find


@dataclass(slots=True)
class Progress:
    """How far it is, told on stderr: at every submission on a terminal, else not at all."""

    desk: Desk
    all: int
    began: float
    done: int = 0

    def step(self) -> None:
        """One more is graded."""
        self.done += 1
        if self.desk.session.err.isatty():
            passed = time.monotonic() - self.began
            left = passed / self.done * (self.all - self.done)
            text = f"\r{self.done}/{self.all} graded, {self.done / passed:.0f} a second, {left:.0f} s left  "
            click.echo(text, err=True, nl=self.done == self.all)


@dataclass(frozen=True, slots=True)
class Seeds:
    """Who is asked what: the table's seeds first, then one's own by the secret, then that of all."""

    of_all: str
    roster: Roster
    secret: bytes | None

    def of(self, learner: str, exercise_id: str) -> str:
        """A learner's seed."""
        if learner in self.roster.seeds:
            return self.roster.seeds[learner]
        return seed_of(self.secret, learner, exercise_id) if self.secret is not None else self.of_all


@click.command("grade", cls=Word)
@click.argument("exercise_id", metavar="ID")
@click.argument(
    "places", metavar="DIR|LIST...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True)
)
@click.option(
    "-o",
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="The folder of results.",
)
@click.option("--seed", help="Chooses the random cases, for all alike  [default: practice]")
@click.option(
    "--secret",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file: each learner has a seed of his own, made from it.",
)
@click.option(
    "--roster",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A CSV file: learner, and name (of folder or file), seed.",
)
@click.option("--jobs", type=click.IntRange(1, 256), help="How many at a time  [default: one a processor]")
@click.option("--shard", metavar="I/N", help="Only every Nth submission, from the Ith on (0 is the first).")
@click.option("--dask", metavar="ADDRESS", help="Grade on this dask.distributed cluster.")
@click.option(
    "--patience",
    type=click.FloatRange(0.1, 100),
    default=1.0,
    show_default=True,
    help="Multiplies every time limit, for a busy machine.",
)
@click.option("--unsafe", is_flag=True, help="Grade even where nothing holds a submission.")
@click.option("--container", is_flag=True, help="Where nothing holds a submission, say a container does.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@at_the_desk
def command(
    desk: Desk,
    exercise_id: str,
    places: tuple[Path, ...],
    results: Path,
    seed: str | None,
    secret: Path | None,
    roster: Path | None,
    jobs: int | None,
    shard: str | None,
    dask: str | None,
    patience: float,
    *,
    unsafe: bool,
    container: bool,
    as_json: bool,
) -> int:
    """Grade what a class handed in, one submission a learner; what has a result is not graded again.

    DIR has a folder, file or zip for each learner, or is a zip of those; a LIST (.csv, .txt) has lines of
    path,learner,seed. Exit status 1 if anything could not be graded.

    \b
    Example:
      layerlab learn grade 1.3 handed-in -o results
    """
    exercise = desk.course.find(exercise_id)
    table = Roster.read(roster) if roster is not None else Roster()
    found = find(places, exercise, table.names)
    seeds = Seeds(seed or SEED, table, secret.read_bytes() if secret is not None else None)
    seeded = [
        replace(each, seed=each.seed or seeds.of(each.learner, exercise.id)) for each in found.submissions
    ]
    chosen = _sharded(seeded, shard)
    held = holding(exercise, is_unsafe=unsafe, is_in_container=container)
    run = Run(exercise, Results(results, exercise.id), held, patience, found.problems)
    progress = Progress(desk, len(chosen), time.monotonic())
    run.grade(chosen, jobs=jobs or usual_jobs(), dask=dask or "", step=progress.step)
    handed = {each.learner for each in found.submissions}
    absent = [learner for learner in table.learners if learner not in handed]
    if absent and shard is None:
        run.problems.append(f"nothing was handed in by {len(absent)}: {', '.join(absent[:10])}")
    _tell(desk, run, as_json=as_json)
    return 1 if run.problems else 0


def _sharded(submissions: list[Submission], shard: str | None) -> list[Submission]:
    if shard is None:
        return submissions
    number, _, count = shard.partition("/")
    if not (number.isdecimal() and count.isdecimal() and int(number) < int(count)):
        raise click.BadParameter("it looks like 0/4, up to 3/4", param_hint="--shard")
    return submissions[int(number) :: int(count)]


def _tell(desk: Desk, run: Run, *, as_json: bool) -> None:
    place = str(run.results.place)
    if as_json:
        rows = [
            {"learner": g.learner, "points": g.points, "status": g.document["status"]} for g in run.graded
        ]
        rows.sort(key=lambda row: str(row["learner"]))
        told = {"results": place, "isolation": run.isolation.value, "graded": rows, "known": run.known}
        desk.session.json({"exercise": run.exercise.id, **told, "problems": run.problems})
        return
    for problem in run.problems:
        desk.session.say(problem)
    mean = sum(each.points for each in run.graded) / len(run.graded) if run.graded else 0
    average = f", {mean:.1f} of {run.exercise.points} points on average" if run.graded else ""
    desk.session.print(f"{len(run.graded)} graded{average}; {run.known} known before: {place}")
    if run.isolation in (Isolation.NONE, Isolation.CONTAINER):
        desk.session.say(f"isolation: {run.isolation.value}")
