"""``layerlab learn``: exercises, from the first look to the mark; one module a word, loaded when typed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

import click

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "list": "List the exercises and how far you are.",
        "start": "Put an exercise's task and a file to edit into a folder.",
        "check": "Grade a file.",
        "hint": "Show the next hint, from vague to precise.",
        "verify": "Grade the exercises themselves (for teachers).",
    }
)
"""Word → the line that ``--help`` shows for it; its module is called after it."""

_MODULES: Final = MappingProxyType({"list": "listing"})


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of words without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(WORDS.items()))


@click.group(cls=_Words)
def command() -> None:
    """Lessons and graded exercises.

    \b
    Example:
      layerlab learn start 1.3
    """
