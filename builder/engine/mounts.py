"""What RUN --mount attaches for one command (Dockerfile reference, "RUN --mount")."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final, Generic

from builder.context.copying import Destination, Draft, copy
from builder.context.edit import SetAttributes, make
from builder.context.paths import clean, resolve
from builder.context.selection import select
from builder.dockerfile.syntax.instruction import Run
from builder.dockerfile.syntax.mount import MountType, RunMount, Sharing
from builder.engine import cachekey
from builder.engine.origin import Origin, origin
from builder.engine.stage import StageBuild
from builder.errors import StepFailedError
from builder.image.digest import DiffID
from builder.protocols import EMPTY, Bind, Cache, FsT, Mount, Secret, Snapshot, Ssh, Tmpfs
from unionfs_sim.filesystem import Attributes
from unionfs_sim.nodes.record import Record

_MOUNTED: Final = "/mounted"
_SECRETS: Final = "/run/secrets"
_AGENTS: Final = "/run/buildkit/ssh_agent"
"""Where BuildKit puts the sockets of ssh agents, by number."""


def ssh_agent(passed: Mapping[str, Path], mount: RunMount) -> Path | None:
    """The agent that the mount asks for; None if none was passed under its id."""
    return passed.get(mount.id or "default")


class Attached(Record):
    """Mounts ready for a command, and variables that secrets are put into."""

    mounts: tuple[Mount, ...]
    env: Mapping[str, str]


class RunMounts(Generic[FsT]):
    """The mounts of one RUN: what they mean for the cache, and the trees behind them."""

    def __init__(self, stage: StageBuild[FsT], instruction: Run) -> None:
        self._stage = stage
        self._mounts = [mount for mount in instruction.mounts if mount.type is not MountType.SSH]
        self._agents = [mount for mount in instruction.mounts if mount.type is MountType.SSH]

    def inputs(self) -> Iterator[cachekey.Input]:
        """What of the mounts decides the step's result: places, and the files of bind mounts."""
        for number, mount in enumerate(self._mounts, 1):
            yield cachekey.said(
                f"mount {number}", mount.type.value, mount.from_, mount.source, self._target(mount), mount.id
            )
            if mount.type is MountType.BIND:
                source = origin(self._stage, mount.from_ or None)
                yield from source.inputs((mount.source or "/",), (), parents=False, owners=True)

    def attached(self) -> Attached:
        """The mounts, and the variables that secrets are put into."""
        env: dict[str, str] = {}
        mounts = [made for mount in self._mounts for made in self._attach(mount, env)]
        mounts += [
            made for number, mount in enumerate(self._agents) for made in self._agent(number, mount, env)
        ]
        return Attached(tuple(mounts), env)

    def _agent(self, number: int, mount: RunMount, env: dict[str, str]) -> Sequence[Mount]:
        """The agent's socket, if one was passed; the first is where ssh looks for it."""
        agent = ssh_agent(self._stage.request.ssh, mount)
        if agent is None:
            return ()
        target = self._target(mount) if mount.target else f"{_AGENTS}.{number}"
        env.setdefault("SSH_AUTH_SOCK", target)
        mode = 0o600 if mount.mode is None else mount.mode
        ids = {"uid": mount.uid or 0, "gid": mount.gid or 0}
        return (Ssh(target=PurePosixPath(target), agent=agent, mode=mode, **ids),)

    def _target(self, mount: RunMount) -> str:
        if mount.type is MountType.SECRET and not mount.target:
            return posixpath.join(_SECRETS, mount.id)
        return clean(posixpath.join("/", self._stage.image.config.working_dir, mount.target))

    def _attach(self, mount: RunMount, env: dict[str, str]) -> Sequence[Mount]:
        target = PurePosixPath(self._target(mount))
        match mount.type:
            case MountType.SECRET:
                return self._secret(mount, target, env)
            case MountType.CACHE:
                return (self._cache(mount, target),)
            case MountType.TMPFS:
                return (Tmpfs(target=target, size_bytes=mount.size_bytes),)
        snapshot, path = self._committed(mount)
        return (Bind(target=target, snapshot=snapshot, path=path, read_only=mount.read_only),)

    def _committed(self, mount: RunMount) -> tuple[Snapshot, PurePosixPath]:
        """The files that a mount names, as a committed state and a path in it."""
        written = mount.source or "/"
        found = origin(self._stage, mount.from_ or None)
        if found.snapshot is None:
            return self._of_context(found, written)
        tree = found.source((written,)).tree
        return found.snapshot, PurePosixPath(resolve(tree, clean(written)))

    def _of_context(self, context: Origin[FsT], written: str) -> tuple[Snapshot, PurePosixPath]:
        """The files of the context that are not ignored: a layer of their own, never the host's directory."""
        from unionfs_sim.layers.layer import Layer  # a step that is known needs no tree
        from unionfs_sim.tar.pack import pack

        source = context.source((written,))
        path = resolve(source.tree, clean(written))
        tree = Layer()
        to = Destination(path=_MOUNTED)
        draft = Draft(tree, to)
        copy(source.tree, select(source, (path,)), draft, to)
        status = source.tree.lstat(path)
        if stat.S_ISDIR(status.st_mode):
            draft.edits.append(SetAttributes(_MOUNTED, Attributes(mode=stat.S_IMODE(status.st_mode))))
        make(tree, draft.edits)
        stored = self._stage.workshop.store.put(pack(tree))
        return EMPTY.with_layer(DiffID(stored.digest)), PurePosixPath(_MOUNTED)

    def _cache(self, mount: RunMount, target: PurePosixPath) -> Cache:
        initial = self._committed(mount) if mount.from_ else None
        return Cache(
            target=target,
            id=mount.id or str(target),
            sharing=mount.sharing or Sharing.SHARED,
            initial=initial,
            mode=0o755 if mount.mode is None else mount.mode,
            uid=mount.uid or 0,
            gid=mount.gid or 0,
            read_only=mount.read_only,
        )

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
        return (Secret(target=target, content=value, mode=mode, uid=mount.uid or 0, gid=mount.gid or 0),)
