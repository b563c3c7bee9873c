"""A probe: a function whose name says what is tried, who calls it, and the group it is listed under."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, TypeVar

from unionfs_sim.nodes.caller import ROOT, Caller

GROUPS: Final = (
    "opening", "descriptors", "listing", "attributes", "links", "moving", "permissions", "streams", "paths",
    "trees", "archives", "temporary", "process", "messages", "layers",
)  # fmt: skip
"""The modules of ``ordinary.table``, in the order of the page."""

ANN: Final = Caller(1000, 1000)
BOB: Final = Caller(1001, 1001, frozenset({5}))

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


@dataclass(frozen=True)
class Probe:
    """One probe; ``run`` is called with no arguments inside the tree."""

    name: str
    group: str
    caller: Caller
    run: Callable[[], object]


def by(caller: Caller) -> Callable[[FunctionT], FunctionT]:
    """Say who makes the calls of a probe (default: root)."""

    def mark(function: FunctionT) -> FunctionT:
        function.caller = caller  # type: ignore[attr-defined]
        return function

    return mark


def probes() -> list[Probe]:
    """All probes in the order in which they are written."""
    return [
        Probe(name, group, getattr(function, "caller", ROOT), function)
        for group in GROUPS
        for name, function in vars(import_module(f"ordinary.table.{group}")).items()
        if inspect.isfunction(function)
        and function.__module__ == f"ordinary.table.{group}"
        and not name.startswith("_")
    ]
