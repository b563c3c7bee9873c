"""The page docs/fidelity.md: named sections, each replaced by the command that measures it."""

from __future__ import annotations

import errno
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .report import Report
from .rows import ROWS

PAGE: Final = Path(__file__).parents[4] / "docs" / "fidelity.md"
TESTS: Final = Path(__file__).parents[3]
SECTIONS: Final = {
    "summary": "Random calls against the kernel",
    "limits": "What the random calls leave out",
    "modes": "Modes",
    "verbs": "Calls by verb",
    "rows": "Rows of the specification",
    "mutants": "Negative controls",
    "source-mutants": "Tests that bite",
    "probes": "Plain Python on an overlay mount",
    "fuse": "The model behind a FUSE mount",
    "bench": "Speed",
}
INTRODUCTION: Final = """# How faithful the union is

Nothing on this page is written by hand: each section is replaced by the command that it names. The model in
`unionfs_sim` is held against the overlayfs of a running Linux kernel: both get the same layers and the same
sequence of calls, and must give the same answers, the same merged tree and the same raw upper directory.
"""


def begin(name: str) -> str:
    """The line that opens a section."""
    return f"<!-- begin {name} -->"


def end(name: str) -> str:
    """The line that closes a section."""
    return f"<!-- end {name} -->"


def empty_page() -> str:
    """The page with every section still to be measured."""
    parts = [INTRODUCTION]
    for name, title in SECTIONS.items():
        parts.append(f"## {title}\n\n{begin(name)}\n{end(name)}\n")
    return "\n".join(parts)


def with_section(page: str, name: str, lines: Sequence[str]) -> str:
    """The page with the text of one section replaced; raises ValueError if the page has no such section."""
    start, stop = page.index(begin(name)) + len(begin(name)), page.index(end(name))
    return page[:start] + "\n\n" + "\n".join(lines) + "\n\n" + page[stop:]


def write_sections(sections: dict[str, Sequence[str]], path: Path = PAGE) -> None:
    """Replace sections of the page on disk; makes the page if there is none."""
    page = path.read_text() if path.exists() else empty_page()
    for name, lines in sections.items():
        page = with_section(page, name, lines)
    path.write_text(page)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A Markdown table; numbers are set to the right."""
    numeric = [all(isinstance(row[column], int | float) for row in rows) for column in range(len(header))]
    lines = ["| " + " | ".join(header) + " |"]
    lines.append("|" + "|".join("---:" if right else "---" for right in numeric) + "|")
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return lines


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def of_verbs(report: Report) -> list[str]:
    """Calls, success and errnos of each verb."""
    rows = []
    for name in sorted({verb for verb, _ in report.verbs}):
        counts = {number: count for (verb, number), count in report.verbs.items() if verb == name}
        total = sum(counts.values())
        errors = sorted((number for number in counts if number), key=lambda number: -counts[number])
        listed = ", ".join(f"{errno.errorcode.get(n, n)} {counts[n]:,}" for n in errors)
        rows.append((f"`{name}`", total, f"{counts.get(0, 0) / total:.0%}", listed))
    seen = Counter[str]()
    for (_, number), count in report.verbs.items():
        if number:
            seen[errno.errorcode.get(number, str(number))] += count
    met = ", ".join(f"{name} {count:,}" for name, count in sorted(seen.items()))
    return [*table(("verb", "calls", "succeed", "refused with"), rows), "", f"Errnos met: {met}."]


def of_rows(report: Report) -> list[str]:
    """How often each row of the specification was reached, and by which test it is named."""
    named = _named_rows()
    rows: list[tuple[object, ...]] = []
    for number, sentence in ROWS.items():
        hits = report.rows.hits[number]
        test = named.get(number, "**no test**")
        rows.append((number, sentence, f"{hits:,}" if hits else "", test))
    return table(("row", "behaviour", "reached by random calls", "test"), rows)


def _compared(path: Path) -> str:
    """What the tests of a file compare."""
    place = path.relative_to(TESTS)
    if path.parent == TESTS / "real" / "kernel":
        return "kernel and model"
    return f"model and {place.parts[1]}, `{place}`" if place.parts[0] == "real" else f"model only, `{place}`"


def _named_rows() -> dict[int, str]:
    """The rows that the name of a test says, with what the test compares."""
    found: dict[int, str] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for number in re.findall(r"def test_row_(\d\d)_", path.read_text()):
            found.setdefault(int(number), _compared(path))
    return found
