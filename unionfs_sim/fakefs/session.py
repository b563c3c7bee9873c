"""What one ``with learner(…)`` holds: the view, the working directory and the descriptors."""

from __future__ import annotations

import dataclasses
import errno
import os
from typing import Any

from unionfs_sim.fakefs.descriptors import Descriptors
from unionfs_sim.nodes.caller import ROOT
from unionfs_sim.nodes.inode import DEAD, Node
from unionfs_sim.vfs import flags
from unionfs_sim.vfs.posix import Posix


class Session:
    """The process that a learner's code believes to be.

    ``made``: the stand-ins that every module shall get the same one of (``io.FileIO``, ``pathlib.Path``).
    """

    def __init__(self, fs: Posix, cwd: str) -> None:
        top = fs.acting_as(fs.caller)
        self._root = top.open("/", flags.PATH).node
        self._here = top.acting_as(ROOT).open(cwd, flags.PATH | flags.DIRECTORY)
        self.view = top.beside(self._here)
        self.descriptors = Descriptors()
        self.made: dict[str, Any] = {}

    def at(self, path: str | bytes, dir_fd: int | None) -> Posix:
        """The view that a path starts in (openat(2)): an absolute one never asks for the directory."""
        if dir_fd is None or path[:1] in ("/", b"/"):
            return self.view
        try:
            return self.view.beside(self.descriptors.get(dir_fd))
        except OSError as error:
            error.filename = path
            raise

    def absolute(self, path: str | bytes, dir_fd: int | None) -> str | bytes:
        """The same place told from the root, for a call whose other path starts elsewhere."""
        if path[:1] in ("/", b"/") or not path:
            return path
        start = self._here.node if dir_fd is None else self.descriptors.get(dir_fd).node
        place = self.place_of(start)
        return os.fsencode(place) + b"/" + path if isinstance(path, bytes) else f"{place}/{path}"

    def place_of(self, node: Node) -> str:
        """The absolute path of a directory, without links (getcwd(2)); ENOENT if it was removed."""
        names: list[str] = []
        while node is not self._root and node.parent is not node:
            above = node.parent
            name = next((name for name, child in above.children.items() if child is node), None)
            if name is None or node.children is DEAD:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
            names.append(name)
            node = above
        return "/" + "/".join(reversed(names))

    @property
    def cwd(self) -> str:
        """The working directory, as getcwd(2) tells it."""
        return self.place_of(self._here.node)

    def change_directory(self, path: str | bytes | int) -> None:
        """Let relative paths start at ``path`` from now on."""
        if isinstance(path, int):
            file = self.descriptors.get(path)
        else:
            file = self.view.open(path, flags.PATH | flags.DIRECTORY)
        there = self.view.beside(file)
        try:
            there.lstat(".")  # asks for search permission
        except OSError as error:
            error.filename = path
            raise
        self.view, self._here = there, file

    def change_umask(self, umask: int) -> int:
        """The umask before; ``umask`` holds from now on."""
        before = self.view.caller
        now = dataclasses.replace(before, umask=umask & 0o777)
        self.view = self.view.acting_as(now).beside(self._here)
        return before.umask

    def close(self) -> None:
        """Close what the learner left open."""
        self.descriptors.close_all()
