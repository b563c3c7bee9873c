"""A union as text: lowers, upper and the merged view side by side, and what the last step changed."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import is_opaque, is_whiteout
from unionfs_sim.mounting import Union
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.vfs.posix import Posix

MOST_ROWS: Final = 40
_KINDS: Final = {stat.S_IFDIR: "/", stat.S_IFLNK: "@", stat.S_IFIFO: "|", stat.S_IFSOCK: "="}


@dataclass(frozen=True, slots=True)
class State:
    """What every path is, layer by layer and merged: short signs, compared to find what changed.

    ``columns``: titles, base first, the upper (if any) before the last, "merged" last.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]


def state(union: Union, names: Sequence[str] = ()) -> State:
    """The union as it is now. ``names``: of the lowers, base first (default: L0, L1, …)."""
    layers = [lower for lower in union.lowers if isinstance(lower, Layer)]
    titles = [*(names or [f"L{number}" for number in range(len(layers))])]
    if union.upper is not None:
        layers.append(union.upper)
        titles.append("upper")
    columns = [dict(_raw(layer)) for layer in layers] + [dict(_merged(union))]
    paths = sorted({path for column in columns for path in column}, key=lambda path: path.split("/"))
    rows = {path: tuple(column.get(path, "") for column in columns) for path in paths}
    return State((*titles, "merged"), rows)


def _raw(layer: Layer) -> Iterator[tuple[str, str]]:
    for path, inode in layer.inodes():
        if path != "/":
            yield path, _sign(inode)


def _sign(inode: Inode) -> str:
    if is_whiteout(inode):
        return "whiteout"
    if inode.is_dir:
        return "dir opaque" if is_opaque(inode) else "dir"
    if stat.S_ISREG(inode.mode):
        return f"file {inode.content.size}"
    return {stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}.get(
        stat.S_IFMT(inode.mode), "device"
    )


def _merged(union: Posix) -> Iterator[tuple[str, str]]:
    for top, directories, others in union.walk("/"):
        for name in (*directories, *others):
            path = os.path.join(top, name)
            try:
                told = union.lstat(path)
            except OSError:
                yield path, "ENOENT"  # a stray whiteout: the name is listed, and leads nowhere
                continue
            kind = _KINDS.get(stat.S_IFMT(told.st_mode), "")
            yield path, f"{stat.S_IMODE(told.st_mode):04o} {told.st_uid}:{told.st_gid} {kind or told.st_size}"


def side_by_side(now: State, before: State | None = None) -> list[str]:
    """The lines of a table: a row for each path, * where it changed; long tables show what changed."""
    changed = {path for path in now.rows if before is not None and now.rows[path] != before.rows.get(path)}
    gone = [path for path in (before.rows if before is not None else ()) if path not in now.rows]
    shown = list(now.rows)
    left_out = 0
    if len(shown) > MOST_ROWS:
        upper = len(now.columns) - 2
        kept = [path for path in shown if path in changed or (upper >= 0 and now.rows[path][upper])]
        shown = kept[:MOST_ROWS] or shown[:MOST_ROWS]
        left_out = len(now.rows) - len(shown)
    table = [("", "path", *now.columns)]
    table += [("*" if path in changed else "", printable(path), *now.rows[path]) for path in shown]
    table += [("-", printable(path), *("" for _ in now.columns)) for path in gone]
    lines = list(_columned(table))
    if left_out:
        lines.append(f"… {left_out} more paths that nothing changed")
    return lines


def printable(text: str) -> str:
    """A name as a terminal can show it: control characters and bytes that are not UTF-8 as escapes."""
    shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown)


def _columned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
