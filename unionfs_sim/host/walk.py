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


def flag(name: str) -> int:
    """A flag of open(2); 0 where the machine has no such flag."""
    found: int = getattr(os, name, 0)
    return found


NOFOLLOW: Final = flag("O_NOFOLLOW")
DIRECTORY: Final = flag("O_DIRECTORY") | flag("O_CLOEXEC")
PLACE: Final = flag("O_PATH")
"""To hold a name without opening what it means; where that is not known, it is opened for reading."""
_DIRECTORY: Final = PLACE | DIRECTORY


class HostWalk:
    """The directory at ``path``, held open, and descriptors of the directories below it used last."""

    def __init__(self, path: str) -> None:
        self._root = os.open(path, _DIRECTORY)
        self._lock = threading.RLock()
        self._known: OrderedDict[str, int] = OrderedDict()

    def __del__(self) -> None:
        if hasattr(self, "_known"):
            self.close()

    def close(self) -> None:
        """Let go of all descriptors; a second close does nothing."""
        while self._known:
            os.close(self._known.popitem()[1])
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def forget(self, removed: os.stat_result) -> None:
        """Let go of a directory that was removed, under whatever names: they may come back."""
        with self._lock:
            for key, descriptor in list(self._known.items()):
                if os.path.samestat(os.fstat(descriptor), removed):
                    os.close(self._known.pop(key))

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
        # The fast way: a directory that is held open under this very spelling, and a plain name in it.
        head, _, name = path.rpartition("/")
        known = self._known.get(head[1:]) if head and not follow else None
        if known is not None and path[0] == "/" and name not in ("", ".", ".."):
            self._known.move_to_end(head[1:])
            return known, name
        directory_wanted = path.endswith(("/", "/."))
        for _ in range(MAX_LINKS + 1):
            parts = _parts(path)
            if not parts or parts[-1] == "..":
                return self._directory(parts), "."
            directory = self._directory(parts[:-1])
            target = _target(directory, parts[-1]) if follow or directory_wanted else None
            if target is None:
                return (self._directory(parts), ".") if directory_wanted else (directory, parts[-1])
            path = target if target.startswith("/") else "/".join((*parts[:-1], target))
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))

    def _directory(self, parts: list[str]) -> int:
        """A descriptor of the directory that ``parts`` lead to; it stays open until others were used."""
        if not parts:
            return self._root
        key = "/".join(parts)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        above = self._known.get(key.rpartition("/")[0]) if parts[-1] != ".." else None
        found = self._walk(parts) if above is None else self._step(above, parts)
        self._known[key] = found
        if len(self._known) > _CACHED_DIRECTORIES:
            os.close(self._known.popitem(last=False)[1])
        return found

    def _step(self, above: int, parts: list[str]) -> int:
        """One component more than ``above``; from the beginning where that is a symlink."""
        try:
            return os.open(parts[-1], _DIRECTORY | NOFOLLOW, dir_fd=above)
        except NotADirectoryError:
            return self._walk(parts)

    def _walk(self, parts: list[str]) -> int:
        """Resolve ``parts`` from the root on, symlinks and ``..`` included."""
        waiting = parts[::-1]
        place: list[str] = []
        current = os.dup(self._root)
        links = 0
        try:
            while waiting:
                name = waiting.pop()
                if name == "..":
                    # Not by the machine's "..": the directory may have been moved out of ours.
                    waiting += place[-2::-1]
                    current, place = self._again(current), []
                    continue
                try:
                    inner = os.open(name, _DIRECTORY | NOFOLLOW, dir_fd=current)
                except NotADirectoryError:
                    target = _target(current, name)
                    links += 1
                    if target is None:
                        raise
                    if links > MAX_LINKS:
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
                    waiting += _parts(target)[::-1]
                    if target.startswith("/"):
                        current, place = self._again(current), []
                    continue
                os.close(current)
                current = inner
                place.append(name)
        except BaseException:
            os.close(current)
            raise
        return current

    def _again(self, current: int) -> int:
        """A descriptor of the root in place of ``current``."""
        os.close(current)
        return os.dup(self._root)


def _parts(path: str) -> list[str]:
    """The names in ``path``."""
    return [name for name in path.split("/") if name not in ("", ".")]


def _target(directory: int, name: str) -> str | None:
    """Where the symlink points; None if it is none, or nothing."""
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT):
            return None
        raise
