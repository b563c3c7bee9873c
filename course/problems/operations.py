"""Operations on a union, written as a shell would take them: one simple command a line.

``rm [-r] PATH`` · ``mkdir PATH`` · ``echo TEXT > PATH`` · ``echo TEXT >> PATH`` · ``chmod MODE PATH`` ·
``mv OLD NEW`` · ``ln OLD NEW``. Paths are absolute. ``mv`` is rename(2) alone: where the kernel says EXDEV
it fails, while the program would go on to copy.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from typing import Final

from unionfs_sim import Union
from unionfs_sim.filesystem import Attributes
from unionfs_sim.trees import remove_tree

LINES: Final = 40
"""The most lines that are replayed."""

_PATH: Final = re.compile(r"(/[A-Za-z0-9_.-]{1,64}){1,16}")
_MODE: Final = re.compile(r"[0-7]{3,4}")


class NotAnOperationError(ValueError):
    """A line that is none of the commands above; says how they look."""


def run(union: Union, line: str) -> None:
    """Do what ``line`` says; raises NotAnOperationError for another line, OSError where the kernel would.

    >>> from unionfs_sim import Layer, layer, mount
    >>> union = mount([layer({"/etc/motd": "hello"})], Layer())
    >>> run(union, "rm /etc/motd")
    >>> union.upper
    Layer(/etc/, /etc/motd (whiteout))
    """
    match words(line):
        case ["rm", path] if _is_path(path):
            union.unlink(path)
        case ["rm", "-r", path] if _is_path(path):
            union.lstat(path)
            remove_tree(union, path)
        case ["mkdir", path] if _is_path(path):
            union.mkdir(path, 0o755)
        case ["echo", *said, (">" | ">>") as how, path] if _is_path(path):
            _write(union, path, (" ".join(said) + "\n").encode(), how)
        case ["chmod", mode, path] if _is_path(path) and _MODE.fullmatch(mode):
            union.setattr(path, Attributes(mode=int(mode, 8)))
        case ["mv", old, new] if _is_path(old) and _is_path(new):
            union.rename(old, new)
        case ["ln", old, new] if _is_path(old) and _is_path(new):
            union.link(old, new)
        case _:
            raise NotAnOperationError(line)


def words(line: str) -> list[str]:
    """The words of a line as the shell splits it; raises NotAnOperationError if a quote is left open."""
    try:
        return shlex.split(line[:500])
    except ValueError as error:
        raise NotAnOperationError(line) from error


def replay(union: Union, lines: Sequence[str]) -> None:
    """Do all ``lines`` in order; raises what the first that fails raises."""
    for line in lines[:LINES]:
        run(union, line)


def _is_path(word: str) -> bool:
    return _PATH.fullmatch(word) is not None and not {".", ".."} & set(word.split("/"))


def _write(union: Union, path: str, said: bytes, how: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if how == ">" else os.O_APPEND)
    file = union.open(path, flags, 0o644)
    try:
        file.write(said)
    finally:
        file.close()
