"""What compiled statements are, and how they follow and repeat each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from builder.world.programs.cc.machine import Load, Machine

Statement: TypeAlias = Callable[[Machine], int]
"""Does its work and tells how to go on: one of the four below."""

GOES_ON: Final = 0
BREAKS: Final = 1
CONTINUES: Final = 2
RETURNS: Final = 3


def sequence(parts: list[Statement]) -> Statement:
    """One statement after the other, until one does not go on."""
    if len(parts) == 1:
        return parts[0]

    def run(machine: Machine) -> int:
        for part in parts:
            outcome = part(machine)
            if outcome:
                return outcome
        return GOES_ON

    return run


def loop(test: Load | None, body: Statement, after: Load | None) -> Statement:
    """``body`` again and again while ``test`` holds; ``after`` as the third part of a for."""

    def run(machine: Machine) -> int:
        while test is None or test(machine):
            machine.step()
            outcome = body(machine)
            if outcome == BREAKS:
                break
            if outcome == RETURNS:
                return RETURNS
            if after is not None:
                after(machine)
        return GOES_ON

    return run
