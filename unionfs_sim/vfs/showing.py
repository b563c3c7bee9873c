"""A tree as a table, for a notebook: names, types, modes in octal, owners, sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from unionfs_sim.nodes.kinds import PERMISSIONS, TYPE, WORDS

MOST_ROWS = 60

Row = Sequence[str]


def table(columns: Sequence[str], rows: Iterator[Row], *, most: int = MOST_ROWS) -> str:
    """An HTML table of the first ``most`` rows; what is left out is said."""
    from html import escape  # only a notebook asks

    left = "style='text-align:left'"
    head = "".join(f"<th {left}>{escape(title)}</th>" for title in columns)
    body = "".join(
        "<tr>" + "".join(f"<td {left}>{escape(shown(cell))}</td>" for cell in row) + "</tr>"
        for row in islice(rows, most)
    )
    more = "<p>…</p>" if next(rows, None) is not None else ""
    return f"<table><tr>{head}</tr>{body}</table>{more}"


def shown(name: str) -> str:
    """A name that a page can hold: names of files may hold any byte."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def kind_mode_owner(mode: int, uid: int, gid: int) -> tuple[str, str, str]:
    """The type in a word, the permissions in octal, and the owner.

    >>> kind_mode_owner(0o100644, 0, 33)
    ('file', '0644', '0:33')
    """
    return WORDS.get(mode & TYPE, "?"), f"{mode & PERMISSIONS:04o}", f"{uid}:{gid}"
