"""How a pipeline that was played ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from builder.security.tekton.values import Value

SUCCEEDED: Final = "Succeeded"
FAILED: Final = "Failed"
COMPLETED: Final = "Completed"
"""Succeeded, with tasks that were skipped."""
TIMED_OUT: Final = "PipelineRunTimeout"
"""The reason of a task that did not run because the time of its pipeline was over."""
SKIPPED: Final = "None"
"""What Tekton calls the status of a task that did not run."""


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """One step. ``status``: of its command; None if it did not run."""

    name: str
    image: str
    status: int | None


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """One task. ``reason``: Tekton's word for the state; ``why``: in words, of what went wrong."""

    name: str
    state: str
    reason: str
    why: str = ""
    steps: tuple[StepOutcome, ...] = ()
    results: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Pushed:
    """An image that a step pushed."""

    reference: str
    digest: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The whole run. ``why``: of a failure that is no task's; ``pushed``: in the order of the pushes."""

    name: str
    state: str
    why: str
    tasks: tuple[TaskOutcome, ...]
    results: Mapping[str, Value]
    pushed: tuple[Pushed, ...]
