"""Counts what was done: calls by verb and errno, callers, modes, and the rows of the specification."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from .modes import Mode, Turn
from .operation import Op, Outcome
from .rows import BY_DIRECTED_TESTS, ROWS, RowCounter
from .trees import Node


@dataclass
class Report:
    """The tallies of a run; a Watcher."""

    verbs: Counter[tuple[str, int]] = field(default_factory=Counter)
    callers: Counter[int] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    rows: RowCounter = field(default_factory=RowCounter)

    def step(self, mode: Mode, op: Op, outcome: Outcome) -> None:
        """Count a call."""
        refused = errno.EACCES if op.verb == "access" and outcome.value is False else outcome.errno
        self.verbs[op.verb, refused] += 1
        self.callers[op.caller] += 1
        self.modes[mode.name] += 1

        if not mode.raw:
            self.rows.step(mode, op, outcome)

    def mounted(self, turn: Turn) -> None:
        """A mount begins."""
        self.rows.mounted(turn)

    def layers(self, mode: Mode, layers: Mapping[str, Mapping[str, Node]]) -> None:
        """Look at the raw layers of a phase."""
        if not mode.raw:
            self.rows.layers(mode, layers)

    @property
    def calls(self) -> int:
        """How many calls were compared."""
        return self.callers.total()

    def lines(self) -> list[str]:
        """A table: verb, calls, share that succeeded, errnos by frequency."""
        names = sorted({verb for verb, _ in self.verbs})
        lines = []
        for name in names:
            counts = {number: count for (verb, number), count in self.verbs.items() if verb == name}
            total = sum(counts.values())
            errors = sorted(((c, n) for n, c in counts.items() if n), reverse=True)
            listed = " ".join(f"{errno.errorcode.get(n, n)}:{c}" for c, n in errors)
            lines.append(f"{name:12} {total:7} {counts.get(0, 0) / total:6.1%}  {listed}")
        others = self.calls - self.callers[0]
        lines.append(f"{self.calls} calls, {others / max(1, self.calls):.0%} by others than root")
        lines.append(" ".join(f"{name}:{count}" for name, count in sorted(self.modes.items())))
        lines.append(
            "rows reached: " + " ".join(f"{n}:{self.rows.hits[n]}" for n in ROWS if self.rows.hits[n])
        )
        missed = [n for n in ROWS if not self.rows.hits[n] and n not in BY_DIRECTED_TESTS]
        if missed:
            lines.append("rows not reached: " + ", ".join(f"{n} ({ROWS[n]})" for n in missed))
        return lines
