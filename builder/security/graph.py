"""The attack graph: what each start reaches, by which steps, and which controls cut a path.

Reachability is a fixpoint, because a step may require several nodes (AND). A path is therefore a
derivation, not a walk: the steps that led to a node, those that its last step requires included. Cuts are
found by trying sets of controls, the smallest first; networkx compares, finds bottlenecks and lays out.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from builder.errors import BuildError
from builder.security.facts import Situation
from builder.security.tables import Control, Edge, NodeClass, controls, edges, nodes

if TYPE_CHECKING:
    import networkx as nx


class Start(enum.Enum):
    """Where an attack starts: with the Dockerfile alone, or with the job's command."""

    DOCKERFILE = "dockerfile_run"
    JOB = "ci_job"


@dataclass(frozen=True)
class Reached:
    """What one start reaches in one situation. ``by``: node → the step that reached it first, in that order.

    The start itself is reached by no step and is not in ``by``.
    """

    situation: Situation
    start: Start
    by: Mapping[str, Edge]

    def __contains__(self, node: str) -> bool:
        return node == self.start.value or node in self.by

    @property
    def names(self) -> tuple[str, ...]:
        """What is reached, the start not counted, nearest first."""
        return tuple(self.by)

    @property
    def assets(self) -> tuple[str, ...]:
        """The reached nodes that are worth something, nearest first."""
        return tuple(name for name in self.by if nodes()[name].kind is NodeClass.ASSET)

    def path(self, target: str) -> tuple[Edge, ...]:
        """The steps that lead to ``target``, each after all that it needs; one of the shortest derivations.

        Raises KeyError if the target is not reached.
        """
        if target != self.start.value and target not in self.by:
            raise KeyError(target)
        wanted, found = [target], set[str]()
        while wanted:
            name = wanted.pop()
            if name in self.by and name not in found:
                found.add(name)
                wanted += (self.by[name].source, *self.by[name].requires)
        return tuple(edge for name, edge in self.by.items() if name in found)

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """The open steps between reached nodes, for networkx; parallel steps are one, with all their ids."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from((self.start.value, *self.by))
        for edge in open_edges(self.situation):
            if edge.source in self and edge.target in self and all(name in self for name in edge.requires):
                if graph.has_edge(edge.source, edge.target):
                    graph[edge.source][edge.target]["steps"] += (edge,)
                else:
                    graph.add_edge(edge.source, edge.target, steps=(edge,))
        return graph

    def bottlenecks(self, target: str) -> tuple[str, ...]:
        """The nodes through which every path to ``target`` passes, from the start on, both ends left out.

        They are dominators of the graph of walks; a derivation's own chain is a walk, so it passes them too.
        Raises KeyError if the target is not reached.
        """
        import networkx as nx

        if target not in self:
            raise KeyError(target)
        above = nx.immediate_dominators(self.graph, self.start.value)
        found: list[str] = []
        while (step := above.get(target)) is not None and step not in (target, self.start.value):
            found.append(step)
            target = step
        return tuple(reversed(found))


def open_edges(situation: Situation) -> tuple[Edge, ...]:
    """The steps whose condition holds, in the order of the table."""
    facts = situation.facts
    return tuple(edge for edge in edges() if edge.when.holds(facts))


def reach(situation: Situation, start: Start) -> Reached:
    """What ``start`` reaches: steps are taken in rounds until a round adds nothing."""
    waiting = list(open_edges(situation))
    reached = {start.value}
    by: dict[str, Edge] = {}
    while True:
        fresh: dict[str, Edge] = {}
        later: list[Edge] = []
        for edge in waiting:
            if edge.target in reached:
                continue
            if edge.source in reached and reached.issuperset(edge.requires):
                fresh.setdefault(edge.target, edge)
            else:
                later.append(edge)
        if not fresh:
            return Reached(situation, start, MappingProxyType(by))
        by |= fresh
        reached |= fresh.keys()
        waiting = later


@dataclass(frozen=True, slots=True)
class Change:
    """How two situations differ for one start. ``opened`` and ``closed``: steps between reached nodes."""

    start: Start
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    opened: tuple[Edge, ...]
    closed: tuple[Edge, ...]
    facts_gained: tuple[str, ...]
    facts_lost: tuple[str, ...]


def change(before: Reached, after: Reached) -> Change:
    """What the second situation adds to the first one and takes from it. Both have one start."""

    def steps(found: Reached) -> dict[str, Edge]:
        return {edge.id: edge for _, _, held in found.graph.edges(data="steps") for edge in held}

    old, new = steps(before), steps(after)
    facts_before, facts_after = before.situation.facts, after.situation.facts
    return Change(
        before.start,
        tuple(name for name in after.names if name not in before),
        tuple(name for name in before.names if name not in after),
        tuple(new[name] for name in sorted(new.keys() - old.keys())),
        tuple(old[name] for name in sorted(old.keys() - new.keys())),
        tuple(sorted(facts_after - facts_before)),
        tuple(sorted(facts_before - facts_after)),
    )


_MOST_CONTROLS: Final = 4


def cuts(
    situation: Situation, start: Start, target: str, most: int = _MOST_CONTROLS
) -> tuple[tuple[Control, ...], ...]:
    """The smallest sets of controls after which ``target`` is not reached, and all of that size.

    A set that takes from the builder what it cannot work without is none, and neither is one with a control
    that a known bug voids, or that a bug voids which an unsaid version may have. Empty where no set of
    ``most`` controls does it. Raises KeyError for a node that does not exist.
    """
    nodes()[target]
    if target not in reach(situation, start):
        return ()
    usable = tuple(_usable(situation, start, target))
    for size in range(1, most + 1):
        found = tuple(
            chosen for chosen in combinations(usable, size) if _cuts(situation, start, target, chosen)
        )
        if found:
            return found
    return ()


def _usable(situation: Situation, start: Start, target: str) -> Iterator[Control]:
    """The controls that change a fact on which an open step towards the target depends."""
    asked = _asked(situation, start, target)
    doubtful = situation.facts | situation.unknown
    for control in controls().values():
        changed = (control.sets - situation.facts) | (control.clears & situation.facts)
        if changed & asked and not control.voided_by & doubtful:
            yield control


def _asked(situation: Situation, start: Start, target: str) -> frozenset[str]:
    """The facts that the open steps on any walk to the target, or to what they require, ask about."""
    steps = open_edges(situation)
    wanted, asked = {target}, set[str]()
    grown = True
    while grown:
        grown = False
        for edge in steps:
            if edge.target in wanted:
                asked |= edge.when.names
                for name in (edge.source, *edge.requires):
                    if name not in wanted:
                        wanted.add(name)
                        grown = True
    return frozenset(asked) if start.value in wanted else frozenset()


def _cuts(situation: Situation, start: Start, target: str, chosen: tuple[Control, ...]) -> bool:
    after = situation.under([control.name for control in chosen])
    if situation.works and not after.works:
        return False
    return target not in reach(after, start)


def node_named(name: str) -> str:
    """The name, if a node has it; BuildError otherwise."""
    if name not in nodes():
        from difflib import get_close_matches

        near = get_close_matches(name, nodes(), 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(nodes())}"
        raise BuildError(f"no such node of the graph: {name}", fix=hint)
    return name
