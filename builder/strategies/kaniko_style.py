"""One root for everything, scanned before and after each step, as Kaniko does.

In memory, with simulated commands; or, given a directory that may be emptied, with real ones in a container
that plays Kaniko's. The scan is the same code.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from builder.errors import NotSupportedError, require_linux
from builder.events import Warned
from builder.image.difference import Change, Difference
from builder.protocols import Concurrency, Execution, Snapshotter, Workshop
from builder.security.powers import powers
from builder.snapshotters.fingerprint import Mode
from builder.snapshotters.ignored import default_ignored
from builder.stores.cachemounts import RecordingStore
from builder.strategies.definition import Definition, Local, Settings, depends
from builder.strategies.rootless import download as real_download
from builder.strategies.simulated import clock, download, fetcher, lenient_fetcher, runner
from unionfs_sim.layers.layer import Layer
from unionfs_sim.vfs.posix import Posix

if TYPE_CHECKING:
    from builder.namespace.container import Container
    from builder.namespace.rootfs import RootFs
    from builder.runners.direct import DirectRunner
    from builder.snapshotters.scan.snapshotter import ScanSnapshotter


def _tools(store: RecordingStore, settings: Settings) -> Local[Any]:
    return _in_memory(store, settings) if settings.root is None else _real(store, settings, settings.root)


def _real(store: RecordingStore, settings: Settings, root: Path) -> Local[RootFs]:
    require_linux("a Kaniko-style build with --root")
    if settings.confinement.upper_bytes is not None:
        raise NotSupportedError(
            "--limit-upper: a single root has no upper layer that could be limited",
            fix="put the root on a file system that is as large as it may become",
        )
    made: list[Container] = []

    def container() -> Container:
        from builder.namespace.container import Container
        from builder.snapshotters.scan.served import VERB, serve

        if not made:

            def warn(text: str, fix: str) -> None:
                settings.listener(Warned(text, fix))

            made.append(
                Container(str(root), credentials=settings.credentials, tasks={VERB: serve}, warn=warn)
            )
        return made[0]

    def snapshotter() -> ScanSnapshotter[RootFs]:
        from builder.snapshotters.scan.served import Scanning, scanning_a_container

        scanning = Scanning(mode=settings.mode, ignored=settings.ignored, timestamps=settings.timestamps)
        return scanning_a_container(container(), store, scanning, listener=settings.listener)

    def runner(snapshotter: Snapshotter[RootFs]) -> DirectRunner:
        from builder.runners.direct import DirectRunner

        return DirectRunner(
            container(),
            snapshotter,
            confinement=settings.confinement,
            is_cancelled=settings.is_stopped,
            mounted=settings.mounted,
        )

    workshop = Workshop(
        fetcher(store, settings),
        store,
        snapshotter=snapshotter,
        runner=runner,
        execution=Execution.REAL,
        concurrency=Concurrency.ONE,
    )
    return Local(workshop, real_download, lambda: made[0].processes if made else 0)


def _in_memory(store: RecordingStore, settings: Settings) -> Local[Posix]:
    def snapshotter() -> ScanSnapshotter[Posix]:
        from builder.snapshotters.scan.memory import scanning

        return scanning(
            Layer(clock=clock(settings)),
            store,
            mode=settings.mode,
            ignored=default_ignored(*settings.ignored),
            timestamps=settings.timestamps,
            listener=settings.listener,
        )

    workshop = Workshop(
        lenient_fetcher(store, settings),
        store,
        snapshotter=snapshotter,
        runner=runner(store, settings),
        execution=Execution.SIMULATED,
        concurrency=Concurrency.ONE,
    )
    return Local(workshop, download)


def _reason(difference: Difference, reference: Layer, settings: Settings) -> str:
    """The rule of scanning that explains a difference, as far as one does."""
    path, mode = difference.path, settings.mode
    if default_ignored(*settings.ignored).covers(path):
        return "a scan ignores this path"
    if difference.change is Change.ADDED:
        return "the deletion was hidden by an opaque directory, which a scan's unpacking does not understand"
    inode = dict(reference.inodes()).get(path)
    kind = 0 if inode is None else stat.S_IFMT(inode.mode)
    if kind in (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK):
        return "devices and fifos of base layers are dropped when they are unpacked"
    if difference.details == ("xattrs",):
        return "a scan looks at no extended attribute but security.capability"
    if mode is not Mode.FULL:
        looked = "the time of the last change" if mode is Mode.TIME else "attributes, size and time"
        return f"mode {mode.value} looks at {looked} alone, and they are as before"
    return depends(difference, reference, settings)


KANIKO_STYLE: Final = Definition(powers=lambda: powers("kaniko"), reason=_reason, tools=_tools)
