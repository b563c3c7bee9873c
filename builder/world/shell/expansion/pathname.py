"""Pathname expansion: the names in a tree that a pattern matches (POSIX XCU 2.13.3)."""

from __future__ import annotations

import re
import stat
from typing import Final

from builder.world.matching.pattern import is_special, unescaped, whole
from unionfs_sim.vfs.posix import Posix

_COMPONENTS: Final = re.compile(r"/+|[^/]+")


def _order(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _exists(fs: Posix, path: str) -> bool:
    try:
        fs.lstat(path)
    except (OSError, ValueError):
        return False
    return True


def _is_directory(fs: Posix, path: str) -> bool:
    try:
        return stat.S_ISDIR(fs.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _names(fs: Posix, directory: str, pattern: str) -> list[str]:
    try:
        names = fs.listdir(directory or ".")
    except OSError:
        return []
    hidden = pattern.startswith((".", "\\."))
    if hidden:
        names = [*names, ".", ".."]
    expression = whole(pattern)
    return [name for name in names if (hidden or name[0] != ".") and expression.fullmatch(name)]


def matching_paths(fs: Posix, pattern: str) -> list[str]:
    """The paths that ``pattern`` matches, sorted by their bytes; [] if there is none.

    A leading period is matched only by a period, a slash only by a slash.
    """
    found = [""]
    components = _COMPONENTS.findall(pattern)
    for index, component in enumerate(components):
        last = index == len(components) - 1
        if component[0] == "/":
            found = [path + component for path in found if not path or _is_directory(fs, path)]
        elif is_special(component):
            found = [path + name for path in found for name in _names(fs, path, component)]
        else:
            plain = unescaped(component)
            found = [path + plain for path in found if not last or _exists(fs, path + plain)]
    return sorted(found, key=_order)
