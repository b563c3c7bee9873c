"""The plan: which stages a target needs, in which order, and from which images they start.

Dockerfile reference, "FROM", "COPY --from", "RUN --mount=type=bind"; BuildKit ``convert.go``. A stage may
only use stages above it: what lies below is a forward reference, and refused with both lines.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from builder.dockerfile.plan.graph import Base as Base
from builder.dockerfile.plan.graph import Dependency as Dependency
from builder.dockerfile.plan.graph import ImageBase as ImageBase
from builder.dockerfile.plan.graph import PlannedStage as PlannedStage
from builder.dockerfile.plan.graph import Scratch as Scratch
from builder.dockerfile.plan.graph import StageBase as StageBase
from builder.dockerfile.plan.graph import StageGraph as StageGraph
from builder.dockerfile.plan.graph import Use as Use
from builder.dockerfile.plan.scope import PREDEFINED_ARGS, global_scope, platform_args
from builder.dockerfile.span import Span
from builder.dockerfile.suggest import did_you_mean
from builder.dockerfile.syntax.instruction import Arg, Copy, Instruction, Onbuild, Run
from builder.dockerfile.syntax.parser import Dockerfile, Stage
from builder.dockerfile.variables.expand import ExpansionError, expand, variables
from builder.errors import BuildError, DockerfileError
from builder.image.oci import Platform
from builder.image.reference import Reference

DEFAULT_PLATFORM: Final = Platform("linux", "amd64")
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def plan(
    dockerfile: Dockerfile,
    *,
    target: str | None = None,
    build_args: Mapping[str, str] = _NOTHING,
    platform: Platform = DEFAULT_PLATFORM,
    build_platform: Platform = DEFAULT_PLATFORM,
) -> StageGraph:
    """The stages that ``target`` (a name or an index; None: the last one) needs, in a buildable order.

    Raises DockerfileError for an unknown target, a cycle, a forward reference and a base that is no image.
    """
    chosen = find_target(dockerfile, target)
    automatic = platform_args(platform, build_platform, stage=target or "default")
    globals_ = global_scope(dockerfile, platform_values=automatic, build_args=build_args)
    links = _Links(dockerfile, globals_)
    _refuse_cycles(dockerfile, links)
    wanted = {chosen.index}
    # A stage only needs stages above it, so one walk upwards from the target meets each after all its users.
    for stage in reversed(dockerfile.stages[: chosen.index + 1]):
        if stage.index in wanted:
            wanted.update(links.needs(stage))
    planned: dict[int, PlannedStage] = {}
    for index in sorted(wanted):
        planned[index] = _planned(links, dockerfile.stages[index], planned, platform)
    return StageGraph(
        dockerfile=dockerfile,
        stages=tuple(planned.values()),
        target=planned[chosen.index],
        unused=tuple(stage for stage in dockerfile.stages if stage.index not in wanted),
        globals_=globals_,
        build_args=MappingProxyType(dict(build_args)),
        unknown_args=_unknown(dockerfile, build_args),
    )


def find_target(dockerfile: Dockerfile, target: str | None) -> Stage:
    """The stage with that name, whatever its case, or that index; the last one for None."""
    if target is None:
        return dockerfile.stages[-1]
    named = [stage for stage in dockerfile.stages if stage.name == target.lower()]
    if named:
        return named[-1]
    if _is_index(target) and int(target) < len(dockerfile.stages):
        return dockerfile.stages[int(target)]
    titles = [stage.title for stage in dockerfile.stages]
    fix = did_you_mean(target, titles, otherwise="stages are " + ", ".join(titles[:20]))
    raise DockerfileError(f"no such stage: {target:.100}", where=dockerfile.name, fix=fix)


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 8


class _Links:
    """What the stages name: their bases, and what COPY --from and mounts say. Asked once, kept."""

    def __init__(self, dockerfile: Dockerfile, globals_: Mapping[str, str]) -> None:
        self.dockerfile = dockerfile
        self.globals_ = globals_
        self._indexes: dict[str, list[int]] = {}
        for stage in dockerfile.stages:
            self._indexes.setdefault(stage.title, []).append(stage.index)
        self._uses: dict[int, tuple[Dependency, ...]] = {}

    def above(self, name: str, below: int) -> Stage | None:
        """The nearest stage of that name above stage ``below``."""
        indexes = self._indexes.get(name.lower(), [])
        at = bisect_left(indexes, below)
        found = self.dockerfile.stages[indexes[at - 1]] if at else None
        return found if found is not None and found.name is not None else None

    def written(self, stage: Stage) -> str:
        """The name after FROM with its variables replaced."""
        try:
            return expand(stage.start.base, self.globals_.get, self.dockerfile.escape)
        except ExpansionError as error:
            raise DockerfileError(f"FROM: {error}", where=stage.span, fix=error.fix) from None

    def start(self, stage: Stage) -> Stage | None:
        """The stage that ``stage`` starts from, if it starts from a stage."""
        try:
            return self.above(self.written(stage), stage.index)
        except DockerfileError:
            return None  # for ``base`` to raise, if the target needs this stage at all

    def base(self, stage: Stage) -> Base:
        """What ``stage`` starts from."""
        if (above := self.start(stage)) is not None:
            return StageBase(above.index, above.title)
        written = self.written(stage)
        if written == "scratch":
            return Scratch()
        if not written:
            what = f"FROM {stage.start.base}: the image's name is empty"
            raise DockerfileError(what, where=stage.span, fix=_undeclared(stage, self.globals_))
        try:
            return ImageBase(Reference.parse(written), written)
        except BuildError as error:
            titles = [each.title for each in self.dockerfile.stages[: stage.index] if each.name]
            fix = did_you_mean(written, titles, otherwise=error.fix)
            raise DockerfileError(f"FROM: {error.what}", where=stage.span, fix=fix) from None

    def uses(self, stage: Stage) -> tuple[Dependency, ...]:
        """What COPY --from and mounts name, in ``stage`` and in the triggers that it inherits."""
        if stage.index not in self._uses:
            above = self.start(stage)
            put_off = () if above is None else above.instructions
            triggers = tuple(
                each.trigger for each in put_off if isinstance(each, Onbuild) and each.trigger is not None
            )
            self._uses[stage.index] = tuple(
                Dependency(use, name, instruction.span, self._origin(name, stage, use, instruction.span))
                for instruction in (*triggers, *stage.instructions)
                for use, name in _names(instruction)
            )
        return self._uses[stage.index]

    def needs(self, stage: Stage) -> Iterator[int]:
        """The indexes of the stages that ``stage`` uses."""
        for origin in (self.base(stage), *(each.origin for each in self.uses(stage))):
            if isinstance(origin, StageBase):
                yield origin.index

    def _origin(self, name: str, stage: Stage, use: Use, span: Span) -> Base:
        """The nearest stage above of that name, else one below (to be refused), else an image."""
        stages = self.dockerfile.stages
        if _is_index(name):
            if int(name) >= len(stages):
                what = f"{use.value}={name}: there is no stage {name}"
                raise DockerfileError(what, where=span, fix=f"the last one is {len(stages) - 1}")
            found = stages[int(name)]
            return StageBase(found.index, found.title)
        named = self.above(name, stage.index) or self.above(name, len(stages))
        if named is not None:
            return StageBase(named.index, named.title)
        if name == "scratch":
            return Scratch()
        try:
            return ImageBase(Reference.parse(name), name)
        except BuildError as error:
            fix = did_you_mean(name, [each.title for each in stages if each.name], otherwise=error.fix)
            what = f"{use.value}={name:.100}: no such stage, and no image"
            raise DockerfileError(what, where=span, fix=fix) from None


def _names(instruction: Instruction) -> Iterator[tuple[Use, str]]:
    if isinstance(instruction, Copy) and instruction.from_ is not None:
        yield Use.COPY, instruction.from_
    if isinstance(instruction, Run):
        yield from ((Use.MOUNT, mount.from_) for mount in instruction.mounts if mount.from_)


def _undeclared(stage: Stage, globals_: Mapping[str, str]) -> str:
    missing = sorted(name for name in variables(stage.start.base, stage.start.escape) if name not in globals_)
    if not missing:
        return "give the variable a value"
    guess = did_you_mean(missing[0], globals_)
    return guess or f"write ARG {missing[0]}=… above the first FROM, or --build-arg {missing[0]}=…"


def _refuse_cycles(dockerfile: Dockerfile, links: _Links) -> None:
    edges: dict[int, dict[int, Dependency]] = {}
    for stage in dockerfile.stages:
        used = edges.setdefault(stage.index, {})
        if (above := links.start(stage)) is not None:
            origin = StageBase(above.index, above.title)
            used[above.index] = Dependency(Use.FROM, above.title, stage.span, origin)
        for each in links.uses(stage):
            if isinstance(each.origin, StageBase):
                used.setdefault(each.origin.index, each)
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        circle: list[int] = error.args[1][::-1]
        raise _cycle(dockerfile, [(user, edges[user][used]) for user, used in pairwise(circle)]) from None
    for user, named in edges.items():
        for index, each in named.items():
            if index > user:
                raise _forward(dockerfile.stages[user], dockerfile.stages[index], each)


def _forward(user: Stage, below: Stage, each: Dependency) -> DockerfileError:
    return DockerfileError(
        f"{each.use.value}={each.name}: stage {below.title!r} begins only in line {below.span.line}",
        where=each.span,
        fix=f"move it above line {user.span.line}: a stage can only use stages above it",
    )


def _cycle(dockerfile: Dockerfile, steps: list[tuple[int, Dependency]]) -> DockerfileError:
    titles = {user: dockerfile.stages[user].title for user, _ in steps}
    first = steps[0][1]
    if len(steps) == 1:
        what = f"{first.use.value}={first.name}: stage {titles[steps[0][0]]!r} uses itself"
        return DockerfileError(
            what, where=first.span, fix="name another stage; its own files are already there"
        )
    shown = [
        f"{titles[user]!r} uses {str(each.origin)!r} (line {each.span.line})" for user, each in steps[:10]
    ]
    what = f"stages need each other: {', '.join(shown)}"
    return DockerfileError(what, where=first.span, fix="move what both need into a stage of its own")


def _planned(
    links: _Links, stage: Stage, above: Mapping[int, PlannedStage], platform: Platform
) -> PlannedStage:
    base = links.base(stage)
    inherited = above[base.index].platform if isinstance(base, StageBase) else platform
    start = Dependency(Use.FROM, str(base), stage.span, base)
    return PlannedStage(stage, base, _platform(links, stage, inherited), (start, *links.uses(stage)))


def _platform(links: _Links, stage: Stage, inherited: Platform) -> Platform:
    if stage.start.platform is None:
        return inherited
    try:
        return Platform.parse(expand(stage.start.platform, links.globals_.get, stage.start.escape))
    except ExpansionError as error:
        raise DockerfileError(f"FROM --platform: {error}", where=stage.span, fix=error.fix) from None
    except BuildError as error:
        raise DockerfileError(f"FROM --platform: {error.what}", where=stage.span, fix=error.fix) from None


def _unknown(dockerfile: Dockerfile, build_args: Mapping[str, str]) -> tuple[str, ...]:
    declared = {
        declaration.name
        for instruction in dockerfile.instructions
        if isinstance(instruction, Arg)
        for declaration in instruction.declarations
    }
    return tuple(name for name in build_args if name not in declared and name not in PREDEFINED_ARGS)
