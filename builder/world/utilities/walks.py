"""Walks over a tree that the options -R, -H, -L and -P of many utilities steer."""

from __future__ import annotations

import enum
import stat
from collections.abc import Iterator
from typing import NamedTuple

from unionfs_sim.filesystem import Stat
from unionfs_sim.vfs.posix import Posix


class Follow(enum.Enum):
    """Which symlinks a walk follows."""

    NONE = "P"
    OPERANDS = "H"
    ALL = "L"


class Found(NamedTuple):
    """A name that a walk came by; ``error`` says why it, or what is in it, could not be looked at."""

    path: str
    status: Stat | None
    depth: int
    error: OSError | None = None
    leaving: bool = False


def joined(directory: str, name: str) -> str:
    """The path of ``name`` in ``directory``."""
    return f"{directory}{name}" if directory.endswith("/") else f"{directory}/{name}"


def look(fs: Posix, path: str, *, follow_symlinks: bool) -> Stat:
    """stat(2), or for a link that leads nowhere and if ``follow_symlinks`` is false lstat(2)."""
    if follow_symlinks:
        try:
            return fs.stat(path)
        except FileNotFoundError:
            return fs.lstat(path)
    return fs.lstat(path)


def walk(fs: Posix, top: str, follow: Follow = Follow.NONE, *, deepest: int | None = None) -> Iterator[Found]:
    """Every name at and below ``top``, a directory before what is in it and, marked ``leaving``, after it.

    Names come in the order of their bytes, so that the same tree gives the same answer. A directory that
    contains itself through a followed link is passed by.
    """
    yield from _walk(fs, top, follow, 0, deepest, frozenset())


def _walk(
    fs: Posix, path: str, follow: Follow, depth: int, deepest: int | None, above: frozenset[tuple[int, int]]
) -> Iterator[Found]:
    through = follow is Follow.ALL or (follow is Follow.OPERANDS and depth == 0)
    try:
        status = look(fs, path, follow_symlinks=through)
    except OSError as error:
        yield Found(path, None, depth, error)
        return
    yield Found(path, status, depth)
    if not stat.S_ISDIR(status.st_mode):
        return
    here = (status.st_dev, status.st_ino)
    if here not in above and (deepest is None or depth < deepest):
        try:
            names = sorted(fs.listdir(path))
        except OSError as error:
            yield Found(path, status, depth, error)
            return
        for name in names:
            yield from _walk(fs, joined(path, name), follow, depth + 1, deepest, above | {here})
    yield Found(path, status, depth, leaving=True)
