"""A typed line: its words, where its output goes, and doing it on a tree of any kind."""

from __future__ import annotations

import os
import shlex
from difflib import get_close_matches
from typing import Any, NamedTuple

from unionfs_sim import commands


class Usage(Exception):
    """A line that cannot be made sense of."""


class Typed(NamedTuple):
    """``target``: the file that the output goes to, if any; ``appends``: behind what is there."""

    words: tuple[str, ...]
    target: str | None = None
    appends: bool = False

    def perform(self, view: Any) -> list[str]:
        """What the command prints, its error among it; what was done before an error stays done.

        ``view``: has the verbs of ``Posix``. Raises Usage if there is no such command.
        """
        command = known(self.words[0])
        output: list[str] = []
        try:
            output += command(view, self.words[1:])
            if self.target is not None:
                redirected, output = output, []
                self._redirect(view, redirected)
        except OSError as error:
            place = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
            output.append(f"{self.words[0]}: {place}{error.strerror}")
        return output

    def _redirect(self, view: Any, output: list[str]) -> None:
        mode = os.O_APPEND if self.appends else os.O_TRUNC
        # Nobody reads from a fifo here: ENXIO instead of waiting for ever.
        with view.open(self.target, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | mode) as file:
            file.write("".join(f"{text}\n" for text in output).encode("utf-8", "surrogateescape"))


def known(name: str, others: tuple[str, ...] = ()) -> commands.Command:
    """The command of that name; Usage with the nearest name, ``others`` among them, if there is none."""
    command = commands.COMMANDS.get(name)
    if command is None:
        close = get_close_matches(name, [*others, *commands.COMMANDS], n=1)
        raise Usage(f"{name}: no such command" + (f"; did you mean {close[0]}?" if close else "; try help"))
    return command


def parse(line: str) -> Typed:
    """The line as words, without its comment; Usage for an open quote or a > in the middle."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=">")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = tuple(lexer)
    except ValueError as error:
        raise Usage(f"{error}".lower()) from None
    for sign in (">", ">>"):
        if sign in words:
            at = words.index(sign)
            if at != len(words) - 2:
                raise Usage(f"{sign} needs one file name at the end of the line")
            return Typed(words[:at], words[-1], sign == ">>")
    return Typed(words)


def user(words: tuple[str, ...]) -> tuple[int, int]:
    """(uid, gid) of ``su UID[:GID]``; Usage for anything else."""
    ids = words[1].split(":") if len(words) == 2 else []
    if len(ids) not in (1, 2) or not all(each.isdigit() and len(each) < 11 for each in ids):
        raise Usage("su UID[:GID]: act as another user; su 0 is root again")
    return int(ids[0]), int(ids[-1])
