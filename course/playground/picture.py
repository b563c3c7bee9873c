"""A union as a table: which layer has what, and what shows; as wide as the window, changed rows first."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from course.playground.text import Line, Tone, fitted, printable, width_of
from unionfs_sim import Layer, Union
from unionfs_sim.layers.markers import is_opaque, is_whiteout
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.vfs.posix import Posix

_KINDS: Final = {stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}
_LEAST_PATH: Final = 16
_LEAST_ROWS: Final = 8


@dataclass(frozen=True, slots=True)
class State:
    """What every path is, layer by layer and merged: short signs, compared to find what changed.

    ``columns``: titles, base first; the upper (if any) is the last but one, "merged" the last.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]
    has_upper: bool

    def upper(self, path: str) -> str:
        """What the upper has of ``path``; "" for nothing."""
        row = self.rows.get(path)
        return row[-2] if row is not None and self.has_upper else ""

    def merged(self, path: str) -> str:
        """What shows at ``path``; "" for nothing."""
        row = self.rows.get(path)
        return row[-1] if row is not None else ""


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
    return State((*titles, "merged"), rows, union.upper is not None)


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
    return _KINDS.get(stat.S_IFMT(inode.mode), "device")


def _merged(union: Posix) -> Iterator[tuple[str, str]]:
    for top, directories, others in union.walk("/"):
        for name in (*directories, *others):
            path = os.path.join(top, name)
            try:
                told = union.lstat(path)
            except OSError:
                yield path, "ENOENT"  # a stray whiteout: the name is listed, and leads nowhere
                continue
            kind = _KINDS.get(stat.S_IFMT(told.st_mode), str(told.st_size))
            yield path, f"{stat.S_IMODE(told.st_mode):04o} {told.st_uid}:{told.st_gid} {kind}"


def changed_paths(now: State, before: State | None) -> list[str]:
    """The paths whose row is another than before, in order; those that are gone among them."""
    if before is None:
        return []
    paths = now.rows.keys() | before.rows.keys()
    found = (path for path in paths if now.rows.get(path) != before.rows.get(path))
    return sorted(found, key=lambda path: path.split("/"))


def table(now: State, changed: Sequence[str] = (), *, columns: int = 100, lines: int = 40) -> Iterator[Line]:
    """The table for a window of that size. What changed stands first and is never left out.

    Where the lowers do not fit beside each other, one column says which of them have the path.
    """
    marked = set(changed)
    rest = [path for path in now.rows if path not in marked]
    room = max(lines - len(changed) - 3, _LEAST_ROWS if not changed else 0)
    in_upper = [path for path in rest if now.upper(path)]
    shown = (in_upper + [path for path in rest if not now.upper(path)])[:room]
    order = [*changed, *sorted(shown, key=lambda path: path.split("/"))]
    titles, cells = _cells(now, order, columns)
    widths = [max(width_of(each) for each in column) for column in zip(titles, *cells, strict=True)]
    path_width = max(_LEAST_PATH, columns - 2 - sum(width + 2 for width in widths))
    path_width = min(path_width, max([width_of("path"), *(width_of(printable(path)) for path in order)]))
    yield Line(_row("  ", "path", path_width, titles, widths), Tone.NOTE)
    for path, row in zip(order, cells, strict=True):
        mark, tone = "  ", Tone.PLAIN
        if path in marked:
            mark, tone = ("- ", Tone.GONE) if not now.merged(path) else ("* ", Tone.CHANGED)
        yield Line(_row(mark, printable(path), path_width, row, widths), tone)
    left_out = len(rest) - len(shown)
    if left_out:
        yield Line(f"  … and {left_out:,} more paths, all as they were: show all", Tone.NOTE)


def _cells(now: State, order: Sequence[str], columns: int) -> tuple[list[str], list[list[str]]]:
    """The titles and cells beside the path, with the lowers in one column where there is no room."""
    empty = [""] * len(now.columns)
    full = [list(now.rows.get(path, empty)) for path in order]
    widths = [max(width_of(each) for each in column) for column in zip(now.columns, *full, strict=True)]
    if sum(width + 2 for width in widths) + 2 + _LEAST_PATH <= columns:
        return list(now.columns), full
    kept = 2 if now.has_upper else 1
    titles = ["lowers", *now.columns[-kept:]]
    return titles, [[_which(row[:-kept]), *row[-kept:]] for row in full]


def _which(row: Sequence[str]) -> str:
    """The lowers that have a path, the topmost first with what it is."""
    having = [number for number, cell in enumerate(row) if cell]
    if not having:
        return ""
    top = having[-1]
    below = "".join(f" L{number}" for number in reversed(having[:-1]))
    shown = f"L{top} {row[top]}"
    return shown + (f" over{below}" if len(having) <= 3 and below else " …" if below else "")


def _row(mark: str, path: str, path_width: int, cells: Sequence[str], widths: Sequence[int]) -> str:
    fields = [fitted(cell, width) for cell, width in zip(cells, widths, strict=True)]
    return f"{mark}{fitted(path, path_width)}  {'  '.join(fields)}".rstrip()
