"""A table that a notebook shows as HTML and a terminal as text."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from builder.cli.session import columned


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under column titles.

    >>> print(Table(("WAY", "DAEMON"), (("kaniko-style", "none"),)))
    WAY            DAEMON
    kaniko-style   none
    """

    columns: tuple[str, ...]
    rows: tuple[Sequence[str], ...]

    def __str__(self) -> str:
        return "\n".join(columned([self.columns, *self.rows]))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{html.escape(title)}</th>" for title in self.columns)
        body = "".join(
            "<tr>"
            + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in row)
            + "</tr>"
            for row in self.rows
        )
        return f"<table><tr>{head}</tr>{body}</table>"
