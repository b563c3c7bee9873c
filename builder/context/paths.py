"""Paths inside a tree that nobody may leave: cleaning, resolving within a root, wildcards.

``resolve`` follows symlinks as BuildKit does for COPY (containerd continuity ``fs.RootPath``): the root is
``/`` for every symlink, and names that do not exist yet are kept as written.
"""

from __future__ import annotations

import errno
import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from unionfs_sim.filesystem import Filesystem, Stat

MAX_LINKS: Final = 40
"""As many symlinks as the kernel follows (path_resolution(7))."""

_MAGIC: Final = re.compile(r"[*?\[\\]")


class Names(Protocol):
    """As much of a tree as following symlinks needs."""

    def lstat(self, path: str, /) -> Stat:
        """The attributes of the name itself."""
        ...

    def readlink(self, path: str, /) -> str:
        """The target of a symlink."""
        ...


def join(directory: str, name: str) -> str:
    """``name`` below ``directory``, without doubled slashes."""
    return f"{directory.rstrip('/')}/{name}" if name else directory


def clean(path: str) -> str:
    """``path`` made absolute, without ``.``, ``..`` and doubled slashes; ``..`` stops at the root.

    >>> clean("a/../../b//c/.")
    '/b/c'
    """
    return posixpath.normpath("/" + path.lstrip("/"))


def leaves(path: str) -> bool:
    """Whether ``path``, taken relative to some directory, climbs out of it.

    >>> leaves("../a"), leaves("a/../b"), leaves("/..")
    (True, False, True)
    """
    return posixpath.normpath(path.lstrip("/") or ".").split("/")[0] == ".."


def lstat(fs: Names, path: str) -> Stat | None:
    """What lstat tells, or None where there is nothing (a file in place of a directory included)."""
    try:
        return fs.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_directory(fs: Names, path: str) -> bool:
    """Whether the name itself is a directory."""
    found = lstat(fs, path)
    return found is not None and stat.S_ISDIR(found.st_mode)


class Below:
    """The tree below ``top`` as a root of its own: what a process sees that changed its root to it."""

    def __init__(self, names: Names, top: str) -> None:
        self._names = names
        self._top = top

    def lstat(self, path: str, /) -> Stat:
        """The attributes of the name itself."""
        return self._names.lstat(join(self._top, path.lstrip("/")))

    def readlink(self, path: str, /) -> str:
        """The target of a symlink, as it is written."""
        return self._names.readlink(join(self._top, path.lstrip("/")))

    def resolve(self, path: str) -> str:
        """Where ``path`` leads in the whole tree: never above the top."""
        return join(self._top, self.resolved(path).lstrip("/"))

    def resolved(self, path: str) -> str:
        """Where ``path`` leads, seen from the top."""
        return resolve(self, path)


def _unseen(link: str) -> None:
    """Let a symlink pass unnoticed."""


def resolve(fs: Names, path: str, *, met: Callable[[str], None] = _unseen) -> str:
    """``path`` with every symlink on it followed inside the tree, the last one too; ELOOP after 40.

    ``met`` is told the path of each symlink on the way.
    """
    pending = [part for part in path.split("/") if part not in ("", ".")][::-1]
    here: list[str] = []
    links = 0
    while pending:
        part = pending.pop()
        if part == ".":
            continue
        if part == "..":
            if here:
                here.pop()
            continue
        candidate = "/" + "/".join([*here, part])
        found = lstat(fs, candidate)
        if found is None or not stat.S_ISLNK(found.st_mode):
            here.append(part)
            continue
        met(candidate)
        links += 1
        if links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        target = fs.readlink(candidate)
        if target.startswith("/"):
            here.clear()
        pending.extend([piece for piece in target.split("/") if piece not in ("", ".")][::-1])
    return "/" + "/".join(here)


def has_wildcard(path: str) -> bool:
    """Whether Go's ``filepath.Match`` reads any character of ``path`` as a pattern."""
    return _MAGIC.search(path) is not None


def pattern(text: str) -> re.Pattern[str]:
    r"""A regular expression for one component as Go's ``filepath.Match`` reads it; ValueError if malformed.

    >>> bool(pattern("a[^b]*").fullmatch("acd")), bool(pattern("*.c").fullmatch("x.h"))
    (True, False)
    """
    pieces: list[str] = []
    position = 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == "*":
            pieces.append("[^/]*")
        elif char == "?":
            pieces.append("[^/]")
        elif char == "\\":
            if position == len(text):
                raise ValueError("a backslash at the end")
            pieces.append(re.escape(text[position]))
            position += 1
        elif char == "[":
            piece, position = _character_class(text, position)
            pieces.append(piece)
        else:
            pieces.append(re.escape(char))
    return re.compile("".join(pieces), re.DOTALL)


def _character_class(text: str, position: int) -> tuple[str, int]:
    negated = text.startswith("^", position)
    position += negated
    ranges: list[str] = []
    while True:
        if text.startswith("]", position) and ranges:
            return f"[{'^' if negated else ''}{''.join(ranges)}]", position + 1
        low, position = _class_character(text, position)
        high = low
        if text.startswith("-", position):
            high, position = _class_character(text, position + 1)
        if high < low:
            raise ValueError(f"the range {low}-{high} is empty")
        ranges.append(f"{re.escape(low)}-{re.escape(high)}")


def _class_character(text: str, position: int) -> tuple[str, int]:
    if text.startswith("\\", position):
        position += 1
    elif position < len(text) and text[position] in "-]":
        raise ValueError("a bracket expression begins or ends wrongly")
    if position >= len(text):
        raise ValueError("'[' without ']'")
    return text[position], position + 1


def glob(fs: Filesystem, path: str) -> list[str]:
    """The names in the tree that ``path`` matches, sorted; a path without wildcards is its own match.

    No component matches a ``/``; the components before the first wildcard may be symlinks, those that a
    wildcard found are not walked through (fsutil ``ResolveWildcards``). ValueError if it is malformed.
    """
    parts = [part for part in path.split("/") if part]
    fixed = next((index for index, part in enumerate(parts) if has_wildcard(part)), len(parts))
    if fixed == len(parts):
        return [path]
    patterns = [pattern(part) for part in parts[fixed:]]
    return sorted(_matching(fs, resolve(fs, "/".join(parts[:fixed])), patterns))


def _matching(fs: Filesystem, directory: str, patterns: list[re.Pattern[str]]) -> Iterator[str]:
    if not is_directory(fs, directory):
        return
    for name in fs.listdir(directory):
        if patterns[0].fullmatch(name):
            if len(patterns) == 1:
                yield join(directory, name)
            else:
                yield from _matching(fs, join(directory, name), patterns[1:])
