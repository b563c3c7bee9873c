"""``layerlab learn verify``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import click

from builder.errors import BuildError
from course.exercise import Exercise
from course.grader.kind import Conditions
from course.grader.sandbox import best_isolation
from course.grader.verify import Verification, verify
from course.learn.desk import Desk, at_the_desk
from course.learn.word import Word

PATIENCE = 10.0
"""A machine that runs other tests beside is slow, and no fault of an exercise."""


@click.command("verify", cls=Word)
@click.argument("exercise_ids", metavar="[ID]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="How many at a time.")
@click.option("--seeds", type=click.IntRange(0, 10_000), default=0, help="Try so many more seeds.")
@at_the_desk
def command(desk: Desk, exercise_ids: tuple[str, ...], jobs: int, seeds: int, *, as_json: bool) -> int:
    """Grade the exercises themselves: reference, starter and every mutant (for teachers).

    \b
    Example:
      layerlab learn verify 1.3
    """
    exercises, broken = desk.course.read()
    chosen = [desk.course.find(name) for name in exercise_ids] or exercises
    conditions = Conditions(best_isolation(), PATIENCE)
    faults = [] if exercise_ids else [str(error) for error in broken]
    if any(exercise.mutants and not (exercise.folder / "mutants").is_dir() for exercise in chosen):
        raise BuildError(desk.say("verify.no-answers"))
    rows = []
    # Submissions run in processes of their own: threads are enough to keep several going.
    with ThreadPoolExecutor(jobs) as pool:
        for found in pool.map(lambda each: verify(each, conditions, more_seeds=seeds), chosen):
            faults += [f"{found.exercise.id}: {fault}" for fault in found.faults]
            rows.append(_row(found))
            if not as_json:
                _tell(desk, found.exercise, found)
    if as_json:
        desk.session.json({"exercises": rows, "faults": faults})
        return 1 if faults else 0
    for fault in faults:
        desk.session.say(fault)
    summary = ("verify.faults", len(faults)) if faults else ("verify.fine", len(chosen))
    desk.session.print(desk.say(summary[0], count=summary[1]))
    return 1 if faults else 0


def _tell(desk: Desk, exercise: Exercise, found: Verification) -> None:
    of = exercise.points
    desk.session.print(f"{exercise.id}  reference {found.reference}/{of}  starter {found.starter}/{of}")
    for each in found.mutants:
        mutant = each.mutant
        verdict = desk.say("verify.caught" if each.is_caught else "verify.missed", group=mutant.group)
        desk.session.print(f"  {mutant.name:<34} {each.points:>3} <= {mutant.cap:<3} {verdict}")


def _row(found: Verification) -> dict[str, object]:
    mutants = {
        each.mutant.name: {"points": each.points, "cap": each.mutant.cap, "caught": each.is_caught}
        for each in found.mutants
    }
    return {
        "id": found.exercise.id,
        "reference": found.reference,
        "starter": found.starter,
        "mutants": mutants,
        "faults": list(found.faults),
    }
