"""``layerlab learn``: exercises, from the first look to the mark; one module a word, loaded when typed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from course.learn.desk import course_option, language_option
from course.learn.word import WrongUsageError, texts_of, told_in_the_learners_language, written_help

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "list": "List the exercises and how far you are.",
        "next": "Say what is next and why, and start it.",
        "start": "Put an exercise's task and a file to edit into a folder.",
        "check": "Grade a file.",
        "watch": "Grade a file again whenever it is saved.",
        "hint": "Show the next hint, from vague to precise.",
        "predict": "Predict question by question, then see what happens.",
        "progress": "Show what you did and how right your predictions were.",
        "reset": "Begin an exercise anew.",
        "new": "Begin an exercise of your own (for teachers).",
        "verify": "Grade the exercises themselves (for teachers).",
        "grade": "Grade what a class handed in (for teachers).",
        "report": "Say what a class understood (for teachers).",
        "regrade": "Grade again after an exercise was changed (for teachers).",
        "export": "Write graders and marks for other programs (for teachers).",
        "mutant": "Keep a learner's wrong answer as a mutant (for teachers).",
    }
)
"""Word → the line that ``--help`` shows for it; its module is called after it."""

_MODULES: Final = MappingProxyType({"list": "listing", "next": "overview"})


class _Words(click.Group):
    """The words of ``learn``, each imported when it is invoked."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The words, in the order of the table."""
        return list(WORDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command behind a word, or None if there is no such word."""
        if cmd_name not in WORDS:
            return None
        command = import_module(f"course.learn.{_MODULES.get(cmd_name, cmd_name)}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The word that is meant; where there is none, that is told in the learner's language."""
        texts = texts_of(ctx)
        if texts and args and args[0] not in WORDS and not args[0].startswith("-"):
            raise WrongUsageError(texts["no-command"].format(name=args[0]), ctx, texts)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before the word."""
        with told_in_the_learners_language(ctx):
            return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of words without importing any of them."""
        texts = texts_of(ctx)
        with formatter.section(texts.get("commands", "Commands")):
            formatter.write_dl([(word, texts.get(word, line)) for word, line in WORDS.items()])

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the words are for, in the learner's language."""
        if not written_help(self, ctx, formatter):
            super().format_help_text(ctx, formatter)


@click.group("learn", cls=_Words, invoke_without_command=True)
@language_option
@course_option
@click.pass_context
def command(context: click.Context, lang: str | None, course: Path) -> None:
    """Lessons and graded exercises; without a word, where you are and what is next.

    \b
    Example:
      layerlab learn
      layerlab learn start 1.3
    """
    # what stands before the word holds for it, unless it says otherwise
    context.default_map = {word: {"lang": lang, "course": course} for word in WORDS}
    if context.invoked_subcommand is None:
        from course.learn.overview import show

        context.invoke(show, lang=lang, course=course)
