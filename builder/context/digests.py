"""Digests of files, remembered from build to build: an unchanged file is not read again.

As git's index does, a file is known by its size, times and inode number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from unionfs_sim.filesystem import Stat

_GRANULARITY_NS: Final = 50_000_000
"""A file changed this shortly ago may change again with the same time stamps: it is not remembered."""


class DigestCache(Protocol):
    """What remembers digests of files between builds: the records of a store."""

    def recall(self, key: str, /) -> Mapping[str, Any] | None:
        """What was remembered last, or None."""
        ...

    def remember(self, key: str, record: Mapping[str, Any], /) -> None:
        """Keep ``record``."""
        ...


class FileDigests:
    """The digests of one tree's files: a record for each directory, written by ``save``.

    ``name``: what tells this tree from others. ``clock``: nanoseconds, as the files' times are.
    """

    def __init__(self, records: DigestCache, name: str, clock: Callable[[], int]) -> None:
        self._records = records
        self._name = name
        self._clock = clock
        self._known: dict[str, dict[str, Any]] = {}
        self._changed: set[str] = set()

    def recall(self, path: str, status: Stat) -> str | None:
        """The digest that a file with these attributes had, if it was remembered."""
        directory, _, name = path.rpartition("/")
        entry = self._directory(directory).get(name)
        return str(entry[1]) if entry and entry[0] == _identity(status) else None

    def remember(self, path: str, status: Stat, digest: str) -> None:
        """Remember a digest, unless the file is too young to be told from a later version."""
        if self._clock() - max(status.st_mtime_ns, status.st_ctime_ns) > _GRANULARITY_NS:
            directory, _, name = path.rpartition("/")
            self._directory(directory)[name] = [_identity(status), digest]
            self._changed.add(directory)

    def save(self, names: Callable[[str], Iterable[str]]) -> None:
        """Write what is new; ``names`` tells what a directory holds, and what is gone is forgotten."""
        for directory in sorted(self._changed):
            there = set(names(directory or "/"))
            # A copy: a step that nobody could stop may still be adding to it.
            known = list(self._known[directory].items())
            record = {name: entry for name, entry in known if name in there}
            self._records.remember(self._key(directory), record)
        self._changed.clear()

    def _directory(self, directory: str) -> dict[str, Any]:
        known = self._known.get(directory)
        if known is None:
            known = self._known[directory] = dict(self._records.recall(self._key(directory)) or {})
        return known

    def _key(self, directory: str) -> str:
        return f"digests:{self._name}:{directory}"


def _identity(status: Stat) -> str:
    """What changes when a file's bytes may have changed."""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}"
