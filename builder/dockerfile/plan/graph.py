"""The nouns of a plan: stages, where they start, and what they use of each other."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import TypeAlias

from builder.dockerfile.span import Span
from builder.dockerfile.syntax.parser import Dockerfile, Stage
from builder.image.oci import Platform
from builder.image.reference import Reference
from unionfs_sim.nodes.record import Record


class Scratch(Record):
    """The empty root file system."""

    def __str__(self) -> str:
        return "scratch"


class ImageBase(Record):
    """An image from elsewhere; ``written``: the reference with variables replaced, as the file has it."""

    reference: Reference
    written: str

    def __str__(self) -> str:
        return self.written


class StageBase(Record):
    """Another stage of the same Dockerfile."""

    index: int
    title: str

    def __str__(self) -> str:
        return self.title


Base: TypeAlias = Scratch | ImageBase | StageBase


class Use(enum.Enum):
    """What one stage wants of another."""

    FROM = "FROM"
    COPY = "COPY --from"
    MOUNT = "RUN --mount"


class Dependency(Record):
    """One place where a stage uses a stage or an image. ``name``: as written there."""

    use: Use
    name: str
    span: Span
    origin: Base


class PlannedStage(Record):
    """A stage with everything resolved that can be known before anything is fetched."""

    stage: Stage
    base: Base
    platform: Platform
    dependencies: tuple[Dependency, ...]

    @property
    def index(self) -> int:
        """The number of the stage in the file, from 0."""
        return self.stage.index

    @property
    def title(self) -> str:
        """How people speak of the stage."""
        return self.stage.title

    @property
    def needs(self) -> tuple[int, ...]:
        """The stages that must be there first, in order of their index."""
        found = {each.origin.index for each in self.dependencies if isinstance(each.origin, StageBase)}
        return tuple(sorted(found))

    def origin(self, name: str) -> Base:
        """What ``COPY --from=name`` or a mount's ``from=name`` means in this stage."""
        return {each.name: each.origin for each in self.dependencies if each.use is not Use.FROM}[name]


class StageGraph(Record):
    """What a build must do. ``stages``: each after those that it needs; ``unused``: in order of the file.

    ``globals_``: what ARG without a default takes. ``unknown_args``: build arguments that nothing declares.
    """

    dockerfile: Dockerfile
    stages: tuple[PlannedStage, ...]
    target: PlannedStage
    unused: tuple[Stage, ...]
    globals_: Mapping[str, str]
    build_args: Mapping[str, str]
    unknown_args: tuple[str, ...]

    def stage(self, index: int) -> PlannedStage:
        """The planned stage with that index; KeyError if the target does not need it."""
        return {each.index: each for each in self.stages}[index]

    def sorter(self) -> TopologicalSorter[int]:
        """A fresh sorter over the indexes, for whoever builds independent stages at the same time."""
        return TopologicalSorter({each.index: each.needs for each in self.stages})
