"""The kernel's answers on paper: scenarios with what the kernel said, for machines where it cannot be asked.

A recording is a line of JSON: the scenario, and everything that the kernel's side was asked while it was
played, in order. ``Recorded`` answers from it, so that a recording is replayed as a scenario is.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .machine import Machine
from .modes import MODES, Mode, Turn
from .operation import Op, Outcome
from .real import RealMachine
from .records import Classes, Record
from .scenario import Divergence, Scenario, replay
from .stacks import Entry
from .trees import Node, Tree

_NOUNS: Final = {noun.__name__: noun for noun in (Record, Node, Outcome, Op, Entry)}


@dataclass(frozen=True)
class Recording:
    """A scenario, why it was kept, and the kernel's answers."""

    name: str
    kernel: str
    """Its release."""
    scenario: Scenario
    answers: tuple[Any, ...]

    def replay(self, model: Machine) -> Divergence | None:
        """Where the model differs from what the kernel answered."""
        return replay(self.scenario, Recorded(self.answers), model)


class Recorder(RealMachine):
    """The kernel's side, which writes down what it answers."""

    answers: list[Any]

    def begin(self, mode: Mode, lowers: Sequence[Sequence[Entry]], upper: Entry) -> None:
        """See Machine.begin."""
        self.answers = []
        super().begin(mode, lowers, upper)

    def _noted(self, answer: Any) -> Any:
        self.answers.append(answer)
        return answer

    def mount(self, turn: Turn) -> Outcome:
        """See Machine.mount."""
        outcome: Outcome = self._noted(super().mount(turn))
        return outcome

    def call(self, op: Op) -> Outcome:
        """See Machine.call."""
        outcome: Outcome = self._noted(super().call(op))
        return outcome

    def walk(self, tree: Tree) -> dict[str, Node]:
        """See Machine.walk."""
        nodes: dict[str, Node] = self._noted(super().walk(tree))
        return nodes

    def raw(self) -> Mapping[str, Tree]:
        """See Machine.raw."""
        trees = super().raw()
        self._noted(tuple(trees))
        return trees


class Recorded:
    """The kernel's side, as it once answered; whoever asks otherwise than then has changed ``Play``."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self.classes = Classes()
        self._answers = answers
        self._asked = 0

    def _next(self) -> Any:
        self._asked += 1
        return self._answers[self._asked - 1]

    def begin(self, mode: Mode, lowers: Sequence[Sequence[Entry]], upper: Entry) -> None:
        """See Machine.begin."""
        self._asked = 0

    def mount(self, turn: Turn) -> Outcome:
        """See Machine.mount."""
        outcome: Outcome = self._next()
        return outcome

    def call(self, op: Op) -> Outcome:
        """See Machine.call."""
        outcome: Outcome = self._next()
        return outcome

    def merged(self) -> Any:
        """See Machine.merged: nothing but what a walk then says is known of it."""
        return None

    def walk(self, tree: Tree) -> dict[str, Node]:
        """See Machine.walk."""
        nodes: dict[str, Node] = self._next()
        return nodes

    def unmount(self, *, keep: bool = False) -> None:
        """See Machine.unmount."""

    def raw(self) -> Mapping[str, Any]:
        """See Machine.raw."""
        return dict.fromkeys(self._next())

    @contextmanager
    def outside(self) -> Iterator[Mapping[str, Any]]:
        """See Machine.outside."""
        yield self.raw()

    def misexplained(self, paths: Sequence[str]) -> str:
        """See Machine.misexplained."""
        return ""

    def end(self) -> None:
        """See Machine.end."""


def record(name: str, scenario: Scenario, kernel: Recorder, model: Machine, release: str) -> Recording:
    """Play the scenario on both sides; AssertionError if they differ."""
    found = replay(scenario, kernel, model)
    assert found is None, f"{name}: {found}"
    return Recording(name, release, scenario, tuple(kernel.answers))


def write(path: Path, recordings: Iterable[Recording]) -> None:
    """Write recordings, one a line; the same recordings give the same bytes."""
    lines = [
        json.dumps(
            {
                "name": each.name,
                "kernel": each.kernel,
                "mode": each.scenario.mode.name,
                "lowers": _packed(each.scenario.lowers),
                "upper": _packed(each.scenario.upper),
                "phases": [[turn.value, _packed(ops)] for turn, ops in each.scenario.phases],
                "answers": _packed(each.answers),
            },
            separators=(",", ":"),
        )
        for each in recordings
    ]
    path.write_bytes(lzma.compress("\n".join(lines).encode()))


def read(path: Path) -> list[Recording]:
    """The recordings of a file."""
    with lzma.open(path, "rt") as lines:
        return [_recording(json.loads(line)) for line in lines]


def _recording(said: Mapping[str, Any]) -> Recording:
    phases = tuple((Turn(turn), _unpacked(ops)) for turn, ops in said["phases"])
    lowers, upper = _unpacked(said["lowers"]), _unpacked(said["upper"])
    scenario = Scenario(MODES[said["mode"]], lowers, upper, phases)
    return Recording(said["name"], said["kernel"], scenario, _unpacked(said["answers"]))


def _packed(value: Any) -> Any:
    """JSON for a value: a noun is an object of its name and fields, bytes one of latin-1, a tuple a list."""
    match value:
        case bytes():
            return {"b": value.decode("latin-1")}
        case tuple() if hasattr(value, "_fields"):
            return {type(value).__name__: [_packed(each) for each in value]}
        case tuple():
            return [_packed(each) for each in value]
        case list():
            return {"l": [_packed(each) for each in value]}
        case dict():
            return {"d": [[key, _packed(each)] for key, each in value.items()]}
    return value


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_unpacked, value))
    if not isinstance(value, dict):
        return value
    ((kind, inside),) = value.items()
    match kind:
        case "b":
            return inside.encode("latin-1")
        case "l":
            return list(map(_unpacked, inside))
        case "d":
            return {key: _unpacked(each) for key, each in inside}
    return _NOUNS[kind](*map(_unpacked, inside))
