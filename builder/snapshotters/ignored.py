"""Which paths a scan leaves alone: neither looked at, nor wiped, nor written to a layer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from builder.context.paths import pattern

BUILDER_DIRECTORY: Final = "/kaniko"
"""Where the builder keeps its own files, in the very root in which RUN runs."""

_ALWAYS: Final = (BUILDER_DIRECTORY, "/etc/mtab", "/tmp/apt-key-gpghome*")
_MOUNTS: Final = ("/proc", "/sys", "/dev")
_BY_FLAG: Final = ("/var/run",)


@dataclass(frozen=True, slots=True)
class IgnoreList:
    """Patterns for whole components from the root on; what lies below a match is ignored too."""

    entries: tuple[tuple[re.Pattern[str], ...], ...]

    @classmethod
    def of(cls, paths: Iterable[str]) -> IgnoreList:
        """The list that ignores ``paths``, each with Go's wildcards per component."""
        return cls(tuple(tuple(pattern(part) for part in path.split("/") if part) for path in paths))

    def covers(self, path: str) -> bool:
        """Whether ``path`` is ignored, or lies below what is."""
        parts = [part for part in path.split("/") if part]
        return any(
            len(entry) <= len(parts) and all(map(re.Pattern.fullmatch, entry, parts))
            for entry in self.entries
        )

    def inside(self, directory: str) -> Callable[[str], bool]:
        """Which names in ``directory`` are ignored, where the directory itself is not."""
        parts = [part for part in directory.split("/") if part]
        last = [
            entry[-1]
            for entry in self.entries
            if len(entry) == len(parts) + 1 and all(map(re.Pattern.fullmatch, entry, parts))
        ]
        return (lambda name: any(each.fullmatch(name) for each in last)) if last else nothing

    def below(self, path: str) -> bool:
        """Whether something ignored may lie below ``path``, so that the directory itself must stay."""
        parts = [part for part in path.split("/") if part]
        return any(
            len(entry) > len(parts) and all(map(re.Pattern.fullmatch, entry, parts)) for entry in self.entries
        )


def nothing(name: str) -> bool:  # noqa: ARG001 - whatever it is
    """False: no name is ignored."""
    return False


def default_ignored(*more: str) -> IgnoreList:
    """Kaniko's list: its own directory, the mounts of a container, /var/run, and ``more`` (--ignore-path)."""
    return IgnoreList.of((*_ALWAYS, *_MOUNTS, *_BY_FLAG, *more))
