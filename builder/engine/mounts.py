"""What RUN --mount attaches for one command (Dockerfile reference, "RUN --mount")."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Generic

from builder.context.copying import Destination, Draft, copy
from builder.context.paths import clean, resolve
from builder.context.selection import Source, select
from builder.dockerfile.syntax.instruction import Run
from builder.dockerfile.syntax.mount import MountType, RunMount
from builder.engine import cachekey
from builder.engine.origin import origin
from builder.engine.stage import StageBuild
from builder.errors import NotSupportedError, StepFailedError
from builder.protocols import EMPTY, Concurrency, FsT, Mount, Workspace
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.layers.layer import Dir, File, Layer, layer

_SECRETS = "/run/secrets"


@dataclass(frozen=True, slots=True)
class Attached:
    """Mounts ready for a command, and variables that secrets are put into."""

    mounts: tuple[Mount, ...]
    env: Mapping[str, str]


class RunMounts(Generic[FsT]):
    """The mounts of one RUN: what they mean for the cache, and the trees behind them."""

    def __init__(self, stage: StageBuild[FsT], instruction: Run) -> None:
        self._stage = stage
        self._mounts = [mount for mount in instruction.mounts if mount.type is not MountType.SSH]

    def inputs(self) -> Iterator[cachekey.Input]:
        """What of the mounts decides the step's result: places, and the files of bind mounts."""
        for number, mount in enumerate(self._mounts, 1):
            yield cachekey.said(
                f"mount {number}", mount.type.value, mount.from_, mount.source, self._target(mount), mount.id
            )
            if mount.type is MountType.BIND:
                source = origin(self._stage, mount.from_ or None)
                yield from source.inputs((mount.source or "/",), (), parents=False, owners=True)

    @contextmanager
    def attached(self) -> Iterator[Attached]:
        """The mounts for the time of one command; what a writable bind mount was told is forgotten."""
        caches = (self._cache_name(each) for each in self._mounts if each.type is MountType.CACHE)
        with self._stage.build.alone_with(caches):
            yield from self._attached()

    def _attached(self) -> Iterator[Attached]:
        opened: list[Workspace[FsT]] = []
        env: dict[str, str] = {}
        try:
            mounts = [made for mount in self._mounts for made in self._attach(mount, opened, env)]
            yield Attached(tuple(mounts), env)
        finally:
            for work in opened:
                self._stage.workshop.snapshotter.discard(work)

    def _target(self, mount: RunMount) -> str:
        if mount.type is MountType.SECRET and not mount.target:
            return posixpath.join(_SECRETS, mount.id)
        return clean(posixpath.join("/", self._stage.image.config.working_dir, mount.target))

    def _attach(self, mount: RunMount, opened: list[Workspace[FsT]], env: dict[str, str]) -> Sequence[Mount]:
        target = PurePosixPath(self._target(mount))
        match mount.type:
            case MountType.SECRET:
                return self._secret(mount, target, env)
            case MountType.CACHE:
                return (Mount(target, self._cache(self._cache_name(mount))),)
            case MountType.TMPFS:
                return (Mount(target, Layer()),)
        source = origin(self._stage, mount.from_ or None).source((mount.source or "/",))
        path = PurePosixPath(resolve(source.tree, clean(mount.source or "/")))
        if mount.read_only:
            return (Mount(target, source.tree, path, read_only=True),)
        return (Mount(target, self._throwaway(source, str(path), opened), PurePosixPath("/mounted")),)

    def _throwaway(self, source: Source, path: str, opened: list[Workspace[FsT]]) -> Filesystem:
        """A copy of what is mounted, to be written to and discarded."""
        if self._stage.workshop.snapshotter.concurrency is Concurrency.ONE:
            raise NotSupportedError(
                "RUN --mount=type=bind,rw: there is a single root, and no room for a second one",
                fix="leave rw out, or use --strategy simulated",
            )
        work = self._stage.workshop.snapshotter.prepare(EMPTY)
        opened.append(work)
        to = Destination(path="/mounted")
        draft = Draft(work.rootfs, to)
        copy(source.tree, select(source, (path,)), draft, to)
        self._stage.workshop.snapshotter.apply(work, draft.edits)
        return work.rootfs

    def _cache_name(self, mount: RunMount) -> str:
        return mount.id or self._target(mount)

    def _cache(self, name: str) -> Filesystem:
        if self._stage.request.cache_mount is None:
            return Layer()
        return self._stage.request.cache_mount(name)

    def _secret(self, mount: RunMount, target: PurePosixPath, env: dict[str, str]) -> Sequence[Mount]:
        value = self._stage.request.secrets.get(mount.id)
        if value is None:
            if mount.required:
                raise StepFailedError(
                    f"RUN --mount=type=secret: no secret {mount.id!r} was given",
                    fix=f"add --secret id={mount.id},src=FILE to the command line",
                )
            return ()
        if mount.env:
            env[mount.env] = value.decode("utf-8", "surrogateescape")
            if not mount.target:
                return ()
        mode = 0o400 if mount.mode is None else mount.mode
        file = File(value, mode=mode, uid=mount.uid or 0, gid=mount.gid or 0)
        tree = layer({"/": Dir(mode=0o755), "/secret": file}).freeze()
        return (Mount(target, tree, PurePosixPath("/secret"), read_only=True),)
