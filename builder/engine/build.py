"""The one loop: from a stage graph to an image, whatever snapshotter and runner do the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final, Generic

from builder.context.paths import clean
from builder.dockerfile.plan.stages import PlannedStage, StageBase
from builder.dockerfile.syntax.instruction import Copy, Instruction, Run
from builder.engine.copy_step import add, copy, make_workdir
from builder.engine.order import BuildRequest, BuildResult, BuiltStage, Layering
from builder.engine.run_step import run
from builder.engine.schedule import MAX_WORKERS, Schedule, Stopped
from builder.engine.stage import StageBuild, Steps
from builder.errors import StepFailedError, StoreError
from builder.events import BuildBegan, BuildDone, Listener, StagePlanned, nobody
from builder.image.digest import digest_of
from builder.image.image import Image
from builder.image.oci import Descriptor
from builder.protocols import Concurrency, FsT, Records, Store, Workshop

STEPS: Final[Steps[Any]] = Steps(run=run, copy=copy, add=add, workdir=make_workdir)
"""How instructions about files are carried out, whatever the file system."""


class Build(Generic[FsT]):
    """One build on its way: the stages, and what they share."""

    def __init__(
        self, request: BuildRequest, workshop: Workshop[FsT], records: Records, listener: Listener
    ) -> None:
        self.request = request
        self.workshop = workshop
        self.records = records
        self.listener = listener
        order = [planned.index for planned in request.graph.stages]
        serial = workshop.concurrency is Concurrency.ONE
        self._schedule: Schedule[BuiltStage] = Schedule(
            order, workers=1 if serial else MAX_WORKERS, stop=request.stop
        )
        self._saves = serial

    def built(self, index: int, /) -> BuiltStage:
        """Another stage; waits until it is done."""
        return self._schedule.result(index)

    def run(self) -> list[BuiltStage]:
        """All stages, in the order of the plan."""
        return self._schedule.run(self._stage)

    def _stage(self, index: int) -> BuiltStage:
        planned = self.request.graph.stage(index)
        built = StageBuild(self, planned, STEPS).run()
        if self._saves:
            self._save_for_later(built)
        return built

    def _save_for_later(self, built: BuiltStage) -> None:
        """With a single root, what later stages copy from this one must be set aside before it is wiped."""
        wanted = [
            path
            for planned in self.request.graph.stages
            for instruction in planned.stage.instructions
            for name, path in _reads(instruction)
            if _is_stage(planned, name, built.index)
        ]
        if wanted and built.snapshot.layers:
            everything = any("$" in path for path in wanted)
            only = None if everything else [PurePosixPath(path) for path in wanted]
            self.workshop.snapshotter.view(built.snapshot, only=only)


def _reads(instruction: Instruction) -> Iterator[tuple[str, str]]:
    """The paths that ``instruction`` reads elsewhere than in the context, each with the name after from=."""
    match instruction:
        case Copy(from_=str(name), sources=sources):
            yield from ((name, clean(source.partition("/./")[0])) for source in sources)
        case Run(mounts=mounts):
            yield from ((mount.from_, clean(mount.source or "/")) for mount in mounts if mount.from_)


def _is_stage(planned: PlannedStage, name: str, index: int) -> bool:
    origin = planned.origin(name)
    return isinstance(origin, StageBase) and origin.index == index


def build(
    request: BuildRequest,
    workshop: Workshop[FsT],
    *,
    records: Records | None = None,
    listener: Listener = nobody,
) -> BuildResult:
    """Build the target and put its config and manifest into the store.

    ``records``: what earlier builds left; without them, every step is done. The first failure is raised as a
    BuildError that names file and line. KeyboardInterrupt stops all stages before it goes on.
    """
    began = request.seconds()
    graph = request.graph
    planned = tuple(
        StagePlanned(
            each.index,
            each.title,
            str(each.base),
            each.needs,
            tuple(instruction.source for instruction in each.stage.instructions),
        )
        for each in graph.stages
    )
    listener(BuildBegan(request.strategy, graph.target.title, planned))
    try:
        # Where stages are layers, that a step made none of its own is nothing to be remembered.
        kept = records if request.layering is Layering.STEPS else None
        stages = Build(request, workshop, kept or _Forgetful(), listener).run()
    except Stopped:
        raise StepFailedError("the build was stopped", exit_status=130) from None
    image = next(stage.image for stage in stages if stage.index == graph.target.index)
    manifest = store_image(image, workshop)
    listener(BuildDone(manifest.digest, request.seconds() - began))
    return BuildResult(image, manifest, tuple(stages))


def store_image(image: Image, workshop: Workshop[FsT]) -> Descriptor:
    """Put the image's config and manifest into the store; the manifest's descriptor.

    StoreError if a layer is not there, or damaged: an image that is given a digest is whole.
    """
    for layer in image.layers:
        if workshop.store.find(layer.descriptor.digest) is None:
            raise StoreError(
                "a layer of the image is missing or damaged",
                where=layer.descriptor.digest,
                fix="layerlab image check --repair says what to build, load or pull again",
            )
    _put(image.config_bytes(), workshop.store)
    manifest = image.manifest()
    stored = _put(manifest.to_bytes(), workshop.store)
    return Descriptor(manifest.media_type, stored.digest, stored.size, platform=image.platform)


def _put(document: bytes, store: Store) -> Descriptor:
    """Store a document, unless it is there: a build that changes nothing writes nothing."""
    known = store.find(digest_of(document))
    return known if known is not None else store.put((document,))


class _Forgetful:
    """Records of a build that remembers nothing but what it did itself."""

    def __init__(self) -> None:
        self._records: dict[str, Mapping[str, Any]] = {}

    def recall(self, key: str, /) -> Mapping[str, Any] | None:
        """What this build remembered."""
        return self._records.get(key)

    def remember(self, key: str, record: Mapping[str, Any], /) -> None:
        """Keep it until the build is over."""
        self._records[key] = record
