"""What happens while a pipeline is played, as frozen records; the command line prints them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from builder.events import Event as BuildEvent


@dataclass(frozen=True, slots=True)
class TaskBegan:
    """A task's turn has come. ``of``: the Task that it refers to, empty for one that is written inline."""

    task: str
    of: str


@dataclass(frozen=True, slots=True)
class TaskSkipped:
    """A task does not run, and why."""

    task: str
    why: str


@dataclass(frozen=True, slots=True)
class StepBegan:
    """A step's container starts."""

    task: str
    step: str
    image: str


@dataclass(frozen=True, slots=True)
class Printed:
    """A step printed something."""

    task: str
    step: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Built:
    """Something happened in the build that a step does."""

    task: str
    step: str
    event: BuildEvent


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step is over. ``note``: why it did not run, or why its failure does not count."""

    task: str
    step: str
    status: int
    note: str


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """A task is over. ``why``: of a failure."""

    task: str
    state: str
    why: str


Happening: TypeAlias = TaskBegan | TaskSkipped | StepBegan | Printed | Built | StepEnded | TaskEnded
Listener: TypeAlias = Callable[[Happening], None]
