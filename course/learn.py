"""``layerlab learn``: list, start, check, hint; and verify, which grades the exercises themselves."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import click

from builder.cli.session import Session
from builder.errors import BuildError
from course.catalogue import LANGUAGES, Catalogue, language_of
from course.exercise import Exercise, exercises, find
from course.grader import report
from course.grader.grade import Result, grade
from course.grader.sandbox import Isolation, best_isolation
from course.progress import Progress

language_option = click.option(
    "--lang", type=click.Choice(LANGUAGES), help="Language  [default: as LANG says, else en]"
)


@click.group()
def command() -> None:
    """Lessons and graded exercises.

    \b
    Example:
      layerlab learn start 1.3
    """


def catalogue(session: Session, lang: str | None) -> Catalogue:
    """The sentences in the language that was asked for."""
    return Catalogue.read(lang or language_of(session.env))


@command.command("list")
@language_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_exercises(session: Session, lang: str | None, *, as_json: bool) -> None:
    """List the exercises and how far you are.

    \b
    Example:
      layerlab learn list
    """
    say = catalogue(session, lang)
    progress = Progress(session.state_dir)
    rows = [
        {
            "id": exercise.id,
            "title": say.exercise(exercise)("title"),
            "points": exercise.points,
            "state": progress.state(exercise.id),
        }
        for exercise in exercises()
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo(f"{row['id']:<5} {row['title']}  ({say('state.' + str(row['state']))})")


@command.command()
@click.argument("exercise_id", metavar="ID")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@language_option
@click.pass_obj
def start(session: Session, exercise_id: str, folder: Path | None, lang: str | None) -> None:
    """Put the task and a starter file into FOLDER (default: ID-name here).

    \b
    Example:
      layerlab learn start 1.3
    """
    say = catalogue(session, lang)
    exercise = find(exercise_id)
    folder = folder or Path(f"{exercise.id}-{exercise.slug}")
    target = folder / exercise.file
    if target.exists():
        raise BuildError(
            "it was started before, and is not overwritten", where=str(target), fix="name another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(exercise.readme(say.language), folder / "README.md")
    shutil.copyfile(exercise.starter, target)
    Progress(session.state_dir).begin(exercise.id)
    click.echo(say("started", folder=folder, file=exercise.file))
    click.echo(say("next-step", id=exercise.id, file=target))


@command.command()
@click.argument("exercise_id", metavar="ID")
@click.argument("submission", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("--seed", default="practice", show_default=True, help="Chooses the random cases.")
@click.option("--json", "as_json", is_flag=True, help="As JSON (Exercism test-runner schema 3, with points).")
@language_option
@click.pass_obj
def check(
    session: Session, exercise_id: str, submission: Path | None, seed: str, lang: str | None, *, as_json: bool
) -> int:
    """Grade FILE (default: the file that `start` made). Exit status 1 if anything fails.

    \b
    Example:
      layerlab learn check 1.3 1.3-resolve/resolve.py
    """
    say = catalogue(session, lang)
    exercise = find(exercise_id)
    if submission is None:
        beside = Path(f"{exercise.id}-{exercise.slug}") / exercise.file
        submission = Path(exercise.file) if Path(exercise.file).exists() else beside
    isolation = best_isolation()
    if isolation is Isolation.NONE:
        click.echo(say("no-isolation-warning"), err=True)
    result = grade(exercise, submission, seed=seed, isolation=isolation, progress=show_progress)
    if result.passed:
        Progress(session.state_dir).solve(exercise.id)
    click.echo(report.as_json(result, say) if as_json else "\n".join(report.as_text(result, say)))
    return 0 if result.passed else 1


def show_progress(done: int, cases: int) -> None:
    """Show how far the grading is, on a terminal's stderr only."""
    if sys.stderr.isatty():
        click.echo(f"\r{done}/{cases} ", err=True, nl=done == cases)


@command.command()
@click.argument("exercise_id", metavar="ID")
@language_option
@click.pass_obj
def hint(session: Session, exercise_id: str, lang: str | None) -> None:
    """Show the next hint, from vague to precise.

    \b
    Example:
      layerlab learn hint 1.3
    """
    say = catalogue(session, lang)
    exercise = find(exercise_id)
    hints = exercise.text(say.language)["hints"]
    assert isinstance(hints, list)
    number = Progress(session.state_dir).next_hint(exercise.id, len(hints))
    click.echo(say("hint-of", number=number, all=len(hints), hint=hints[number - 1]))
    if number == len(hints):
        click.echo(say("no-more-hints"))


@command.command()
@click.argument("exercise_id", metavar="[ID]", required=False)
@language_option
@click.pass_obj
def verify(session: Session, exercise_id: str | None, lang: str | None) -> int:
    """Grade the exercises themselves: reference, starter and every mutant (for teachers).

    \b
    Example:
      layerlab learn verify 1.3
    """
    say = catalogue(session, lang)
    chosen = [find(exercise_id)] if exercise_id else list(exercises())
    verdicts = [_verify(exercise, say) for exercise in chosen]  # all are told, even after one that fails
    return 0 if all(verdicts) else 1


def _verify(exercise: Exercise, say: Catalogue) -> bool:
    """Whether reference, starter and mutants score what they should; prints a line for each."""
    if not exercise.reference.exists():
        raise BuildError(say("verify.no-answers"))
    isolation = best_isolation()

    def graded(submission: Path) -> Result:
        return grade(exercise, submission, seed="verify", isolation=isolation)

    right, empty = graded(exercise.reference).points, graded(exercise.starter).points
    click.echo(f"{exercise.id}  reference {right}/{exercise.points}  starter {empty}/{exercise.points}")
    fine = right == exercise.points and empty == 0
    for mutant in exercise.mutants:
        result = graded(mutant.path)
        caught = any(group.name == mutant.group and not group.passed for group in result.groups)
        fine &= caught and result.points <= mutant.cap
        verdict = say("verify.caught" if caught else "verify.missed", group=mutant.group)
        click.echo(f"  {mutant.name:<30} {result.points:>3} <= {mutant.cap:<3} {verdict}")
    return fine
