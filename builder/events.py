"""What happened during a build, as frozen records: the terminal, reports, figures and comparisons read these.

Imports nothing of the rest, so every part may emit them. Digests and places are text here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from unionfs_sim.nodes.record import Record


class StagePlanned(Record):
    """One stage of the plan. ``depends_on``: indices of stages; ``steps``: the instructions' texts."""

    index: int
    name: str
    base: str
    depends_on: tuple[int, ...]
    steps: tuple[str, ...]


class BuildBegan(Record):
    """The plan is made: the stages that the target needs, in the order of the Dockerfile."""

    strategy: str
    target: str
    stages: tuple[StagePlanned, ...]


class StageBegan(Record):
    """A stage's base is known; ``layers``: the DiffIDs that it brings, base first."""

    stage: int
    base: str
    layers: tuple[str, ...]


class StepBegan(Record):
    """A step is about to be done or found. ``step`` counts from 1 within the stage."""

    stage: int
    step: int
    text: str
    where: str


class CacheHit(Record):
    """The step's result is known; ``diff_id`` is None where it adds no layer.

    ``inputs``: name and digest of everything that decides, in the order of the cache key.
    """

    stage: int
    step: int
    diff_id: str | None
    inputs: tuple[tuple[str, str], ...] = ()


class CacheMissed(Record):
    """The step must be done; ``why`` names the input that changed first. ``inputs``: as in ``CacheHit``."""

    stage: int
    step: int
    why: str
    inputs: tuple[tuple[str, str], ...] = ()


class OutputPrinted(Record):
    """A command printed something."""

    stage: int
    step: int
    data: bytes


class ChangesFound(Record):
    """A snapshotter looked for what a step changed, and what looking cost."""

    workspace: str
    entries_scanned: int
    bytes_hashed: int


class LayerMade(Record):
    """A step became a layer of the image. ``size`` in bytes of the uncompressed tar."""

    stage: int
    step: int
    diff_id: str
    size: int


class StepDone(Record):
    """A step is over; ``changed_files`` is False where it only changed the configuration or nothing."""

    stage: int
    step: int
    seconds: float
    changed_files: bool


class StepFailed(Record):
    """A step failed; its workspace is gone."""

    stage: int
    step: int
    reason: str


class WorkspaceDiscarded(Record):
    """What a step had changed so far was thrown away, because it failed or was stopped."""

    stage: int
    step: int
    workspace: str


class StageDone(Record):
    """A stage is over; ``layers``: the DiffIDs of all its layers, base first."""

    stage: int
    layers: tuple[str, ...]


class TransferBegan(Record):
    """A blob is about to be fetched or sent. ``size``: in bytes, as it travels; None if not yet known."""

    blob: str
    size: int | None


class TransferMoved(Record):
    """More of a blob has travelled: ``count`` bytes so far."""

    blob: str
    count: int


class TransferDone(Record):
    """A blob is where it should be. ``how``: "fetched", "sent", "mounted", or "there" already."""

    blob: str
    how: str
    size: int


class Warned(Record):
    """Something works less well than one might expect; ``fix`` says what would mend it, "" if nothing."""

    text: str
    fix: str = ""


class BuildDone(Record):
    """The image exists; ``digest`` is its manifest's."""

    digest: str
    seconds: float


Event: TypeAlias = (
    BuildBegan
    | StageBegan
    | StepBegan
    | CacheHit
    | CacheMissed
    | OutputPrinted
    | ChangesFound
    | LayerMade
    | StepDone
    | StepFailed
    | WorkspaceDiscarded
    | StageDone
    | TransferBegan
    | TransferMoved
    | TransferDone
    | Warned
    | BuildDone
)

Listener: TypeAlias = Callable[[Event], None]
"""Takes the next event; called from the thread that did the work."""


def nobody(event: Event) -> None:
    """Let the event pass: the listener of builds that nobody watches."""


def tee(*listeners: Listener) -> Listener:
    """A listener that passes every event on to all of ``listeners``, in order."""

    def pass_on(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return pass_on
