"""Finds a path below a real directory without ever leaving it.

Every path is walked component by component from one directory descriptor. No symlink is followed as the
machine would follow it: an absolute target starts at the directory, and ``..`` stops there (as in
chroot(2)), so neither a hostile tree nor a race can lead outside.
"""

from __future__ import annotations

import errno
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

MAX_LINKS: Final = 40
"""Symlinks in one path, as the kernel counts them (include/linux/namei.h)."""

_CACHED_DIRECTORIES: Final = 64
_DIRECTORY: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


class HostWalk:
    """The directory at ``path``, held open, and descriptors of the directories below it used last."""

    def __init__(self, path: str) -> None:
        self._root = os.open(path, _DIRECTORY)
        self._lock = threading.RLock()
        self._known: OrderedDict[tuple[str, ...], int] = OrderedDict()

    def __del__(self) -> None:
        if hasattr(self, "_known"):
            self.close()

    def close(self) -> None:
        """Let go of all descriptors; a second close does nothing."""
        self.forget()
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def forget(self) -> None:
        """Let go of all descriptors but the first: a directory was removed, its name may come back."""
        with self._lock:
            while self._known:
                os.close(self._known.popitem()[1])

    @contextmanager
    def at(self, path: str | bytes, *, follow: bool = False) -> Iterator[tuple[int, str]]:
        """The directory of ``path`` as a descriptor, and its last name (``.`` at the root).

        ``follow``: also where the last name is a symlink. Inside, OSErrors name ``path``. Other threads
        wait, so that the descriptor stays open.
        """
        with self._lock:
            try:
                yield self._find(os.fsdecode(path), follow=follow)
            except OSError as error:
                raise OSError(error.errno, error.strerror, path) from None

    def _find(self, path: str, *, follow: bool) -> tuple[int, str]:
        if "\0" in path:
            raise OSError(errno.EINVAL, "embedded null byte")
        if not path:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        directory_wanted = path.endswith(("/", "/."))
        waiting = _components(path)
        place: tuple[str, ...] = ()
        links = 0
        while waiting:
            name = waiting.pop()
            directory = self._directory(place)
            if name == "..":
                place = place[:-1]
                continue
            is_last = not waiting
            target = _target(directory, name) if not is_last or follow or directory_wanted else None
            if target is not None:
                links += 1
                if links > MAX_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                place = () if target.startswith("/") else place
                waiting += _components(target)
            elif is_last and not directory_wanted:
                return directory, name
            else:
                place = (*place, name)
        return self._directory(place), "."

    def _directory(self, place: tuple[str, ...]) -> int:
        """A descriptor of the directory at ``place``, which holds neither symlinks nor ``..``."""
        if not place:
            return self._root
        known = self._known.get(place)
        if known is not None:
            self._known.move_to_end(place)
            return known
        depth = len(place)
        while depth and place[:depth] not in self._known:
            depth -= 1
        found = os.dup(self._known.get(place[:depth], self._root))
        for name in place[depth:]:
            try:
                inner = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=found)
            finally:
                os.close(found)
            found = inner
        self._known[place] = found
        if len(self._known) > _CACHED_DIRECTORIES:
            os.close(self._known.popitem(last=False)[1])
        return found


def _components(path: str) -> list[str]:
    """The names in ``path``, last first."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _target(directory: int, name: str) -> str | None:
    """Where the symlink points; None if it is none, or nothing."""
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT):
            return None
        raise
