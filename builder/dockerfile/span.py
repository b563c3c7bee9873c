"""Where something stands in a file."""

from __future__ import annotations

from unionfs_sim.nodes.record import Record


class Span(Record):
    """The lines ``line`` to ``end_line`` of ``file``, counted from 1, both included.

    >>> str(Span("Dockerfile", 4, 6))
    'Dockerfile:4'
    """

    file: str
    line: int
    end_line: int

    def __lt__(self, other: Span) -> bool:
        return (self.file, self.line, self.end_line) < (other.file, other.line, other.end_line)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def lines(self) -> str:
        """The lines alone: ``4`` or ``4-6``."""
        return str(self.line) if self.line == self.end_line else f"{self.line}-{self.end_line}"
