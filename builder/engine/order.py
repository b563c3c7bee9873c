"""What a build is asked for, and what it gives back."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from builder.context.selection import Source
from builder.dockerfile.plan.scope import Scope
from builder.dockerfile.plan.stages import StageGraph
from builder.image.image import Image
from builder.image.oci import Descriptor
from builder.protocols import Snapshot
from unionfs_sim.nodes.record import Record, field

_NOTHING: Mapping[str, bytes] = MappingProxyType({})


class CacheUse(enum.Enum):
    """Whether results of earlier builds are taken; they are always kept."""

    TAKE = "take"
    IGNORE = "ignore"


class Layering(enum.Enum):
    """What becomes a layer: each step that changes files, or all steps of a stage together.

    In the second case nothing is taken from earlier builds, nor kept for later ones: no layer is that of a
    step.
    """

    STEPS = "steps"
    STAGES = "stages"


class Download(Record):
    """What a URL answered."""

    body: bytes
    mtime_ns: int = 0


class BuildRequest(Record, kw_only=True):
    """One build. ``name``: tells this Dockerfile and context from others when saying what changed.

    ``secrets``: by id. ``ssh``: sockets of agents, by id. ``download``: None where ADD cannot reach any URL.
    ``stop``: set from outside to end the build at the next opportunity. ``epoch_seconds``: the time that
    image and history bear.
    """

    graph: StageGraph
    context: Source
    name: str = ""
    strategy: str = "simulated"
    cache: CacheUse = CacheUse.TAKE
    layering: Layering = Layering.STEPS
    secrets: Mapping[str, bytes] = field(default_factory=lambda: _NOTHING)
    ssh: Mapping[str, Path] = MappingProxyType({})
    download: Callable[[str], Download] | None = None
    epoch_seconds: int = 0
    timeout_seconds: float | None = None
    seconds: Callable[[], float] = lambda: 0.0
    stop: threading.Event = field(default_factory=threading.Event)


class BuiltStage(Record):
    """A stage that is done. ``scope``: the variables at its end, which a stage that starts from it sees."""

    index: int
    title: str
    base: str
    image: Image
    snapshot: Snapshot
    scope: Scope = field(compare=False)


class BuildResult(Record):
    """The image and what led to it. ``manifest``: of the image, in the store; ``stages``: as planned."""

    image: Image
    manifest: Descriptor
    stages: tuple[BuiltStage, ...]
