"""What one ``with learner(…)`` holds: the view, the working directory and the descriptors."""

from __future__ import annotations

import dataclasses
import os
import posixpath
from typing import Any

from unionfs_sim.fakefs.descriptors import Descriptors
from unionfs_sim.posix import Posix
from unionfs_sim.walk import PathLike


class Session:
    """The process that a learner's code believes to be."""

    def __init__(self, fs: Posix, cwd: str) -> None:
        self._top = fs
        self.view = fs.acting_as(fs.caller, cwd=cwd)
        self.cwd = posixpath.normpath(cwd)
        self.descriptors = Descriptors()

    def at(self, dir_fd: int | None) -> Posix:
        """The view that relative paths of a call start in (openat(2) and its kin)."""
        return self.view if dir_fd is None else self.view.beside(self.descriptors.get(dir_fd))

    def named(self, path: Any) -> Any:
        """What a verb shall work on: a path as it is, a descriptor as its open file."""
        return self.descriptors.get(path) if isinstance(path, int) else path

    def change_directory(self, path: PathLike | int) -> None:
        """Let relative paths start at ``path`` from now on."""
        file = self.descriptors.get(path) if isinstance(path, int) else self.view.open(path, os.O_DIRECTORY)
        self.view = self.view.beside(file)
        if not isinstance(path, int):
            file.close()
            self.cwd = posixpath.normpath(posixpath.join(self.cwd, os.fsdecode(path)))

    def change_umask(self, umask: int) -> int:
        """The umask before; ``umask`` holds from now on."""
        before = self.view.caller
        now = dataclasses.replace(before, umask=umask & 0o777)
        here = self.view.open(".", os.O_PATH)
        self.view = self.view.acting_as(now).beside(here)
        return before.umask

    def close(self) -> None:
        """Close what the learner left open."""
        self.descriptors.close_all()
