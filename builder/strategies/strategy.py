"""The five strategies by name; the module that defines one is loaded when it is asked for."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Final

from builder.security.powers import Powers
from builder.strategies.definition import Definition, Hindrance


class Strategy(enum.Enum):
    """The five ways. ``value``: what the command line calls it."""

    SIMULATED = "simulated"
    ROOTLESS = "rootless"
    KANIKO_STYLE = "kaniko-style"
    PRIVILEGED = "privileged"
    DOCKER_SOCK = "docker-sock"

    @property
    def powers(self) -> Powers:
        """What whoever builds this way holds."""
        return self.definition.powers()

    @property
    def definition(self) -> Definition:
        """Its powers, its reasons and its tools; a strategy without a case here does not type-check."""
        match self:
            case Strategy.SIMULATED:
                from builder.strategies.simulated import SIMULATED

                return SIMULATED
            case Strategy.ROOTLESS:
                from builder.strategies.rootless import ROOTLESS

                return ROOTLESS
            case Strategy.KANIKO_STYLE:
                from builder.strategies.kaniko_style import KANIKO_STYLE

                return KANIKO_STYLE
            case Strategy.PRIVILEGED:
                from builder.strategies.privileged import PRIVILEGED

                return PRIVILEGED
            case Strategy.DOCKER_SOCK:
                from builder.strategies.docker_sock import DOCKER_SOCK

                return DOCKER_SOCK


STRONGEST: Final = (Strategy.ROOTLESS, Strategy.SIMULATED)
"""What ``--strategy auto`` takes the first of that works here: real processes, if they can be had."""


def strongest(state_dir: Path) -> tuple[Strategy, list[tuple[Strategy, Hindrance]]]:
    """The strongest strategy that this machine can do, and what hinders those before it."""
    hindered: list[tuple[Strategy, Hindrance]] = []
    for strategy in STRONGEST:
        hindrance = strategy.definition.hindrance(state_dir)
        if hindrance is None:
            return strategy, hindered
        hindered.append((strategy, hindrance))
    return Strategy.SIMULATED, hindered
