"""Everything in memory: a union for a root, and programs of the simulated world for processes."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import builder.world
from builder.engine.order import Download
from builder.errors import StepFailedError
from builder.events import Warned
from builder.files.edition import edition as edition_of
from builder.image.oci import Descriptor, Platform
from builder.protocols import Execution, Fetcher, Snapshotter, Workshop
from builder.security.powers import powers
from builder.stores.cachemounts import CacheMounts, RecordingStore
from builder.strategies.definition import Bases, Definition, Local, Settings, depends
from unionfs_sim.nodes.caller import Clock, TickingClock

if TYPE_CHECKING:
    from builder.image.image import Image
    from builder.image.reference import Reference
    from builder.runners.simulated import SimulatedRunner
    from builder.snapshotters.memory import MemorySnapshotter
    from builder.stores.fetcher import Catalogue
    from builder.world.machine.process import Program
    from unionfs_sim.vfs.posix import Posix

_TICK_NS: Final = 1_000_000
"""A simulated clock moves this far at each reading, so that what is made later is later."""


def clock(settings: Settings) -> Clock:
    """A new simulated clock."""
    return TickingClock(settings.start_ns, _TICK_NS)


def programs() -> Mapping[str, Program]:
    """Everything that the simulated world can execute, by name; each is imported when first executed."""
    from builder.world.programs import PROGRAMS
    from builder.world.shell import SHELLS
    from builder.world.utilities import UTILITIES

    return ChainMap(dict(SHELLS), cast(Any, PROGRAMS), cast(Any, UTILITIES))


def download(url: str) -> Download:
    """What the toy internet answers to ADD; StepFailedError if nothing."""
    from builder.world.supplies.internet import UnreachableError, toy_internet

    try:
        answer = toy_internet().fetch(url)
    except UnreachableError as error:
        raise StepFailedError(
            f"ADD {url}: no such host in the toy internet: {error.host}",
            fix=f"there are: {', '.join(error.hosts)}",
        ) from None
    if answer.status != 200:
        raise StepFailedError(f"ADD {url}: the server answers {answer.status} {answer.reason}")
    return Download(answer.body)


def fetcher(store: RecordingStore, settings: Settings) -> Fetcher:
    """Finds images named for this build, in the store, or embedded, else where the settings let it look."""
    from builder.stores.fetcher import LocalFetcher

    return settings.fetching(LocalFetcher(store, catalogue, settings.images, edition=edition))


def catalogue() -> Catalogue:
    """The embedded images, loaded when somebody asks."""
    from builder.world.supplies import bases

    return bases


def embedded(store: RecordingStore, reference: Reference) -> tuple[Descriptor, Image]:
    """The embedded image that ``reference`` names, put into ``store``; UnknownImageError if there is none."""
    from builder.stores.fetcher import LocalFetcher

    image = LocalFetcher(store, catalogue, edition=edition).fetch(reference, Platform())
    store.put([image.config_bytes()])
    manifest = image.manifest()
    stored = store.put([manifest.to_bytes()])
    return Descriptor(manifest.media_type, stored.digest, stored.size, platform=image.platform), image


def edition() -> str:
    """What changes when the embedded images may have changed."""
    return edition_of(os.path.join(os.path.dirname(builder.world.__file__), "supplies"))


def lenient_fetcher(store: RecordingStore, settings: Settings) -> Fetcher:
    """The same; a tag that nobody has is the nearest embedded one of its family, unless that is refused."""
    from builder.stores.fetcher import NearestFetcher

    strict = fetcher(store, settings)
    if settings.bases is Bases.EXACT:
        return strict
    return NearestFetcher(strict, catalogue, lambda text, fix: settings.listener(Warned(text, fix)))


def runner(store: RecordingStore, settings: Settings) -> Callable[[Snapshotter[Posix]], SimulatedRunner]:
    """Makes the runner for a snapshotter; its cache mounts are kept in ``store``."""

    def make(snapshotter: Snapshotter[Posix]) -> SimulatedRunner:
        from builder.runners.simulated import SimulatedRunner
        from builder.world.supplies.internet import toy_internet

        return SimulatedRunner(
            programs(),
            toy_internet(),
            snapshotter=snapshotter,
            caches=CacheMounts(store),
            limits=settings.limits,
            is_cancelled=settings.is_stopped,
            lifetime=settings.lifetime,
        )

    return make


def _tools(store: RecordingStore, settings: Settings) -> Local[Posix]:
    def snapshotter() -> MemorySnapshotter:
        from builder.snapshotters.memory import MemorySnapshotter

        return MemorySnapshotter(
            store,
            timestamps=settings.timestamps,
            clocks=lambda: clock(settings),
            listener=settings.listener,
            copied_up=settings.copied_up,
        )

    workshop = Workshop(
        lenient_fetcher(store, settings),
        store,
        snapshotter=snapshotter,
        runner=runner(store, settings),
        execution=Execution.SIMULATED,
    )
    return Local(workshop, download)


SIMULATED: Final = Definition(powers=lambda: powers("simulated"), reason=depends, tools=_tools)
