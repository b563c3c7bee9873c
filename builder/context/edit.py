"""Edits: what COPY, ADD and WORKDIR do to a root file system, as data.

An instruction is turned into edits by pure code (``copying``); a snapshotter makes them in its own kind of
root, wherever that is. Paths are absolute ``str`` (surrogateescape), without ``.`` and ``..``, and their
directories are already resolved: whoever makes an edit never meets a symlink on the way.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from unionfs_sim.filesystem import Attributes, Filesystem
from unionfs_sim.trees import remove_tree

if TYPE_CHECKING:
    from unionfs_sim.nodes.content import Content

NOTHING: Final = Attributes()
_PIECE: Final = 1 << 20


class MakeDirectory(NamedTuple):
    """A directory at ``path``; one that is already there only gets the attributes."""

    path: str
    attributes: Attributes = NOTHING


class WriteFile(NamedTuple):
    """A new regular file at ``path``; whatever is there (no directory) is replaced, never written through."""

    path: str
    content: Content
    attributes: Attributes = NOTHING


class MakeSymlink(NamedTuple):
    """A symlink at ``path``; whatever is there (no directory) is replaced."""

    path: str
    target: str
    attributes: Attributes = NOTHING


class MakeHardlink(NamedTuple):
    """A second name at ``path`` for the file at ``source``, which an earlier edit made."""

    path: str
    source: str


class MakeNode(NamedTuple):
    """A fifo or device at ``path``; the S_IFMT bits of ``mode`` say which."""

    path: str
    mode: int
    rdev: int = 0
    attributes: Attributes = NOTHING


class Remove(NamedTuple):
    """Nothing at ``path`` any more, with all that is below; nothing there is no error."""

    path: str


class SetAttributes(NamedTuple):
    """Other attributes for the name itself."""

    path: str
    attributes: Attributes


Edit: TypeAlias = MakeDirectory | WriteFile | MakeSymlink | MakeHardlink | MakeNode | Remove | SetAttributes


def make(fs: Filesystem, edits: Iterable[Edit]) -> None:
    """Make ``edits`` in ``fs``, in order; fails as the file system fails."""
    for edit in edits:
        _make_one(fs, edit)


def _make_one(fs: Filesystem, edit: Edit) -> None:
    path = edit.path
    match edit:
        case MakeDirectory(attributes=attributes):
            if not _is_directory(fs, path):
                fs.mkdir(path, 0o755)
            fs.setattr(path, attributes)
        case WriteFile(content=content, attributes=attributes):
            _clear(fs, path)
            _write(fs, path, content)
            fs.setattr(path, attributes)
        case MakeSymlink(target=target, attributes=attributes):
            _clear(fs, path)
            fs.symlink(target, path)
            fs.setattr(path, attributes)
        case MakeHardlink(source=source):
            _clear(fs, path)
            fs.link(source, path)
        case MakeNode(mode=mode, rdev=rdev, attributes=attributes):
            _clear(fs, path)
            fs.mknod(path, mode, rdev)
            fs.setattr(path, attributes)
        case Remove():
            remove_tree(fs, path)
        case SetAttributes(attributes=attributes):
            fs.setattr(path, attributes)


def _write(fs: Filesystem, path: str, content: Content) -> None:
    file = fs.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        for offset in range(0, content.size, _PIECE):
            file.write(content.read(offset, min(_PIECE, content.size - offset)))
    finally:
        file.close()


def _is_directory(fs: Filesystem, path: str) -> bool:
    try:
        return stat.S_ISDIR(fs.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def _clear(fs: Filesystem, path: str) -> None:
    """Take a file away so that a new one may stand there; a directory is in the way (IsADirectoryError)."""
    try:
        mode = fs.lstat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(21, os.strerror(21), path)
    fs.remove(path)
