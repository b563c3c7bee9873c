"""``layerlab learn start``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import click

from builder.errors import BuildError
from course.catalogue import Catalogue, language_of
from course.check import ABSENT, LETTERS, Question
from course.exercise import Exercise
from course.grader.kind import kind_of
from course.grader.kinds.prediction import spelt
from course.grader.showing import shortened_json as shortened
from course.learn.desk import Desk, at_the_desk
from course.learn.notebook import notebook
from course.learn.orderpage import PAGE, order_page
from course.learn.word import Word


@click.command("start", cls=Word)
@click.argument("exercise_id", metavar="ID")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--seed", help="Chooses the questions  [default: practice]")
@click.option("--notebook", "as_notebook", is_flag=True, help="Write a notebook with the same checks too.")
@at_the_desk
def command(
    desk: Desk, exercise_id: str, folder: Path | None, seed: str | None, *, as_notebook: bool
) -> None:
    """Put the task and a file to edit into FOLDER (default: ID-name here).

    \b
    Example:
      layerlab learn start 1.3
    """
    exercise = desk.find(exercise_id)
    folder = folder or default_folder(exercise)
    begin(desk, exercise, folder, seed)
    if as_notebook:
        task, starter = ((folder / name).read_text(encoding="utf-8") for name in ("README.md", exercise.file))
        page = folder / f"{exercise.slug}.ipynb"
        page.write_text(notebook(exercise, task, starter, desk.say), encoding="utf-8")
        desk.session.print(desk.say("notebook", file=page))


def begin(desk: Desk, exercise: Exercise, folder: Path | None = None, seed: str | None = None) -> None:
    """Lay an exercise out, note that it was started and say what to do; a BuildError if it lies there."""
    folder = folder or default_folder(exercise)
    target = folder / exercise.file
    if target.exists():
        raise BuildError(desk.say("started-before"), where=str(target), fix=desk.say("name-another-folder"))
    seed = desk.seed_of(exercise, seed)
    lay_out(exercise, folder, seed, desk.say)
    desk.progress.begin(exercise.id, seed, target)
    desk.session.print(desk.say("started", folder=folder, file=exercise.file))
    if exercise.kind == "parsons":
        desk.session.print(desk.say("order.page", page=folder / PAGE))
    if exercise.notebook:
        desk.session.print(desk.say("see-notebook", name=exercise.notebook))
    spoken = "" if desk.say.language == language_of(desk.session.env) else f" --lang {desk.say.language}"
    desk.session.print(desk.say("next-step", id=exercise.id, file=target) + spoken)


def default_folder(exercise: Exercise) -> Path:
    """Where an exercise is put if nobody says where."""
    return Path(f"{exercise.id}-{exercise.slug}")


def lay_out(exercise: Exercise, folder: Path, seed: str, say: Catalogue) -> None:
    """Write the task, its questions, the files that go with it and the file to edit into ``folder``."""
    starter = kind_of(exercise).starter(exercise, seed)
    task = exercise.readme(say.language).read_text(encoding="utf-8")
    questions = "\n".join(asked(exercise, seed, say))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"{task}\n{questions}\n" if questions else task, encoding="utf-8")
    if exercise.given.is_dir():
        shutil.copytree(exercise.given, folder, dirs_exist_ok=True)
    specimens = exercise.folder / "specimens"
    if specimens.is_dir():
        shutil.copytree(specimens, folder / "specimens", dirs_exist_ok=True)
    (folder / exercise.file).write_bytes(starter)
    if exercise.kind == "parsons":
        (folder / PAGE).write_text(order_page(exercise, seed, say), encoding="utf-8")


def asked(exercise: Exercise, seed: str, say: Catalogue) -> Iterator[str]:
    """The questions of a seed, as the end of a page in Markdown."""
    texts = say.exercise(exercise)
    questions = kind_of(exercise).questions(exercise, seed)
    if not questions:
        return
    yield f"## {say('questions', seed=seed)}"
    for question in questions:
        yield from ("", f"### `{question.name}`", "")
        yield from _question(question, texts, say)


def _question(question: Question, texts: Catalogue, say: Catalogue) -> Iterator[str]:
    yield texts(question.text.id, **question.text.fields)
    if question.shown:
        yield from ("", *("    " + line for line in question.shown.splitlines()))
    if question.choices:
        yield ""
        for letter, choice in zip(LETTERS, question.choices, strict=False):
            yield f"* **{letter}**: {texts(choice.id, **choice.fields)}"
    if question.form is not str:
        yield ""
        example = f" `{shortened(question.example)}`" if question.example is not ABSENT else ""
        yield say("answer-form", form=form_in_words(question.form, say)) + example


def form_in_words(form: object, say: Catalogue) -> str:
    """The form of an answer as a person says it; as Python does if nobody found words for it."""
    return say.form(spelt(form))
