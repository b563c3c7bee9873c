"""Negative controls: the model with one rule made wrong, which the comparison must notice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from .machine import Machine
from .modes import MODES
from .report import Report
from .scenario import play_random

LIMIT: Final = 20_000
"""Calls within which a mutant must be noticed."""


@dataclass(frozen=True)
class Mutant:
    """One wrong rule: the row it breaks, a sentence, the mode that shows it, and how the model is changed."""

    row: int
    sentence: str
    mode: str
    change: Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Noticed:
    """How a mutant was found; ``calls`` 0 if it was not."""

    mutant: Mutant
    mode: str
    calls: int
    how: str


def notice(mutant: Mutant, seed: int, kernel: Machine, model: Machine) -> Noticed:
    """Play scenarios against the mutant until they differ."""
    report = Report()
    with mutant.change():
        number = 0
        while report.calls < LIMIT:
            _, found = play_random(
                f"{seed}:{mutant.mode}:{number}", MODES[mutant.mode], kernel, model, report
            )
            if found:
                return Noticed(mutant, mutant.mode, report.calls + 1, found.where)
            number += 1
    return Noticed(mutant, mutant.mode, 0, "")


MUTANTS: Final[tuple[Mutant, ...]] = ()
