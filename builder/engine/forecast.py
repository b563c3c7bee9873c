"""What a build would do, said before anything runs: ``build --dry-run``.

A step is known, or it is not and its first changed input says why; what stands on such a step cannot be
judged, because its layers are not there yet. Nothing is executed, fetched from a URL, or remembered.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Generic, NoReturn

from builder.dockerfile.plan.scope import Scope
from builder.dockerfile.plan.stages import ImageBase, PlannedStage, StageBase
from builder.dockerfile.syntax.instruction import Add, Copy, Instruction, Run
from builder.engine import cachekey
from builder.engine.build import STEPS
from builder.engine.order import BuildRequest, BuiltStage
from builder.engine.stage import StageBuild
from builder.errors import UnknownImageError
from builder.events import Listener, nobody
from builder.image.image import Image
from builder.protocols import FsT, Purpose, Records, Workshop, Workspace


class Outlook(enum.Enum):
    """What can be said of a step before it is done."""

    KNOWN = "known"
    NEW = "not known"
    DEPENDS = "depends"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One step that may change files. ``where``: file and line; ``why``: "" if it is known."""

    stage: str
    step: int
    where: str
    text: str
    outlook: Outlook
    why: str


class _UnforeseenError(Exception):
    """An input of a step cannot be had before something else is done."""

    def __init__(self, outlook: Outlook, why: str) -> None:
        super().__init__(why)
        self.outlook = outlook
        self.why = why


def forecast(request: BuildRequest, workshop: Workshop[FsT], *, records: Records) -> list[Foreseen]:
    """What every step of a build would come to, stage by stage in the order of building.

    A BuildError where the build would fail before it runs anything: a file that COPY does not find, say.
    """
    whole = _Forecast(request, workshop, records)
    for planned in request.graph.stages:
        whole.look_at(planned)
    return whole.found


class _Forecast(Generic[FsT]):
    """What the stages share; see ``Surroundings``."""

    def __init__(self, request: BuildRequest, workshop: Workshop[FsT], records: Records) -> None:
        self.request = request
        self.workshop = workshop
        self.records: Records = _ReadOnly(records)
        self.listener: Listener = nobody
        self.found: list[Foreseen] = []
        self._built: dict[int, BuiltStage] = {}
        self._open: dict[int, str] = {}

    def look_at(self, planned: PlannedStage) -> None:
        """Go through one stage."""
        stage = _StageForecast(self, planned)
        self._built[planned.index] = stage.run()
        if stage.waits_for:
            self._open[planned.index] = stage.waits_for

    def base(self, index: int) -> tuple[BuiltStage, str]:
        """A stage that another starts from, and what of it must be done first ("" if nothing)."""
        return self._built[index], self._open.get(index, "")

    def built(self, index: int, /) -> BuiltStage:
        """A stage whose files are there already."""
        if index in self._open:
            raise _UnforeseenError(Outlook.DEPENDS, f"depends on {self._open[index]}")
        return self._built[index]


class _ReadOnly:
    """Records that are asked and never changed."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def recall(self, key: str, /) -> Mapping[str, Any] | None:
        """What an earlier build remembered."""
        return self._records.recall(key)

    def remember(self, key: str, record: Mapping[str, Any], /) -> None:
        """Nothing: who only looks leaves no trace."""


class _StageForecast(StageBuild[FsT]):
    """One stage, gone through without doing any step. ``waits_for``: the first step that is not known."""

    def __init__(self, whole: _Forecast[FsT], planned: PlannedStage) -> None:
        super().__init__(whole, planned, STEPS)
        self._whole = whole
        self._instructed: Instruction | None = None
        self.waits_for = ""

    def base(self) -> tuple[Image, Scope | None]:
        """What the stage starts from; where that is not here, an empty image, whose every step waits."""
        match self.planned.base:
            case StageBase(index=index):
                above, self.waits_for = self._whole.base(index)
                return above.image, above.scope
            case ImageBase(reference=reference):
                try:
                    return super().base()
                except UnknownImageError:
                    self.waits_for = f"the image {reference.familiar}, which is not here"
                    return Image(platform=self.planned.platform), None
        return super().base()

    def carry_out(self, instruction: Instruction) -> None:
        """Judge a step on files; configure as a build does."""
        self._instructed = instruction
        if self.waits_for and isinstance(instruction, Run | Copy | Add):
            self._say(Outlook.DEPENDS, f"depends on {self.waits_for}")
            return
        try:
            super().carry_out(instruction)
        except _UnforeseenError as unforeseen:
            self._say(unforeseen.outlook, unforeseen.why)
        except UnknownImageError as error:
            self._say(Outlook.NEW, f"{error.what}: it would be asked for")

    def on_files(
        self,
        inputs: Sequence[cachekey.Input],
        act: Callable[[Workspace[FsT]], Iterable[PurePosixPath] | None],  # noqa: ARG002 - nothing is done
        *,
        purpose: Purpose,  # noqa: ARG002
        line: str,
    ) -> None:
        """Say whether the step is known."""
        if self.waits_for:
            self._say(Outlook.DEPENDS, f"depends on {self.waits_for}")
            return
        layer, is_known = self.recalled(inputs)
        if not is_known:
            self._say(Outlook.NEW, self.why(inputs))
            return
        self.stack(layer)
        self.append(layer, line)
        self._say(Outlook.KNOWN, "")

    def _say(self, outlook: Outlook, why: str) -> None:
        assert self._instructed is not None
        span, title = self._instructed.span, self.planned.title
        text = " ".join(self._instructed.source.replace("\\\n", " ").split())
        self._whole.found.append(Foreseen(title, self.step, str(span), text, outlook, why))
        if outlook is not Outlook.KNOWN and not self.waits_for:
            self.waits_for = f"step {self.step} of stage {title}"


def unasked(url: str) -> NoReturn:
    """In the place of a download: what a URL answers is not asked for before a build."""
    raise _UnforeseenError(Outlook.NEW, f"what {url} answers is not asked for before the build")
