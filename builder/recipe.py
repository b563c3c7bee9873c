"""One way to ask for a build: what the command line, the laboratory, a comparison and a daemon all call.

>>> from builder.context.context import LABEL, BuildContext
>>> from builder.dockerfile.syntax.parser import parse
>>> from builder.dockerfile.plan.stages import plan
>>> from builder.stores.memory import MemoryStore
>>> from unionfs_sim import layer
>>> context = Source(BuildContext(layer({"/motd": "hello"})), LABEL)
>>> recipe = Recipe(graph=plan(parse("FROM scratch\\nCOPY motd /etc/motd\\n")), context=context)
>>> with built(recipe, MemoryStore()) as build:
...     build.weight(build.result.stages[0])
5
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from builder.context.selection import Source
from builder.dockerfile.plan.stages import StageGraph
from builder.engine.build import build
from builder.engine.order import BuildRequest, BuildResult, BuiltStage, CacheUse, Download, Layering
from builder.engine.weight import snapshot_bytes
from builder.errors import NotSupportedError
from builder.events import Listener, nobody
from builder.image.digest import Digest, digest_of
from builder.image.image import Image
from builder.image.oci import Descriptor, Platform
from builder.image.reference import Reference
from builder.namespace.confinement import Confinement
from builder.protocols import Fetcher, Records, Timestamps
from builder.snapshotters.fingerprint import Mode
from builder.stores.cachemounts import RecordingStore
from builder.strategies.definition import NOW_NS, Bases, Local, Remote, Settings
from builder.strategies.strategy import Strategy
from builder.world.machine.limits import Limits
from unionfs_sim.nodes.record import Record, field, replace

if TYPE_CHECKING:
    from builder.engine.forecast import Foreseen
    from unionfs_sim.events import CopiedUp

_SECOND_NS: Final = 1_000_000_000


class Dates(Record):
    """What a build is dated. ``epoch_seconds``: image and history; ``timestamps``: the files of layers."""

    epoch_seconds: int = 0
    timestamps: Timestamps = field(default_factory=Timestamps)

    @classmethod
    def at(cls, epoch_seconds: int) -> Dates:
        """Everything as of SOURCE_DATE_EPOCH, and no file later."""
        return cls(epoch_seconds, Timestamps(epoch_seconds * _SECOND_NS))

    @classmethod
    def kept(cls, now_seconds: int) -> Dates:
        """The image as of now, and files as old as they are."""
        return cls(now_seconds, Timestamps(None))


class Recipe(Record, kw_only=True):
    """What to build, and how. ``name``: tells Dockerfile and context from others when saying what changed.

    ``socket``: of the docker daemon that is to build it.

    ``secrets``: by id. ``ssh``: sockets of agents, by id. ``timeout_seconds``: of one RUN; ``limits``: of one
    that is simulated. ``mode``: what a scan looks at. ``state_dir``: where a real build unpacks layers;
    ``confinement``: how much its commands may do. ``images``: manifests in the store that a name means for
    this build alone. ``bases``: what stands in for a tag that there is not. ``root``, ``ignored``,
    ``credentials``: of a Kaniko-style build (``strategies.definition.Settings``).
    """

    graph: StageGraph
    context: Source
    strategy: Strategy = Strategy.SIMULATED
    name: str = ""
    cache: CacheUse = CacheUse.TAKE
    layering: Layering = Layering.STEPS
    secrets: Mapping[str, bytes] = MappingProxyType({})
    ssh: Mapping[str, Path] = MappingProxyType({})
    dates: Dates = field(default_factory=Dates)
    timeout_seconds: float | None = None
    limits: Limits = field(default_factory=Limits)
    mode: Mode = Mode.FULL
    images: Mapping[Reference, Descriptor] = MappingProxyType({})
    state_dir: Path | None = None
    confinement: Confinement = field(default_factory=Confinement)
    bases: Bases = Bases.NEAREST
    socket: Path | None = None
    root: Path | None = None
    ignored: tuple[str, ...] = ()
    credentials: bytes = field(default=b"{}", repr=False)


class Taken:
    """What a build took from elsewhere, as far as it has come: images by FROM, files by ADD of a URL."""

    def __init__(self) -> None:
        self.images: dict[tuple[Reference, Platform], Image] = {}
        self.urls: dict[str, Digest] = {}

    def watching(self, fetcher: Fetcher) -> Fetcher:
        """The same fetcher, which tells what it found."""
        return _Watched(fetcher, self)

    def downloading(self, download: Callable[[str], Download] | None) -> Callable[[str], Download] | None:
        """The same download, which tells what was answered."""
        if download is None:
            return None

        def fetch(url: str) -> Download:
            answer = download(url)
            self.urls[url] = digest_of(answer.body)
            return answer

        return fetch


class _Watched(Record):
    fetcher: Fetcher
    taken: Taken

    def fetch(self, reference: Reference, platform: Platform, /) -> Image:
        image = self.fetcher.fetch(reference, platform)
        self.taken.images[reference, platform] = image
        return image


class Build(Record):
    """A build that is done, with its tools still open: stages can be looked at."""

    recipe: Recipe
    result: BuildResult
    seconds: float
    tools: Local[Any] | Remote[Any]
    store: RecordingStore
    taken: Taken

    @property
    def processes(self) -> int:
        """At most how many processes this builder started for it, commands among them."""
        return self.tools.processes() if isinstance(self.tools, Local) else 0

    def weight(self, stage: BuiltStage) -> int:
        """The bytes of all files of a stage's tree."""
        return snapshot_bytes(self.tools.workshop, stage.snapshot, self.store)


@contextmanager
def built(
    recipe: Recipe,
    store: RecordingStore,
    *,
    records: Records | None = None,
    listener: Listener = nobody,
    copied_up: Callable[[CopiedUp], None] | None = None,
    fetching: Callable[[Fetcher], Fetcher] = lambda here: here,
    stop: threading.Event | None = None,
    mounted: Callable[[int], None] | None = None,
    seconds: Callable[[], float] = lambda: 0.0,
) -> Iterator[Build]:
    """Build, and hold the tools open for as long as the block lasts; nothing is collected meanwhile.

    The first failure is raised as a BuildError that names file and line. ``stop``: set from outside to end
    the build; ``seconds``: a stopwatch; ``copied_up``: told of every copy-up where there is a union.
    ``mounted``: told of each real command how many mounts it sees.
    ``records``: knows of earlier steps, in place of ``store``.
    ``fetching``: makes of a fetcher that finds what is here one that finds more.
    """
    ending = stop or threading.Event()
    taken = Taken()
    tools, request = _prepared(
        recipe,
        store,
        taken,
        ending,
        listener=listener,
        copied_up=copied_up,
        fetching=fetching,
        mounted=mounted,
        seconds=seconds,
    )
    with store.lease(), tools.workshop:
        began = seconds()
        match tools:
            case Local(workshop=workshop):
                result = build(request, workshop, records=records or store, listener=listener)
            case Remote():
                result = tools.build(request, listener)
        yield Build(recipe, result, seconds() - began, tools, store, taken)


def foreseen(
    recipe: Recipe,
    store: RecordingStore,
    *,
    listener: Listener = nobody,
    fetching: Callable[[Fetcher], Fetcher] = lambda here: here,
) -> list[Foreseen]:
    """What every step would come to, if this were built now; nothing is run, and no URL asked."""
    from builder.engine.forecast import forecast, unasked

    tools, request = _prepared(
        recipe, store, Taken(), threading.Event(), listener=listener, fetching=fetching
    )
    if isinstance(tools, Remote):
        raise NotSupportedError(
            "--dry-run: only the daemon knows what it has built before",
            fix="leave --dry-run out, or choose another --strategy",
        )
    with store.lease(), tools.workshop:
        asking = replace(request, download=None if request.download is None else unasked)
        return forecast(asking, tools.workshop, records=store)


def _prepared(
    recipe: Recipe,
    store: RecordingStore,
    taken: Taken,
    ending: threading.Event,
    *,
    listener: Listener,
    copied_up: Callable[[CopiedUp], None] | None = None,
    fetching: Callable[[Fetcher], Fetcher],
    mounted: Callable[[int], None] | None = None,
    seconds: Callable[[], float] = lambda: 0.0,
) -> tuple[Local[Any] | Remote[Any], BuildRequest]:
    """The tools that the recipe's strategy has, and what they are asked for."""
    settings = Settings(
        timestamps=recipe.dates.timestamps,
        start_ns=recipe.dates.epoch_seconds * _SECOND_NS or NOW_NS,
        is_stopped=ending.is_set,
        listener=listener,
        mode=recipe.mode,
        copied_up=copied_up,
        fetching=lambda here: taken.watching(fetching(here)),
        images=recipe.images,
        bases=recipe.bases,
        socket=recipe.socket,
        state_dir=recipe.state_dir,
        confinement=recipe.confinement,
        limits=recipe.limits,
        root=recipe.root,
        ignored=recipe.ignored,
        credentials=recipe.credentials,
        mounted=mounted,
    )
    tools = recipe.strategy.definition.tools(store, settings)
    request = BuildRequest(
        graph=recipe.graph,
        context=recipe.context,
        name=f"{recipe.name}:{recipe.strategy.value}",
        strategy=recipe.strategy.value,
        cache=recipe.cache if recipe.layering is Layering.STEPS else CacheUse.IGNORE,
        layering=recipe.layering,
        secrets=recipe.secrets,
        ssh=recipe.ssh,
        download=taken.downloading(tools.download) if isinstance(tools, Local) else None,
        epoch_seconds=recipe.dates.epoch_seconds,
        timeout_seconds=recipe.timeout_seconds,
        seconds=seconds,
        stop=ending,
    )
    return tools, request
