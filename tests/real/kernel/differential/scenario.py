"""One scenario: layers, phases of calls, and playing it on both sides until they differ."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from .generator import Generator
from .machine import Machine, perform
from .modes import Mode, Turn
from .operation import Op, Outcome
from .shadow import Shadow
from .stacks import Entry, random_layer, random_root
from .trees import Node, differences

WALK_EVERY: Final = 50
"""Calls between two comparisons of the whole merged tree."""
LOOK_EVERY: Final = 70
"""Calls between two looks at the raw upper."""
COMPARE: Final = Op("compare", 0, ())
"""Such a comparison as a step of a sequence: looking changes what the kernel has cached."""
LOOK_RAW: Final = Op("look at the upper", 0, ())
"""A comparison of the raw upper while the union is mounted."""


@dataclass(frozen=True)
class Scenario:
    """Everything needed to play a sequence again."""

    mode: Mode
    lowers: tuple[tuple[Entry, ...], ...]
    """base first"""
    upper: Entry
    phases: tuple[tuple[Turn, tuple[Op, ...]], ...]


@dataclass(frozen=True)
class Divergence:
    """Where the two sides first differed."""

    where: str
    phase: int
    position: int
    subject: str
    kernel: str
    model: str

    def __str__(self) -> str:
        return f"{self.where}: {self.subject}\n    kernel: {self.kernel}\n    model:  {self.model}"


class Watcher(Protocol):
    """Who wants to see every step (the report)."""

    def step(self, mode: Mode, op: Op, outcome: Outcome) -> None: ...
    def mounted(self, turn: Turn) -> None: ...
    def layers(self, mode: Mode, layers: Mapping[str, Mapping[str, Node]]) -> None: ...


@dataclass
class Play:
    """Plays one scenario on the kernel and, if there is one, on the model; remembers what was played."""

    kernel: Machine
    model: Machine | None
    mode: Mode
    lowers: tuple[tuple[Entry, ...], ...]
    upper: Entry
    watcher: Watcher | None = None
    played: list[tuple[Turn, tuple[Op, ...]]] = field(default_factory=list)
    shadow: Shadow = field(default_factory=Shadow)
    _refused: bool = False

    def run(self, phases: Iterable[tuple[Turn, Iterator[Op]]]) -> Divergence | None:
        """Play the phases; the first divergence, if any."""
        sides = [side for side in (self.kernel, self.model) if side is not None]
        try:
            for side in sides:
                side.begin(self.mode, self.lowers, self.upper)
            for number, (turn, ops) in enumerate(phases):
                found = self._turn(number, turn)
                if self._refused:
                    return found
                found = found or self._phase(number, turn, ops)
                if found:
                    return found
            return self._unmount(len(self.played))
        finally:
            for side in sides:
                side.end()

    def _turn(self, number: int, turn: Turn) -> Divergence | None:
        if number:
            found = self._unmount(number, keep=turn is Turn.NEST)
            if found:
                return found
        kernel = self.kernel.mount(turn)
        self._refused = kernel.errno != 0
        self.shadow.slots.clear()
        if self.watcher:
            self.watcher.mounted(turn)
        if self.model is None:
            return None
        model = self.model.mount(turn)
        if kernel == model:
            return None
        return Divergence("mount", number, 0, turn.value, str(kernel), str(model))

    def _phase(self, number: int, turn: Turn, ops: Iterator[Op]) -> Divergence | None:
        done: list[Op] = []
        self.played.append((turn, ()))
        found = self._compare_merged(number, 0)
        if found:
            return found
        for op in ops:
            done.append(op)
            self.played[-1] = (turn, tuple(done))
            if op == COMPARE:
                found = self._compare_merged(number, len(done))
                if found:
                    return found
                continue
            if op == LOOK_RAW:
                found = self._compare_upper(number, len(done))
                if found:
                    return found
                continue
            outcome = self.kernel.call(op)
            if self.model is not None:
                model = self.model.call(op)
                if outcome != model:
                    return Divergence("call", number, len(done), *_difference(op, outcome, model))
            if self.watcher:
                self.watcher.step(self.mode, op, outcome)
            self.shadow.observe(op, outcome)
        return self._compare_merged(number, len(done))

    def _compare_merged(self, number: int, position: int) -> Divergence | None:
        merged = self.kernel.merged()
        if self.model is not None:
            kernel = self.kernel.walk(merged)
            looked = perform(self.model.walk, (self.model.merged(),))
            if looked.crash:
                return Divergence("merged", number, position, "/", "a tree", str(looked))
            found = differences(kernel, looked.value)
            if found:
                return Divergence("merged", number, position, found[0][0], *_halves(found[0][1]))
            merged = self.model.merged()
            told = self.model.misexplained(list(kernel))
            if told:
                return Divergence("explain", number, position, told, "is as it is", "is explained otherwise")
        self.shadow.renew(merged)
        return None

    def _compare_upper(self, number: int, position: int) -> Divergence | None:
        """A look at the raw upper while the union is mounted; both sides then stand in the root."""
        with self.kernel.outside() as layers:
            kernel = self.kernel.walk(layers["upper"]) if "upper" in layers else {}
        if self.model is None:
            return None
        with self.model.outside() as layers:
            model = self.model.walk(layers["upper"]) if "upper" in layers else {}
        found = differences(kernel, model)
        if not found:
            return None
        return Divergence("raw upper", number, position, found[0][0], *_halves(found[0][1]))

    def _unmount(self, number: int, *, keep: bool = False) -> Divergence | None:
        for side in (self.kernel, self.model):
            if side is not None:
                side.unmount(keep=keep)
        if keep:
            return None
        kernel = {name: self.kernel.walk(tree) for name, tree in self.kernel.raw().items()}
        if self.watcher:
            self.watcher.layers(self.mode, kernel)
        if self.model is None:
            return None
        others = self.model.raw()
        for name, nodes in kernel.items():
            found = differences(nodes, self.model.walk(others[name]))
            if found:
                return Divergence(f"raw {name}", number, 0, found[0][0], *_halves(found[0][1]))
        return None


def _halves(difference: str) -> tuple[str, str]:
    return difference, "(each field above: kernel/model)"


def _difference(op: Op, kernel: Outcome, model: Outcome) -> tuple[str, str, str]:
    mine, theirs = str(kernel), str(model)
    if not (kernel.errno or model.errno or model.crash) and hasattr(kernel.value, "differences"):
        mine = theirs = kernel.value.differences(model.value)
    return str(op), f"{mine:.300}", f"{theirs:.300}"


def draw(rng: random.Random, mode: Mode) -> tuple[tuple[tuple[Entry, ...], ...], Entry]:
    """Random lowers (base first) and the root of the upper."""
    count = rng.choice((1, 1, 2, 2, 3, 3, 4, 6, 8)) if mode.writable else rng.choice((2, 3, 5, 8))
    marks = rng.choice((0.0, 1.0, 1.0))
    count = 1 if mode.raw else count + mode.data_lowers
    lowers = [
        random_layer(rng, mode.prefix, marks=marks, points=number >= mode.data_lowers > 0)
        for number in range(count)
    ]
    return tuple(lowers), random_root(rng)


def _calls(generator: Generator, length: int) -> Iterator[Op]:
    for number in range(1, length + 1):
        yield generator.next()
        if number % WALK_EVERY == 0:
            yield COMPARE
        if number % LOOK_EVERY == 0:
            yield LOOK_RAW


def random_phases(
    rng: random.Random, mode: Mode, shadow: Shadow, lengths: Sequence[int]
) -> Iterator[tuple[Turn, Iterator[Op]]]:
    """The phases of a random scenario; the shadow is what the calls are steered by."""
    turn = Turn.FIRST
    for length in lengths:
        generator = Generator(rng, mode, shadow)
        yield turn, _calls(generator, length)
        if not mode.turns:
            return
        turn = rng.choice(mode.turns)


def play_random(
    seed: str, mode: Mode, kernel: Machine, model: Machine | None, watcher: Watcher | None = None
) -> tuple[Scenario, Divergence | None]:
    """Play the scenario that belongs to the seed."""
    rng = random.Random(seed)
    lowers, upper = draw(rng, mode)
    play = Play(kernel, model, mode, lowers, upper, watcher)
    lengths = [rng.randint(60, 260) for _ in range(2 if Turn.NEST in mode.turns else rng.choice((1, 2, 3)))]
    found = play.run(random_phases(rng, mode, play.shadow, [400] if mode.raw else lengths))
    return Scenario(mode, lowers, upper, tuple(play.played)), found


def replay(scenario: Scenario, kernel: Machine, model: Machine | None) -> Divergence | None:
    """Play a scenario that is written out."""
    play = Play(kernel, model, scenario.mode, scenario.lowers, scenario.upper)
    return play.run((turn, iter(ops)) for turn, ops in scenario.phases)
