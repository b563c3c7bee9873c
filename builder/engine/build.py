"""The one loop: from a stage graph to an image, whatever snapshotter and runner do the work."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import PurePosixPath
from typing import Any, Generic

from builder.context.paths import clean
from builder.dockerfile.plan.stages import PlannedStage, StageBase
from builder.dockerfile.syntax.instruction import Copy
from builder.engine.request import BuildRequest, BuildResult, BuiltStage
from builder.engine.schedule import MAX_WORKERS, Schedule, Stopped
from builder.engine.stage import StageBuild
from builder.errors import StepFailedError
from builder.events import BuildBegan, BuildDone, Listener, StagePlanned, nobody
from builder.image.image import Image
from builder.image.oci import Descriptor
from builder.protocols import Concurrency, FsT, Records, Workshop


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
        serial = workshop.snapshotter.concurrency is Concurrency.ONE
        self._schedule: Schedule[BuiltStage] = Schedule(
            order, workers=1 if serial else MAX_WORKERS, stop=request.stop
        )
        self._saves = serial
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def built(self, index: int, /) -> BuiltStage:
        """Another stage; waits until it is done."""
        return self._schedule.result(index)

    @contextmanager
    def alone_with(self, cache_mounts: Iterable[str], /) -> Iterator[None]:
        """For as long as the block lasts, no other step has any of these cache mounts."""
        with ExitStack() as stack:
            # Always in the same order, so that no two steps wait for each other.
            for name in sorted(set(cache_mounts)):
                stack.enter_context(self._locks[name])
            yield

    def run(self) -> list[BuiltStage]:
        """All stages, in the order of the plan."""
        return self._schedule.run(self._stage)

    def _stage(self, index: int) -> BuiltStage:
        planned = self.request.graph.stage(index)
        built = StageBuild(self, planned).run()
        if self._saves:
            self._save_for_later(built)
        return built

    def _save_for_later(self, built: BuiltStage) -> None:
        """With a single root, what later stages copy from this one must be set aside before it is wiped."""
        reads = [
            _sources(instruction, planned, built.index)
            for planned in self.request.graph.stages
            for instruction in planned.stage.instructions
            if isinstance(instruction, Copy)
        ]
        wanted = [paths for paths in reads if paths is not None]
        if wanted and self._is_at_hand(built):
            everything = any("$" in path for paths in wanted for path in paths)
            only = None if everything else [PurePosixPath(path) for paths in wanted for path in paths]
            self.workshop.snapshotter.view(built.snapshot, only=only)

    def _is_at_hand(self, built: BuiltStage) -> bool:
        return bool(built.snapshot.layers)


def _sources(instruction: Copy, planned: PlannedStage, index: int) -> tuple[str, ...] | None:
    """The paths that ``instruction`` copies from stage ``index``; None if it copies from elsewhere."""
    if instruction.from_ is None:
        return None
    origin = planned.origin(instruction.from_)
    if not isinstance(origin, StageBase) or origin.index != index:
        return None
    return tuple(clean(source.partition("/./")[0]) for source in instruction.sources)


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
        stages = Build(request, workshop, records or _Forgetful(), listener).run()
    except Stopped:
        raise StepFailedError("the build was stopped", exit_status=130) from None
    image = next(stage.image for stage in stages if stage.index == graph.target.index)
    manifest = store_image(image, workshop)
    listener(BuildDone(manifest.digest, request.seconds() - began))
    return BuildResult(image, manifest, tuple(stages))


def store_image(image: Image, workshop: Workshop[FsT]) -> Descriptor:
    """Put the image's config and manifest into the store; the manifest's descriptor."""
    workshop.store.put(iter((image.config_bytes(),)))
    manifest = image.manifest()
    stored = workshop.store.put(iter((manifest.to_bytes(),)))
    return Descriptor(manifest.media_type, stored.digest, stored.size, platform=image.platform)


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
