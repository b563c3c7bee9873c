"""One root for everything, scanned before and after each step, as Kaniko does; commands are simulated."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final

from builder.image.difference import Change, Difference
from builder.protocols import Concurrency, Execution, Workshop
from builder.security.powers import powers
from builder.snapshotters.fingerprint import Mode
from builder.snapshotters.ignored import default_ignored
from builder.stores.cachemounts import RecordingStore
from builder.strategies.definition import Definition, Local, Settings, depends
from builder.strategies.simulated import clock, download, lenient_fetcher, runner
from unionfs_sim.layers.layer import Layer
from unionfs_sim.vfs.posix import Posix

if TYPE_CHECKING:
    from builder.snapshotters.scan import ScanSnapshotter


def _tools(store: RecordingStore, settings: Settings) -> Local[Posix]:
    def snapshotter() -> ScanSnapshotter[Posix]:
        from builder.snapshotters.scan import ScanSnapshotter

        return ScanSnapshotter(
            Layer(clock=clock(settings)),
            store,
            mode=settings.mode,
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
    if default_ignored().covers(path):
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
