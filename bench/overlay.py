"""The union beside its peers, in one run: pyfakefs, MemoryFS, fuse-overlayfs and the kernel's overlayfs.

    python bench/overlay.py [--rounds N] [--json] [--write]

Everybody does the same work through public calls: as uid 1000, three directories deep, permissions on,
lowers frozen. Rounds are taken in turn, and the best of them counts. What the machine lacks (root,
/dev/fuse, the package ``fs``) is left out, and the reason printed. ``--write`` puts the table into
docs/fidelity.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from peers import in_memory, mounted, simulated
from peers.workload import STACKS, Figures

OURS = "unionfs_sim"
MEMORY = "bytes per inode"

Round = Callable[[], Figures]


def contenders() -> dict[str, Round]:
    """Who is measured, ourselves first."""
    return {
        OURS: simulated.measure,
        "kernel": lambda: mounted.measure("kernel"),
        "fuse-overlayfs": lambda: mounted.measure("fuse-overlayfs"),
        "pyfakefs": in_memory.measure_pyfakefs,
        "MemoryFS": in_memory.measure_memory_fs,
    }


def gather(rounds: int) -> tuple[dict[str, dict[str, list[float]]], dict[str, str]]:
    """Every figure of every round by contender, and why some contenders are missing."""
    found: dict[str, dict[str, list[float]]] = {}
    missing: dict[str, str] = {}
    for _ in range(rounds):
        for name, play in contenders().items():
            reason = mounted.missing(name) if name in ("kernel", "fuse-overlayfs") else None
            if reason is not None or name in missing:
                missing.setdefault(name, reason or "")
                continue
            try:
                figures = play()
            except (ImportError, OSError) as error:
                missing[name] = str(error)
                continue
            for what, value in figures.items():
                found.setdefault(name, {}).setdefault(what, []).append(value)
    memory = {
        OURS: simulated.bytes_per_inode,
        "pyfakefs": in_memory.pyfakefs_bytes_per_inode,
        "MemoryFS": in_memory.memory_fs_bytes_per_inode,
    }
    for name, weigh in memory.items():
        if name in found:
            found[name][MEMORY] = [weigh()]
    return found, missing


def best(found: dict[str, dict[str, list[float]]]) -> dict[str, Figures]:
    """The best round of each figure."""
    return {name: {what: max(values) for what, values in all_.items()} for name, all_ in found.items()}


def header(figures: dict[str, Figures]) -> list[str]:
    """The heads of the table's columns."""
    return ["operations per second", *(name for name in figures)]


def rows(figures: dict[str, Figures]) -> list[list[str]]:
    """One row a figure: ours, then theirs with our multiple of it."""
    ours = figures[OURS]
    lines = []
    for what, value in ours.items():
        cells = [what, f"{value:,.0f}"]
        for name in figures:
            if name == OURS:
                continue
            theirs = figures[name].get(what)
            ratio = "" if theirs is None else f"{value / theirs:.1f}×"
            cells.append("–" if theirs is None else f"{theirs:,.0f} ({ratio})")
        lines.append(cells)
    return lines


def flatness(figures: dict[str, Figures]) -> str:
    """What a warm lookup in the largest stack costs, compared with one layer."""
    ours = figures[OURS]
    one, most = ours["stat in the lowest, 1 layer"], ours[f"stat in the lowest, {STACKS[-1]} layers"]
    return f"A warm lookup in {STACKS[-1]} layers costs {one / most:.2f} times that in one."


def write(figures: dict[str, Figures], missing: dict[str, str], rounds: int) -> None:
    """Replace the section "Speed" of docs/fidelity.md."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "real" / "kernel"))
    from differential.page import table, write_sections

    lines = [
        f"Linux {platform.release()}, Python {platform.python_version()}, {os.cpu_count()} cores, the best "
        f"of {rounds} rounds taken in turn; in brackets how many times as fast `unionfs_sim` is. All by the "
        "same calls, as uid 1000, three directories deep, permissions on, lowers frozen, the mounts' layers "
        "on tmpfs. pyfakefs and MemoryFS have no layers: their own files stand in for the lowers. MemoryFS "
        "checks no permissions.",
        "",
        *table(header(figures), rows(figures)),
        "",
        flatness(figures),
        *(f"Left out: {name} ({reason})." for name, reason in missing.items()),
        "",
        "Again: `python bench/overlay.py --write` (as root, for the mounts).",
    ]
    write_sections({"bench": lines})


def main() -> None:
    """Measure everybody and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="replace the table in docs/fidelity.md")
    chosen = parser.parse_args()
    found, missing = gather(chosen.rounds)
    figures = best(found)
    if chosen.write:
        write(figures, missing, chosen.rounds)
    if chosen.json:
        medians = {
            name: {what: statistics.median(values) for what, values in all_.items()}
            for name, all_ in found.items()
        }
        print(json.dumps({"best": figures, "median": medians, "missing": missing}, indent=2))
        return
    heads = header(figures)
    print(f"{heads[0]:<42}{heads[1]:>13}" + "".join(f"{name:>22}" for name in heads[2:]))
    for cells in rows(figures):
        print(f"{cells[0]:<42}{cells[1]:>13}" + "".join(f"{cell:>22}" for cell in cells[2:]))
    print(flatness(figures))
    for name, reason in missing.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
