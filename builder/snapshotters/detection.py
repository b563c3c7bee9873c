"""Which changes each way of looking notices, and as which entries: measured on a real overlayfs.

``detection.csv`` has the facts: Kaniko's three modes, the upper directory of an overlay as docker's overlay2
packs it, and BuildKit, which compares what it finds in there with what lies below (``util/overlay``,
``sameDirent``). ``tests/real/rootless/test_detection.py`` measures them again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Noticed:
    """What is noticed of one change. ``times``: how exact those of the files below are.

    Entries: ``+`` a new name, ``~`` a known one, ``-`` a deletion. ``scanned``: those of a full scan.
    """

    times: str
    change: str
    full: bool
    redo: bool
    time: bool
    upper: bool
    buildkit: bool
    scanned: tuple[str, ...]
    in_upper: tuple[str, ...]
    in_buildkit: tuple[str, ...]


@cache
def detection() -> tuple[Noticed, ...]:
    """All rows: every change twice, with files dated to the nanosecond, and to the second as in tars."""
    text = resources.files(__package__).joinpath("detection.csv").read_text(encoding="utf-8")
    return tuple(_row(record) for record in csv.DictReader(text.splitlines()))


def _row(record: dict[str, str]) -> Noticed:
    def entries(column: str) -> tuple[str, ...]:
        return tuple(sorted(record[column].split()))

    return Noticed(
        record["times"],
        record["change"],
        record["full"] == "yes",
        record["redo"] == "yes",
        record["time"] == "yes",
        record["upper"] == "yes",
        record["buildkit"] == "yes",
        entries("scanned"),
        entries("in the upper"),
        entries("in buildkit"),
    )


def page() -> str:
    """The facts as a page."""
    head = (
        "# What each way of looking for changes notices",
        "",
        "*Written by `layerlab compare --noticed`; the tests compare, and measure it again on overlayfs.*",
        "",
        "A scan looks at the whole root before and after, in one of Kaniko's three modes. A union has an "
        "upper directory, which holds whatever was written: docker's overlay2 and `--strategy rootless` "
        "pack it as it is, BuildKit leaves out what is as it was below. `+` is a new name, `~` a known one, "
        "`-` a deletion.",
        "",
    )
    return "\n".join((*head, *table())) + "\n"


def table() -> Iterator[str]:
    """The facts as a table in Markdown; changes that the exactness of times does not matter to stand once."""
    yield "| change | scan `full` | `redo` | `time` | upper directory | BuildKit | entries of a full scan |"
    yield "|---|---|---|---|---|---|---|"
    by_change: dict[str, list[Noticed]] = {}
    for row in detection():
        by_change.setdefault(row.change, []).append(row)
    for change, rows in by_change.items():
        cells = [
            _cell([getattr(row, name) for row in rows])
            for name in ("full", "redo", "time", "upper", "buildkit")
        ]
        entries = " ".join(f"`{entry}`" for entry in rows[0].scanned)
        yield f"| {' | '.join((change, *cells, entries or '–'))} |"


def _cell(noticed: list[bool]) -> str:
    """``noticed``: with times to the nanosecond, and to the second."""
    if len(set(noticed)) == 1:
        return "yes" if noticed[0] else "**no**"
    return "if times are whole seconds" if noticed[-1] else "if times are exact"
