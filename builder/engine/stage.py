"""Building one stage: its instructions in order, each a change of configuration or a step on files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final, Generic, Protocol

from builder.dockerfile.plan.scope import Scope
from builder.dockerfile.plan.stages import ImageBase, PlannedStage, Scratch, StageBase
from builder.dockerfile.suggest import did_you_mean
from builder.dockerfile.syntax.instruction import (
    Add,
    Arg,
    Cmd,
    Copy,
    Env,
    Instruction,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Workdir,
)
from builder.dockerfile.syntax.parser import parse_trigger
from builder.engine import cachekey
from builder.engine.configure import configured, created_by, scratch_config
from builder.engine.order import BuildRequest, BuiltStage, CacheUse, Layering
from builder.engine.schedule import Stopped
from builder.errors import BuildError, StepFailedError, UnknownImageError
from builder.events import (
    CacheHit,
    CacheMissed,
    LayerMade,
    Listener,
    StageBegan,
    StageDone,
    StepBegan,
    StepDone,
    StepFailed,
    WorkspaceDiscarded,
)
from builder.image.digest import DiffID, Digest
from builder.image.image import History, Image, LayerBlob, rfc3339
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.reference import Reference
from builder.protocols import FsT, Purpose, Records, Snapshot, Workshop, Workspace
from unionfs_sim.nodes.record import Record, replace
from unionfs_sim.tar.header import LayerFormatError

COMMENT: Final = "layerlab"
_SIGINT: Final = 128 + 2
_JOINED: Final = "the files of all steps of the stage (--single-snapshot)"
_SHOWN_LINES: Final = 12
MAX_LAYERS: Final = 500
"""Lower directories of one mount (Linux fs/overlayfs, ``OVL_MAX_STACK``)."""


class Surroundings(Protocol[FsT]):
    """What a stage needs of the build that it belongs to."""

    request: BuildRequest
    workshop: Workshop[FsT]
    records: Records
    listener: Listener

    def built(self, index: int, /) -> BuiltStage:
        """Another stage; waits until it is done."""
        ...


def snapshot_of(image: Image) -> Snapshot:
    """The committed state that an image's layers are."""
    return Snapshot(image.chain_id, image.diff_ids)


class Steps(Record, Generic[FsT]):
    """How instructions about files are carried out: one function a kind.

    ``workdir`` makes the directory that the configuration names already; it is told the history line.
    """

    run: Callable[[StageBuild[FsT], Run], None]
    copy: Callable[[StageBuild[FsT], Copy], None]
    add: Callable[[StageBuild[FsT], Add], None]
    workdir: Callable[[StageBuild[FsT], str], None]


class StageBuild(Generic[FsT]):
    """One stage on its way. ``run`` builds it; the other methods are for the steps."""

    def __init__(self, build: Surroundings[FsT], planned: PlannedStage, steps: Steps[FsT]) -> None:
        self.build = build
        self._steps = steps
        self.planned = planned
        self.request = build.request
        self.workshop = build.workshop
        self.image = Image(platform=planned.platform)
        self.snapshot = Snapshot(None, ())
        self.scope = Scope()
        self.step = 0
        self.where: object = planned.stage.span
        self._cmd_is_set = False
        self._joined: Workspace[FsT] | None = None

    def run(self) -> BuiltStage:
        """Build the stage; the first failure ends it."""
        triggers = self._start()
        for instruction in (*triggers, *self.planned.stage.instructions):
            self._instruction(instruction)
        self._join()
        self.build.listener(StageDone(self.planned.index, self.image.diff_ids))
        return BuiltStage(
            self.planned.index,
            self.planned.title,
            str(self.planned.base),
            self.image,
            self.snapshot,
            self.scope,
        )

    def fetch(self, reference: Reference) -> Image:
        """An image from elsewhere, for the platform of this stage."""
        try:
            return self.workshop.fetcher.fetch(reference, self.planned.platform)
        except UnknownImageError as error:
            titles = [stage.title for stage in self.request.graph.dockerfile.stages if stage.name]
            written = reference.repository.rpartition("/")[2]
            error.fix = did_you_mean(written, titles, otherwise=error.fix)
            raise

    def _start(self) -> list[Instruction]:
        """Take over the base; returns the instructions that it has put off until now."""
        with _Located(self.planned.stage.span):
            base, below = self.base()
        self.snapshot = snapshot_of(base)
        self.image = base.replace(
            config=base.config.replace(on_build=()), created=rfc3339(self.request.epoch_seconds)
        )
        self.scope = Scope(
            env=base.config.env,
            below=below,
            globals_=self.request.graph.globals_,
            build_args=self.request.graph.build_args,
            escape=self.request.graph.dockerfile.escape,
        )
        name = str(self.planned.base)
        self.build.listener(StageBegan(self.planned.index, name, base.diff_ids))
        return [parse_trigger(expression, name=f"ONBUILD of {name}") for expression in base.config.on_build]

    def base(self) -> tuple[Image, Scope | None]:
        """What the stage starts from; with the variables at the end of it, where that is a stage."""
        match self.planned.base:
            case Scratch():
                return Image(config=scratch_config(), platform=self.planned.platform), None
            case ImageBase(reference=reference):
                return self.fetch(reference).with_sound_history(), None
            case StageBase(index=index):
                above = self.build.built(index)
                return above.image, above.scope

    def _instruction(self, instruction: Instruction) -> None:
        if self.request.stop.is_set():
            raise Stopped
        self.step += 1
        self.where = instruction.span
        began = self.request.seconds()
        before = len(self.image.layers)
        self.build.listener(
            StepBegan(self.planned.index, self.step, _one_line(instruction.source), str(instruction.span))
        )
        try:
            with _Located(instruction.span):
                self.carry_out(instruction)
        except BuildError as error:
            if (
                self.request.stop.is_set()
                and isinstance(error, StepFailedError)
                and error.exit_status == _SIGINT
            ):
                raise Stopped from error  # another stage failed, or the user has had enough
            if isinstance(error, StepFailedError) and error.exit_status is not None:
                error.excerpt = error.excerpt or _excerpt(instruction)
            self.build.listener(StepFailed(self.planned.index, self.step, error.what))
            raise
        elapsed = self.request.seconds() - began
        changed = len(self.image.layers) > before
        self.build.listener(StepDone(self.planned.index, self.step, elapsed, changed))

    def carry_out(self, instruction: Instruction) -> None:
        """Do one instruction."""
        match instruction:
            case Arg():
                declared = self.scope.declare(instruction)
                words = [name if value is None else f"{name}={value}" for name, value in declared]
                self.append(None, f"ARG {' '.join(words)}")
                return
            case Onbuild():
                self._configure(instruction)
                return
        instruction = instruction.expanded(self.scope.lookup)
        match instruction:
            case Run():
                self._steps.run(self, instruction)
            case Copy():
                self._steps.copy(self, instruction)
            case Add():
                self._steps.add(self, instruction)
            case Workdir():
                self.image = self.image.replace(
                    config=configured(self.image.config, instruction, cmd_is_set=self._cmd_is_set)
                )
                self._steps.workdir(self, created_by(instruction, self.image.config))
            case _:
                self._configure(instruction)

    def _configure(self, instruction: Instruction) -> None:
        config = configured(self.image.config, instruction, cmd_is_set=self._cmd_is_set)
        self.image = self.image.replace(config=config)
        match instruction:
            case Cmd():
                self._cmd_is_set = True
            case Maintainer(author=author):
                self.image = self.image.replace(author=author)
            case Env() if not isinstance(instruction, Label):
                self.scope.set(instruction)
        if not isinstance(instruction, Onbuild):  # BuildKit writes no history for it (dispatchOnbuild)
            self.append(None, created_by(instruction, config))

    def append(self, layer: LayerBlob | None, line: str) -> None:
        """One more entry of the image's history, with its layer if it has one."""
        history = History(rfc3339(self.request.epoch_seconds), line, COMMENT)
        self.image = self.image.append(layer, history)

    def on_files(
        self,
        inputs: Sequence[cachekey.Input],
        act: Callable[[Workspace[FsT]], Iterable[PurePosixPath] | None],
        *,
        purpose: Purpose,
        line: str,
    ) -> None:
        """A step that may change files: found by its ``inputs``, or done by ``act`` and remembered.

        ``act`` returns the paths that it wrote, or None if it cannot know.
        """
        layer, is_known = self.recalled(inputs)
        noted = cachekey.remembered(inputs)
        decided = tuple((name, digest) for name, digest in noted)
        if is_known:
            self.build.listener(
                CacheHit(self.planned.index, self.step, None if layer is None else layer.diff_id, decided)
            )
            self.stack(layer)
        else:
            self.build.listener(CacheMissed(self.planned.index, self.step, self.why(inputs), decided))
            layer = self._do(act, purpose)
            record = None if layer is None else {"digest": layer.diff_id, "size": layer.descriptor.size}
            self.build.records.remember(_key(inputs), {"layer": record})
        self._note(self._slot(), {"inputs": noted})
        self.append(layer, line)

    def recalled(self, inputs: Sequence[cachekey.Input]) -> tuple[LayerBlob | None, bool]:
        """The layer that an earlier build made of ``inputs`` (None: no file changed), and whether one did."""
        if self.request.cache is not CacheUse.TAKE:
            return None, False
        known = self.build.records.recall(_key(inputs))
        layer = None if known is None else self._stored(known["layer"])
        return layer, known is not None and (layer is not None or known["layer"] is None)

    def _slot(self) -> str:
        """Where it is remembered what this step was made of last."""
        return f"slot:{self.request.name}:{self.planned.title}:{self.step}"

    def _note(self, key: str, record: Mapping[str, Any]) -> None:
        """Remember, unless it is known already: a build that changes nothing writes nothing."""
        if self.build.records.recall(key) != record:
            self.build.records.remember(key, record)

    def why(self, inputs: Sequence[cachekey.Input]) -> str:
        """The first input that is other than when this step was done last."""
        if self.request.cache is CacheUse.IGNORE:
            return "the cache is not to be used"
        before = self.build.records.recall(self._slot())
        return cachekey.first_change(None if before is None else before.get("inputs"), inputs)

    def _stored(self, record: object) -> LayerBlob | None:
        """The layer that a step made, if the store still has it, whole."""
        if not isinstance(record, dict):
            return None
        stored = self.workshop.store.find(Digest(record["digest"]))
        return None if stored is None else _blob(replace(stored, media_type=MEDIA_LAYER))

    def stack(self, layer: LayerBlob | None) -> None:
        """Stand on one more layer, if the step made one."""
        if layer is not None:
            self.snapshot = self.snapshot.with_layer(layer.diff_id)

    def _do(
        self, act: Callable[[Workspace[FsT]], Iterable[PurePosixPath] | None], purpose: Purpose
    ) -> LayerBlob | None:
        if self.request.layering is Layering.STAGES:
            self._act_in_one(act)
            return None
        work = self._prepared(purpose)
        try:
            return self._layer(work, act(work))
        except BaseException:
            self._discard(work)
            raise

    def _act_in_one(self, act: Callable[[Workspace[FsT]], object]) -> None:
        """A step in the one workspace of a stage that becomes a single layer."""
        if self._joined is None:
            self._joined = self._prepared(Purpose.ANYTHING)
        try:
            act(self._joined)
        except BaseException:
            self._discard(self._joined)
            raise

    def _join(self) -> None:
        """What all steps changed, as one layer."""
        if self._joined is None:
            return
        work, self._joined = self._joined, None
        with _Located(self.planned.stage.span):
            try:
                layer = self._layer(work, None)
            except BaseException:
                self._discard(work)
                raise
        if layer is not None:
            self.append(layer, _JOINED)

    def _prepared(self, purpose: Purpose) -> Workspace[FsT]:
        if len(self.snapshot.layers) >= MAX_LAYERS:
            raise BuildError(
                f"the image has {MAX_LAYERS} layers, and overlayfs mounts no more",
                fix="join RUN lines with &&, or copy the result into a stage of its own",
            )
        return self.workshop.snapshotter.prepare(self.snapshot, purpose=purpose)

    def _layer(self, work: Workspace[FsT], written: Iterable[PurePosixPath] | None) -> LayerBlob | None:
        """What changed in the workspace, stored and committed; None for nothing."""
        snapshotter = self.workshop.snapshotter
        stream = iter(snapshotter.changes(work, written=written))
        first = next(stream, None)
        layer = None
        if first is not None:
            stored = self.workshop.store.put(itertools.chain((first,), stream))
            layer = _blob(replace(stored, media_type=MEDIA_LAYER))
            self.build.listener(LayerMade(self.planned.index, self.step, layer.diff_id, stored.size))
        self.snapshot = snapshotter.commit(work, None if layer is None else layer.diff_id)
        return layer

    def _discard(self, work: Workspace[FsT]) -> None:
        self.workshop.snapshotter.discard(work)
        self.build.listener(WorkspaceDiscarded(self.planned.index, self.step, work.key))


class _Located:
    """Gives errors that name no place the place of the instruction; OSErrors become failed steps."""

    def __init__(self, where: object) -> None:
        self._where = str(where)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BuildError) and error.where is None:
            error.where = self._where
        if isinstance(error, LayerFormatError):
            what = f"/{error.entry}: {error.what}"
            raise StepFailedError(what, where=self._where, fix="give it another name") from error
        if isinstance(error, OSError):
            name = f"{error.filename}: " if error.filename is not None else ""
            raise StepFailedError(f"{name}{error.strerror or error}", where=self._where) from error


def _key(inputs: Sequence[cachekey.Input]) -> str:
    """Under what the result of a step is remembered."""
    return f"step:{cachekey.key(inputs)}"


def _blob(descriptor: Descriptor) -> LayerBlob:
    """A layer that lies uncompressed in the store: its digest is its DiffID."""
    return LayerBlob(descriptor, DiffID(descriptor.digest))


def _excerpt(instruction: Instruction) -> str:
    """The instruction as written, with the numbers of its lines; the middle of a long one is left out."""
    first = instruction.span.line
    lines = [f"  {first + at:4} | {line}" for at, line in enumerate(instruction.source.split("\n"))]
    if len(lines) > _SHOWN_LINES:
        half = _SHOWN_LINES // 2
        lines[half:-half] = ["       …"]
    return "\n".join(lines)


def _one_line(source: str) -> str:
    """An instruction as written, on one line."""
    return " ".join(source.replace("\\\n", " ").split())
