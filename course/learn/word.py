"""A word of ``learn`` whose --help is in the learner's language.

The English help is the command's docstring; the Chinese stands in ``course/catalogue/help.zh.toml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import click

from builder.cli.session import Session
from course.catalogue import help_texts, language_of


def texts_of(context: click.Context) -> Mapping[str, str]:
    """Help by word, in the language of the environment; {} where the docstrings are in it."""
    session = context.find_object(Session)
    return help_texts(language_of(session.env)) if session is not None else {}


def written_help(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> bool:
    """Whether what ``command`` does was written, with its example, in another language than its own."""
    texts = texts_of(context)
    if command.name is None or command.name not in texts:
        return False
    example = (command.help or "").partition("Example:\n")[2].rstrip()
    with formatter.indentation():
        formatter.write_paragraph()
        formatter.write_text(texts[command.name])
        formatter.write_paragraph()
        formatter.write_text(f"\b\n{texts['example']}\n{example}")
    return True


class WrongUsageError(click.UsageError):
    """Wrong usage, told in another language than click's. ``texts``: its sentences."""

    def __init__(self, message: str, ctx: click.Context, texts: Mapping[str, str]) -> None:
        super().__init__(message, ctx)
        self.texts = texts

    def show(self, file: IO[Any] | None = None) -> None:
        """Write how the word is used, where help is, and what is wrong."""
        assert self.ctx is not None
        usage = self.ctx.command.collect_usage_pieces(self.ctx)
        path = self.ctx.command_path
        lines = (
            f"{self.texts['usage']}{' '.join([path, *usage])}",
            f"{self.texts['try']}{path} --help",
            "",
            f"{self.texts['error']}{self.message}",
        )
        click.echo("\n".join(lines), file=file, err=file is None)


@contextmanager
def told_in_the_learners_language(context: click.Context) -> Iterator[None]:
    """Translate what click says of wrong usage."""
    try:
        yield
    except click.UsageError as error:
        texts = texts_of(context)
        if not texts or isinstance(error, WrongUsageError):
            raise
        raise WrongUsageError(_translated(error, texts), error.ctx or context, texts) from None


def _translated(error: click.UsageError, texts: Mapping[str, str]) -> str:
    match error:
        case click.NoSuchOption():
            return texts["no-option"].format(name=error.option_name)
        case click.MissingParameter():
            name = error.param.get_error_hint(error.ctx) if error.param and error.ctx else ""
            return texts["missing"].format(name=name)
        case click.BadParameter():
            name = error.param.get_error_hint(error.ctx) if error.param and error.ctx else ""
            return texts["bad-value"].format(name=name, why=error.message)
    return texts["wrong"].format(why=error.message)


class Word(click.Command):
    """A command that is helped with in the learner's language."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; wrong ones are told in the learner's language."""
        with told_in_the_learners_language(ctx):
            return super().parse_args(ctx, args)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the word does, and its example."""
        if not written_help(self, ctx, formatter):
            super().format_help_text(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, each with its help in the learner's language."""
        texts = texts_of(ctx)
        if not texts:
            super().format_options(ctx, formatter)
            return
        rows = []
        for param in self.get_params(ctx):
            row = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if row is not None:
                rows.append((row[0], texts.get(f"--{_spelt(param)}", row[1])))
        with formatter.section(texts["options"]):
            formatter.write_dl(rows)


def _spelt(param: click.Parameter) -> str:
    """The long name of an option."""
    return max((name.lstrip("-") for name in param.opts), key=len)
