"""The stage graph: which stages a target needs, in which order, and from which images they start.

Dockerfile reference, "FROM", "COPY --from", "RUN --mount=type=bind"; BuildKit ``convert.go``. A stage may
only use stages above it: what lies below is a forward reference, and refused with both lines.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Final, TypeAlias

from builder.dockerfile.expand import ExpansionError, expand, variables
from builder.dockerfile.instruction import Arg, Copy, Instruction, Onbuild, Run
from builder.dockerfile.parser import Dockerfile, Stage
from builder.dockerfile.scope import PREDEFINED_ARGS, global_scope, platform_args
from builder.dockerfile.span import Span
from builder.dockerfile.suggest import did_you_mean
from builder.errors import BuildError, DockerfileError
from builder.image.oci import Platform
from builder.image.reference import Reference

DEFAULT_PLATFORM: Final = Platform("linux", "amd64")
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Scratch:
    """The empty root file system."""

    def __str__(self) -> str:
        return "scratch"


@dataclass(frozen=True, slots=True)
class ImageBase:
    """An image from elsewhere; ``written``: the reference with variables replaced, as the file has it."""

    reference: Reference
    written: str

    def __str__(self) -> str:
        return self.written


@dataclass(frozen=True, slots=True)
class StageBase:
    """Another stage of the same Dockerfile."""

    index: int
    title: str

    def __str__(self) -> str:
        return self.title


Base: TypeAlias = Scratch | ImageBase | StageBase
Origin: TypeAlias = ImageBase | StageBase
"""Where a COPY --from or a mount takes its files."""


class Use(enum.Enum):
    """What one stage wants of another."""

    FROM = "FROM"
    COPY = "COPY --from"
    MOUNT = "RUN --mount"


@dataclass(frozen=True, slots=True)
class Dependency:
    """One place where a stage uses a stage or an image. ``name``: as written there."""

    use: Use
    name: str
    span: Span
    origin: Base


@dataclass(frozen=True, slots=True)
class PlannedStage:
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

    def origin(self, name: str) -> Origin:
        """What ``COPY --from=name`` or ``from=name`` means in this stage."""
        for dependency in self.dependencies:
            if dependency.name == name and isinstance(dependency.origin, StageBase | ImageBase):
                return dependency.origin
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class StageGraph:
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
    _refuse_cycles(dockerfile, globals_)
    wanted = {chosen.index}
    # A stage only needs stages above it, so one walk upwards from the target meets each after all its users.
    for stage in reversed(dockerfile.stages[: chosen.index + 1]):
        if stage.index in wanted:
            found = (_base(dockerfile, stage, globals_), *(each.origin for each in _uses(dockerfile, stage)))
            wanted.update(each.index for each in found if isinstance(each, StageBase))
    planned: dict[int, PlannedStage] = {}
    for index in sorted(wanted):
        planned[index] = _planned(dockerfile, dockerfile.stages[index], globals_, planned, platform)
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


def _above(dockerfile: Dockerfile, name: str, below: int) -> Stage | None:
    """The nearest stage of that name above stage ``below``."""
    return next((each for each in reversed(dockerfile.stages[:below]) if each.name == name.lower()), None)


def _base(dockerfile: Dockerfile, stage: Stage, globals_: Mapping[str, str]) -> Base:
    try:
        written = expand(stage.start.base, globals_.get, dockerfile.escape)
    except ExpansionError as error:
        raise DockerfileError(f"FROM: {error}", where=stage.span, fix=error.fix) from None
    if written == "scratch":
        return Scratch()
    if (above := _above(dockerfile, written, stage.index)) is not None:
        return StageBase(above.index, above.title)
    if not written:
        raise DockerfileError(
            f"FROM {stage.start.base}: the image's name is empty",
            where=stage.span,
            fix=_undeclared(stage, globals_),
        )
    return _image(dockerfile, written, stage)


def _undeclared(stage: Stage, globals_: Mapping[str, str]) -> str:
    missing = sorted(name for name in variables(stage.start.base, stage.start.escape) if name not in globals_)
    if not missing:
        return "give the variable a value"
    guess = did_you_mean(missing[0], globals_)
    return guess or f"write ARG {missing[0]}=… above the first FROM, or --build-arg {missing[0]}=…"


def _image(dockerfile: Dockerfile, written: str, stage: Stage) -> ImageBase:
    try:
        return ImageBase(Reference.parse(written), written)
    except BuildError as error:
        titles = [each.title for each in dockerfile.stages[: stage.index] if each.name]
        raise DockerfileError(
            f"FROM: {error.what}", where=stage.span, fix=did_you_mean(written, titles, otherwise=error.fix)
        ) from None


def _uses(dockerfile: Dockerfile, stage: Stage) -> Iterator[Dependency]:
    """What COPY --from and mounts of ``stage`` name, triggers that its base stage has put off included."""
    above = _above(dockerfile, stage.start.base, stage.index)
    inherited = (
        () if above is None else tuple(e.trigger for e in above.instructions if isinstance(e, Onbuild))
    )
    for instruction in (*inherited, *stage.instructions):
        for use, name in _names(instruction):
            yield Dependency(
                use, name, instruction.span, _resolve(dockerfile, name, stage, use, instruction.span)
            )


def _names(instruction: Instruction) -> Iterator[tuple[Use, str]]:
    if isinstance(instruction, Copy) and instruction.from_ is not None:
        yield Use.COPY, instruction.from_
    if isinstance(instruction, Run):
        yield from ((Use.MOUNT, mount.from_) for mount in instruction.mounts if mount.from_)


def _resolve(dockerfile: Dockerfile, name: str, stage: Stage, use: Use, span: Span) -> Base:
    """The stage above of that name, else any stage of it (which ``_refuse_cycles`` then refuses), else an image."""
    if _is_index(name):
        if int(name) >= len(dockerfile.stages):
            last = len(dockerfile.stages) - 1
            raise DockerfileError(
                f"{use.value}={name}: there is no stage {name}", where=span, fix=f"the last one is {last}"
            )
        found = dockerfile.stages[int(name)]
        return StageBase(found.index, found.title)
    named = _above(dockerfile, name, stage.index) or _above(dockerfile, name, len(dockerfile.stages))
    if named is not None:
        return StageBase(named.index, named.title)
    if name == "scratch":
        return Scratch()
    try:
        return ImageBase(Reference.parse(name), name)
    except BuildError as error:
        titles = [each.title for each in dockerfile.stages if each.name]
        fix = did_you_mean(name, titles, otherwise=error.fix)
        raise DockerfileError(
            f"{use.value}={name:.100}: no such stage, and no image", where=span, fix=fix
        ) from None


def _refuse_cycles(dockerfile: Dockerfile, globals_: Mapping[str, str]) -> None:
    edges: dict[int, dict[int, Dependency]] = {stage.index: {} for stage in dockerfile.stages}
    for stage in dockerfile.stages:
        for each in (*_start(dockerfile, stage, globals_), *_uses(dockerfile, stage)):
            if isinstance(each.origin, StageBase):
                edges[stage.index].setdefault(each.origin.index, each)
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        circle: list[int] = error.args[1][::-1]
        raise _cycle(
            dockerfile, [(user, edges[user][used]) for user, used in zip(circle, circle[1:], strict=False)]
        ) from None
    for user, used in edges.items():
        for index, each in used.items():
            if index > user:
                below = dockerfile.stages[index]
                raise DockerfileError(
                    f"{each.use.value}={each.name}: stage {below.title!r} begins only in line {below.span.line}",
                    where=each.span,
                    fix=f"move it above line {dockerfile.stages[user].span.line}: a stage can only use stages above it",
                )


def _start(dockerfile: Dockerfile, stage: Stage, globals_: Mapping[str, str]) -> Iterator[Dependency]:
    """The FROM of ``stage`` as a dependency, if it names a stage; errors are for ``_base`` to raise."""
    try:
        written = expand(stage.start.base, globals_.get, dockerfile.escape)
    except ExpansionError:
        return
    if (above := _above(dockerfile, written, stage.index)) is not None:
        yield Dependency(Use.FROM, written, stage.span, StageBase(above.index, above.title))


def _cycle(dockerfile: Dockerfile, steps: list[tuple[int, Dependency]]) -> DockerfileError:
    if len(steps) == 1:
        user, each = steps[0]
        title = dockerfile.stages[user].title
        return DockerfileError(
            f"{each.use.value}={each.name}: stage {title!r} uses itself",
            where=each.span,
            fix="name another stage; files of the stage itself are already there",
        )
    told = ", ".join(
        f"{dockerfile.stages[user].title!r} uses {each.origin} (line {each.span.line})"
        for user, each in steps
    )
    return DockerfileError(
        f"stages need each other: {told}", where=steps[0][1].span, fix="break the circle with a stage"
    )


def _planned(
    dockerfile: Dockerfile,
    stage: Stage,
    globals_: Mapping[str, str],
    above: Mapping[int, PlannedStage],
    platform: Platform,
) -> PlannedStage:
    base = _base(dockerfile, stage, globals_)
    inherited = above[base.index].platform if isinstance(base, StageBase) else platform
    start = Dependency(Use.FROM, str(base), stage.span, base)
    return PlannedStage(
        stage=stage,
        base=base,
        platform=_platform(dockerfile, stage, globals_, inherited),
        dependencies=(start, *_uses(dockerfile, stage)),
    )


def _platform(
    dockerfile: Dockerfile, stage: Stage, globals_: Mapping[str, str], inherited: Platform
) -> Platform:
    if stage.start.platform is None:
        return inherited
    try:
        written = expand(stage.start.platform, globals_.get, dockerfile.escape)
        return Platform.parse(written)
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
