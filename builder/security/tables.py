"""The tables beside this module, as nouns: nodes, edges, facts, builders, controls, advisories, sources."""

from __future__ import annotations

import csv
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from builder.security.conditions import Condition, parse


class NodeClass(enum.Enum):
    """What a node is: where an attack starts, what is worth something, what gives power, what is attacked."""

    START = "start"
    ASSET = "asset"
    PRIVILEGE = "privilege"
    SURFACE = "surface"


@dataclass(frozen=True, slots=True)
class Node:
    """Something that can be reached. ``meaning``: what who reached it can do."""

    name: str
    kind: NodeClass
    meaning: str

    def __str__(self) -> str:
        return self.name


class EdgeKind(enum.Enum):
    """Why a step is possible: by design, by a setting that is off by default, or by a bug."""

    DESIGN = "design"
    CONDITIONAL = "conditional"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class Edge:
    """A step. It is open where ``when`` holds, and taken from ``source`` once all ``requires`` are reached.

    ``evidence``: the names of sources.
    """

    id: str
    source: str
    target: str
    when: Condition
    requires: tuple[str, ...]
    because: str
    evidence: tuple[str, ...]
    kind: EdgeKind

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


class Origin(enum.Enum):
    """Where a fact comes from."""

    POD = "pod"
    BUILDER = "builder"
    SETTING = "setting"
    ADVISORY = "advisory"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that holds or not. ``default``: "yes" or "no" for a setting, else empty."""

    name: str
    origin: Origin
    default: str
    rule: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Builder:
    """A kind of builder. ``user``: its image's; ``traits``: facts; ``needs``: what it cannot do without."""

    name: str
    title: str
    user: int
    traits: frozenset[str]
    needs: Condition
    why: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Control:
    """What an operator can set. ``sets`` and ``clears``: facts; ``voided_by``: bugs that make it useless."""

    name: str
    title: str
    sets: frozenset[str]
    clears: frozenset[str]
    voided_by: frozenset[str]
    costs: str
    evidence: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Advisory:
    """A published bug. ``since``: the first version that has it, or empty; ``fixed_in``: one per branch."""

    name: str
    fact: str
    component: str
    since: str
    fixed_in: tuple[str, ...]
    what: str
    link: str


class SourceKind(enum.Enum):
    """How something is known: it was tried, read, or is true by definition."""

    TRIED = "tried"
    READ = "read"
    DEFINITION = "definition"


@dataclass(frozen=True, slots=True)
class Source:
    """Where something is known from. ``what``: the experiment, or where to read."""

    name: str
    kind: SourceKind
    what: str


def _rows(table: str) -> list[dict[str, str]]:
    text = resources.files(__package__).joinpath("tables", f"{table}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def nodes() -> Mapping[str, Node]:
    """Every node by its name."""
    found = (Node(row["node"], NodeClass(row["class"]), row["meaning"]) for row in _rows("nodes"))
    return MappingProxyType({node.name: node for node in found})


@cache
def edges() -> tuple[Edge, ...]:
    """Every edge, in the order of the table."""
    return tuple(
        Edge(
            row["id"],
            row["from"],
            row["to"],
            parse(row["when"]),
            tuple(row["requires"].split()),
            row["because"],
            tuple(row["evidence"].split()),
            EdgeKind(row["kind"]),
        )
        for row in _rows("edges")
    )


@cache
def facts() -> Mapping[str, Fact]:
    """Every fact by its name."""
    found = (
        Fact(row["fact"], Origin(row["origin"]), row["default"], row["rule"], tuple(row["evidence"].split()))
        for row in _rows("facts")
    )
    return MappingProxyType({fact.name: fact for fact in found})


@cache
def builders() -> Mapping[str, Builder]:
    """Every kind of builder by its name."""
    found = (
        Builder(
            row["builder"],
            row["title"],
            int(row["user"]),
            frozenset(row["traits"].split()),
            parse(row["needs"]),
            row["why"],
            tuple(row["evidence"].split()),
        )
        for row in _rows("builders")
    )
    return MappingProxyType({builder.name: builder for builder in found})


@cache
def controls() -> Mapping[str, Control]:
    """Every control by its name."""
    found: dict[str, Control] = {}
    for row in _rows("controls"):
        changes = [change.strip() for change in row["sets"].split(";")]
        cleared = frozenset(change[4:] for change in changes if change.startswith("not "))
        found[row["control"]] = Control(
            row["control"],
            row["title"],
            frozenset(change for change in changes if not change.startswith("not ")),
            cleared,
            frozenset(row["voided_by"].split()),
            row["costs"],
            tuple(row["evidence"].split()),
        )
    return MappingProxyType(found)


@cache
def advisories() -> Mapping[str, Advisory]:
    """Every advisory by its name."""
    found = (
        Advisory(
            row["advisory"],
            row["fact"],
            row["component"],
            row["since"],
            tuple(row["fixed_in"].split()),
            row["what"],
            row["link"],
        )
        for row in _rows("advisories")
    )
    return MappingProxyType({advisory.name: advisory for advisory in found})


@cache
def sources() -> Mapping[str, Source]:
    """Every source by its name."""
    found = (Source(row["source"], SourceKind(row["kind"]), row["what"]) for row in _rows("sources"))
    return MappingProxyType({source.name: source for source in found})
