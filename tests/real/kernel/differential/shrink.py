"""Makes a diverging scenario as short as it can: fewer calls, then fewer layers and entries, then again."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from .machine import Machine
from .operation import Op
from .scenario import Divergence, Scenario, replay
from .stacks import Entry

T = TypeVar("T")


def fewest(
    items: Sequence[T], make: Callable[[Sequence[T]], Scenario], differs: Callable[[Scenario], bool]
) -> list[T]:
    """The items that are needed to differ, none of which can be left out alone (delta debugging)."""
    kept = list(items)
    size = max(1, len(kept) // 2)
    while True:
        start, removed = 0, False
        while start < len(kept):
            shorter = kept[:start] + kept[start + size :]
            if differs(make(shorter)):
                kept, removed = shorter, True
            else:
                start += size
        if size == 1 and not removed:
            return kept
        if not removed or size > 1:
            size = max(1, size // 2)


def shrink(
    scenario: Scenario, divergence: Divergence, kernel: Machine, model: Machine
) -> tuple[Scenario, Divergence]:
    """The smallest scenario found that still differs in the same way, and how it differs."""
    last = divergence
    verb = _sort(divergence)

    def differs(candidate: Scenario) -> bool:
        nonlocal last
        found = replay(candidate, kernel, model)
        if found is None or _sort(found) != verb:
            return False
        last = found
        return True

    if not differs(scenario):
        return scenario, divergence
    size = -1
    while size != _size(scenario):
        size = _size(scenario)
        scenario = _fewer_calls(scenario, differs)
        scenario = _fewer_entries(scenario, differs)
    differs(scenario)
    return scenario, last


def _sort(divergence: Divergence) -> str:
    """What must stay the same while shrinking: the verb, or the kind of comparison."""
    if divergence.where == "call":
        return divergence.subject.partition("(")[0].partition("] ")[2]
    fields = re.findall(r"([a-z]+) [^;,/]*/", divergence.kernel)
    return f"{divergence.where} {fields[0] if fields else divergence.kernel[:12]}"


def _size(scenario: Scenario) -> int:
    calls = sum(len(ops) for _, ops in scenario.phases)
    return calls + sum(len(lower) for lower in scenario.lowers) + len(scenario.phases)


def _with_calls(scenario: Scenario, number: int, calls: Sequence[Op]) -> Scenario:
    phases = list(scenario.phases)
    phases[number] = (phases[number][0], tuple(calls))
    return dataclasses.replace(scenario, phases=tuple(phases))


def _fewer_calls(scenario: Scenario, differs: Callable[[Scenario], bool]) -> Scenario:
    for number in range(len(scenario.phases)):
        make = partial(_with_calls, scenario, number)
        scenario = make(fewest(scenario.phases[number][1], make, differs))
    for number in range(len(scenario.phases) - 1, 0, -1):
        phases = scenario.phases[:number] + scenario.phases[number + 1 :]
        candidate = dataclasses.replace(scenario, phases=phases)
        if differs(candidate):
            scenario = candidate
    return scenario


def _with_entries(scenario: Scenario, number: int, root: Entry, entries: Sequence[Entry]) -> Scenario:
    lowers = list(scenario.lowers)
    lowers[number] = (root, *entries)
    return dataclasses.replace(scenario, lowers=tuple(lowers))


def _fewer_entries(scenario: Scenario, differs: Callable[[Scenario], bool]) -> Scenario:
    def at_least_one(candidate: Scenario) -> bool:
        return bool(candidate.lowers) and differs(candidate)

    scenario = _with(scenario, fewest(scenario.lowers, partial(_with, scenario), at_least_one))
    for number in range(len(scenario.lowers)):
        root, *others = scenario.lowers[number]
        make = partial(_with_entries, scenario, number, root)
        scenario = make(fewest(others, make, differs))
    return scenario


def _with(scenario: Scenario, lowers: Sequence[tuple[Entry, ...]]) -> Scenario:
    return dataclasses.replace(scenario, lowers=tuple(lowers))


def describe(scenario: Scenario, divergence: Divergence) -> str:
    """The scenario as text that a person can follow."""
    lines = [f"--- shortest sequence, mode {scenario.mode.name} {dict(scenario.mode.options)}"]
    for number, entries in enumerate(scenario.lowers):
        lines.append(f"  lower {number}{' (base)' if number == 0 else ''}:")
        lines += [f"    {_entry(entry)}" for entry in entries]
    lines.append(f"  upper: {_entry(scenario.upper)}")
    for turn, ops in scenario.phases:
        lines.append(f"  mount ({turn.value})")
        lines += [f"    {op}" for op in ops]
    lines.append(f"  {divergence}")
    return "\n".join(lines)


def _entry(entry: Entry) -> str:
    fields = [entry.path if len(entry.path) < 80 else f"{entry.path[:20]}…({len(entry.path)})", entry.kind]
    if entry.kind not in ("whiteout", "hardlink"):
        fields.append(f"{entry.mode:o} {entry.uid}:{entry.gid} mtime={entry.mtime_ns}")
    if entry.xattrs:
        fields.append(str(dict(entry.xattrs)))
    if entry.body is not None:
        fields.append(f"{entry.body!r:.60}")
    return " ".join(fields)
