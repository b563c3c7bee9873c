"""Operations on a union, written as a shell would take them: one simple command a line.

``rm [-r] PATH`` · ``mkdir PATH`` · ``echo TEXT > PATH`` · ``echo TEXT >> PATH`` · ``chmod MODE PATH`` ·
``mv OLD NEW`` · ``ln OLD NEW``. Paths are absolute. ``mv`` is rename(2) alone: where the kernel says EXDEV
it fails, while the program would go on to copy.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from unionfs_sim import Union

LINES: Final = 40
"""The most lines that are replayed."""

_PATH: Final = re.compile(r"(/[A-Za-z0-9_.-]{1,64}){1,16}")
_MODE: Final = re.compile(r"[0-7]{3,4}")


class NotAnOperationError(ValueError):
    """A line that is none of the commands above; says how they look."""


class Machine(Protocol):
    """The verbs that the commands need, named as in ``os``: a union has them, and so has a real directory."""

    def unlink(self, path: str, /) -> None:
        """Take the name of a file away."""
        ...

    def rmdir(self, path: str, /) -> None:
        """Take an empty directory away."""
        ...

    def listdir(self, path: str, /) -> list[str]:
        """The names in a directory."""
        ...

    def is_directory(self, path: str, /) -> bool:
        """Whether a directory stands there itself; OSError if nothing does."""
        ...

    def mkdir(self, path: str, mode: int, /) -> None:
        """Make a directory."""
        ...

    def write(self, path: str, said: bytes, flags: int, /) -> None:
        """Open with ``flags`` (``os.O_*``), write, close."""
        ...

    def chmod(self, path: str, mode: int, /) -> None:
        """Change the mode."""
        ...

    def rename(self, old: str, new: str, /) -> None:
        """Give what is called ``old`` another name."""
        ...

    def link(self, old: str, new: str, /) -> None:
        """Give what is called ``old`` a second name."""
        ...


@dataclass(frozen=True, slots=True)
class OnUnion:
    """The verbs of a union."""

    union: Union

    def unlink(self, path: str) -> None:
        """See Machine."""
        self.union.unlink(path)

    def rmdir(self, path: str) -> None:
        """See Machine."""
        self.union.rmdir(path)

    def listdir(self, path: str) -> list[str]:
        """See Machine."""
        return self.union.listdir(path)

    def is_directory(self, path: str) -> bool:
        """See Machine."""
        return stat.S_ISDIR(self.union.lstat(path).st_mode)

    def mkdir(self, path: str, mode: int) -> None:
        """See Machine."""
        self.union.mkdir(path, mode)

    def write(self, path: str, said: bytes, flags: int) -> None:
        """See Machine."""
        file = self.union.open(path, flags, 0o644)
        try:
            file.write(said)
        finally:
            file.close()

    def chmod(self, path: str, mode: int) -> None:
        """See Machine."""
        self.union.chmod(path, mode)

    def rename(self, old: str, new: str) -> None:
        """See Machine."""
        self.union.rename(old, new)

    def link(self, old: str, new: str) -> None:
        """See Machine."""
        self.union.link(old, new)


def run(union: Union, line: str) -> None:
    """Do on a union what ``line`` says; raises NotAnOperationError for another line, else what Linux would.

    >>> from unionfs_sim import Layer, layer, mount
    >>> union = mount([layer({"/etc/motd": "hello"})], Layer())
    >>> run(union, "rm /etc/motd")
    >>> union.upper
    Layer(/etc/, /etc/motd (whiteout))
    """
    act(OnUnion(union), line)


def act(machine: Machine, line: str) -> None:
    """Do what ``line`` says on any machine; see `run`."""
    match words(line):
        case ["rm", path] if _is_path(path):
            machine.unlink(path)
        case ["rm", "-r", path] if _is_path(path):
            _remove(machine, path)
        case ["mkdir", path] if _is_path(path):
            machine.mkdir(path, 0o755)
        case ["echo", *said, (">" | ">>") as how, path] if _is_path(path):
            flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if how == ">" else os.O_APPEND)
            machine.write(path, (" ".join(said) + "\n").encode(), flags)
        case ["chmod", mode, path] if _is_path(path) and _MODE.fullmatch(mode):
            machine.chmod(path, int(mode, 8))
        case ["mv", old, new] if _is_path(old) and _is_path(new):
            machine.rename(old, new)
        case ["ln", old, new] if _is_path(old) and _is_path(new):
            machine.link(old, new)
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


def _remove(machine: Machine, path: str) -> None:
    """Take away what stands at ``path``, with all that lies in it."""
    if not machine.is_directory(path):
        machine.unlink(path)
        return
    for name in machine.listdir(path):
        _remove(machine, f"{path}/{name}")
    machine.rmdir(path)
