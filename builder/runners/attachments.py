"""What a simulated command sees beside its root: each kind of mount as a tree in memory."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import PurePosixPath
from typing import Final, Protocol

from builder.errors import NotSupportedError
from builder.protocols import (
    Bind,
    Cache,
    Concurrency,
    HostPath,
    Mount,
    Secret,
    Snapshot,
    Snapshotter,
    Ssh,
    Tmpfs,
)
from builder.world.machine.attachments import Attachment
from unionfs_sim.filesystem import Attributes, Filesystem
from unionfs_sim.layers.layer import Dir, File, Layer, layer
from unionfs_sim.nodes.caller import ROOT
from unionfs_sim.trees import copy_bytes, walk
from unionfs_sim.vfs.posix import Posix

_MOUNTED: Final = "/mounted"


class Caches(Protocol):
    """The trees behind cache mounts (``builder.stores.cachemounts.CacheMounts`` is one)."""

    def held(self, cache: Cache, new: Callable[[], Layer], /) -> AbstractContextManager[Layer]:
        """The tree of ``cache``, which nobody else has meanwhile; one from ``new`` if there is none yet."""
        ...

    def save(self) -> None:
        """Keep all trees for the next build."""
        ...


class Attachments:
    """The mounts of one command. ``snapshotter`` may be None where nothing is bound."""

    def __init__(
        self, mounts: Sequence[Mount], snapshotter: Snapshotter[Posix] | None, caches: Caches | None
    ) -> None:
        if any(isinstance(mount, Ssh) for mount in mounts):
            raise NotSupportedError(
                "RUN --mount=type=ssh: there is no ssh agent in the simulated world",
                fix="use --mount=type=secret for keys",
            )
        self._mounts = mounts
        self._snapshotter = snapshotter
        self._caches = caches

    @contextmanager
    def held(self) -> Iterator[list[Attachment]]:
        """The trees, for as long as the block lasts; no other command has the same caches meanwhile."""
        with ExitStack() as stack:
            wanted = {mount.id: mount for mount in self._mounts if isinstance(mount, Cache)}
            # In one order always, so that no two commands wait for each other.
            caches = {name: stack.enter_context(self._cache(wanted[name])) for name in sorted(wanted)}
            yield [self._attachment(mount, caches, stack) for mount in self._mounts]

    def _attachment(self, mount: Mount, caches: dict[str, Layer], stack: ExitStack) -> Attachment:
        target = str(mount.target)
        match mount:
            case Bind():
                return self._bind(mount, stack)
            case Cache():
                return Attachment(target, caches[mount.id], read_only=mount.read_only)
            case Tmpfs():
                return Attachment(target, Layer())
            case Secret(content=content, mode=mode, uid=uid, gid=gid):
                file = File(content, mode=mode, uid=uid, gid=gid)
                tree = layer({"/": Dir(mode=0o755), _MOUNTED: file}).freeze()
                return Attachment(target, tree, _MOUNTED, read_only=True)
            case HostPath():
                return _host_path(mount)
            case Ssh():
                raise AssertionError("refused when the command was started")

    def _bind(self, mount: Bind, stack: ExitStack) -> Attachment:
        target, path = str(mount.target), str(mount.path)
        snapshotter = self._shown()
        if mount.read_only:
            view = snapshotter.view(mount.snapshot)
            if isinstance(view, Posix):
                return Attachment(target, view, path, read_only=True)
            return Attachment(target, _copied(view, path), _MOUNTED, read_only=True)
        if snapshotter.concurrency is Concurrency.ONE:
            return Attachment(target, _copied(snapshotter.view(mount.snapshot), path), _MOUNTED)
        work = snapshotter.prepare(mount.snapshot)
        stack.callback(snapshotter.discard, work)
        return Attachment(target, work.rootfs, path)

    @contextmanager
    def _cache(self, mount: Cache) -> Iterator[Layer]:
        def new() -> Layer:
            if mount.initial is not None:
                return self._initial(*mount.initial)
            tree = Layer()
            tree.setattr("/", Attributes(mode=mount.mode, uid=mount.uid, gid=mount.gid))
            return tree

        if self._caches is None:
            yield new()
            return
        with self._caches.held(mount, new) as tree:
            yield tree

    def _initial(self, snapshot: Snapshot, path: PurePosixPath) -> Layer:
        copy = Layer()
        _copy(self._shown().view(snapshot), str(path), copy, "")
        return copy

    def _shown(self) -> Snapshotter[Posix]:
        if self._snapshotter is None:
            raise NotSupportedError("this runner was made without a snapshotter: it can bind nothing")
        return self._snapshotter


def _host_path(mount: HostPath) -> Attachment:
    """What is there now; what is written is seen by this command alone, so only reading makes sense."""
    if not mount.read_only:
        raise NotSupportedError(
            f"{mount.source}: the simulated world writes to no directory of this machine",
            fix="mount it read-only",
        )
    from unionfs_sim.host.directory import HostDirectory

    with HostDirectory(mount.source.parent) as directory:
        copy = _copied(directory, f"/{mount.source.name}")
    return Attachment(str(mount.target), copy, _MOUNTED, read_only=True)


def _copied(source: Filesystem, path: str) -> Layer:
    """What is at ``path`` of a tree that is no ``Posix``, as ``/mounted`` of a layer."""
    copy = Layer()
    _copy(source, path, copy, _MOUNTED)
    return copy


def _copy(source: Filesystem, path: str, copy: Layer, top: str) -> None:
    """Copy what is at ``path`` to ``top``, which is "" for the root."""
    for place, status in walk(source, path):
        target = (top + place[len(path.rstrip("/")) :]).rstrip("/") or "/"
        if stat.S_ISDIR(status.st_mode):
            if target != "/":
                copy.mkdir(target, 0o755)
        elif stat.S_ISLNK(status.st_mode):
            copy.symlink(source.readlink(place), target)
        elif stat.S_ISREG(status.st_mode):
            copy_bytes(source, copy, place, target)
        else:
            continue
        change = Attributes(
            mode=None if stat.S_ISLNK(status.st_mode) else stat.S_IMODE(status.st_mode),
            uid=status.st_uid,
            gid=status.st_gid,
            mtime_ns=status.st_mtime_ns,
            atime_ns=status.st_mtime_ns,
        )
        copy.acting_as(ROOT).setattr(target, change)
