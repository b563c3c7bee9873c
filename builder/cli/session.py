"""What every word of the command line is told: where state lies, the environment, how to print.

Answers go to stdout, talk to stderr. A table is drawn with rich only on a terminal; everywhere else it is
plain text in columns, so that pipes and tests see the same bytes on every machine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from unicodedata import east_asian_width

from unionfs_sim.nodes.record import Record, field

if TYPE_CHECKING:
    from builder.cli.report import Reporter
    from builder.stores.layout import LayoutStore
_UNITS = ("B", "kB", "MB", "GB", "TB")


class Session(Record):
    """One invocation of the program. ``ctx.obj`` of every command is one of these."""

    state_dir: Path
    env: Mapping[str, str] = field(default_factory=dict)
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    reporter: Reporter | None = None
    comparison_reporter: Callable[[Mapping[str, Any], Path], None] | None = None

    @contextmanager
    def store(self) -> Iterator[LayoutStore]:
        """The local store, for as long as the block lasts."""
        from builder.stores.layout import LayoutStore

        with LayoutStore(str(self.state_dir)) as store:
            yield store

    @contextmanager
    def store_to_empty(self) -> Iterator[LayoutStore]:
        """The local store for a word that makes room in it, also where the disk is full."""
        from builder.stores.layout import LayoutStore, Use

        with LayoutStore(str(self.state_dir), use=Use.MAKING_ROOM) as store:
            yield store

    def print(self, text: str) -> None:
        """Print a line of the answer; what is not UTF-8 or could steer a terminal is shown as ``\\xNN``."""
        self.out.write(visible(text) + "\n")

    def say(self, text: str) -> None:
        """Print a line of talk."""
        self.err.write(visible(text) + "\n")

    def json(self, answer: object) -> None:
        """Print the answer as JSON."""
        self.print(json.dumps(answer, indent=2, ensure_ascii=True))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
        """Print a table. Columns whose cells are all numbers or sizes stand at the right."""
        texts = [[str(cell) for cell in row] for row in rows]
        if self.draws:
            self._rich_table(columns, texts, title)
            return
        if title:
            self.print(title)
        # At once: a long list is one write, also where every write is one to the terminal.
        self.out.write("".join(f"{visible(line)}\n" for line in columned([list(columns), *texts])))

    @property
    def draws(self) -> bool:
        """Whether the answer goes to a terminal that wants more than plain text (no-color.org)."""
        return self.out.isatty() and self.env.get("TERM") != "dumb" and "NO_COLOR" not in self.env

    def _rich_table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(
            title=title or None, box=None, header_style="bold", pad_edge=False, title_justify="left"
        )
        for column in columns:
            table.add_column(column)
        for row in rows:
            table.add_row(*(Text(visible(cell)) for cell in row))
        Console(file=self.out).print(table)


def visible(text: str) -> str:
    """The text with everything that could steer a terminal, and every byte that is not UTF-8, as an escape.

    >>> print(visible("\\x1b[31mred \\udcff"))
    \\x1b[31mred \\xff
    """
    decoded = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if decoded.isprintable():
        return decoded
    return "".join(
        char if char.isprintable() or char in "\n\t\xa0\u3000" else char.encode("unicode_escape").decode()
        for char in decoded
    )


def columned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines, every column as wide as its widest cell; a Chinese character takes two places.

    >>> columned([["A", "B"], ["long", "x"]])
    ['A      B', 'long   x']
    >>> columned([["练习", "B"], ["1.1", "x"]])
    ['练习   B', '1.1    x']
    """
    widths = [max(map(_places, column)) for column in zip(*rows, strict=True)]
    return [
        "   ".join(
            cell + " " * (width - _places(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _places(text: str) -> int:
    """How many places of a terminal a text takes (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    return len(text) + sum(east_asian_width(character) in "WF" for character in text)


def size(count: int) -> str:
    """A number of bytes for people, in powers of 1000 as docker prints it.

    >>> size(0), size(999), size(1234567)
    ('0 B', '999 B', '1.23 MB')
    """
    value: float = count
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            return f"{count} B" if unit == "B" else f"{value:.3g} {unit}"
        value /= 1000
    raise AssertionError(count)


def scaled(scale: int) -> str:
    """What is said of sizes where an embedded base is in them."""
    return f"Programs and libraries of embedded images weigh 1/{scale} of the real ones."


def plain(answer: Any) -> Any:
    """The answer as JSON can hold it: tuples as lists, mappings as dicts."""
    if isinstance(answer, Mapping):
        return {str(name): plain(value) for name, value in answer.items()}
    if isinstance(answer, (list, tuple)):
        return [plain(value) for value in answer]
    return answer
