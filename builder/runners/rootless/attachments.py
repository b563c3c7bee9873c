"""What a command sees beside its root, as the sandbox attaches it: each kind of mount as its source."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from builder.errors import NotSupportedError, StepFailedError
from builder.namespace import mounts
from builder.namespace.idmap import Caller
from builder.namespace.rootfs import RootFs
from builder.namespace.sandbox import Attachment
from builder.namespace.stack import Stack
from builder.protocols import (
    Bind,
    Cache,
    HostPath,
    Mount,
    Secret,
    Snapshot,
    Snapshotter,
    Ssh,
    Tmpfs,
)
from builder.runners.rootless.agent import forwarded, require
from builder.runners.rootless.caches import Caches


class Attachments:
    """The mounts of one command."""

    def __init__(self, wanted: Sequence[Mount], snapshotter: Snapshotter[RootFs], caches: Caches) -> None:
        self._mounts = wanted
        self._snapshotter = snapshotter
        self._caches = caches
        self._places: dict[str, str] = {}
        self.descriptors: list[int] = []
        """Mounts that are made already, to be sent along."""

    @contextmanager
    def held(self, root: RootFs) -> Iterator[tuple[Attachment, ...]]:
        """The attachments, for as long as the block lasts; caches in one order always, so that none waits."""
        with ExitStack() as stack:
            caches = {mount.id: mount for mount in self._mounts if isinstance(mount, Cache)}
            places = {name: stack.enter_context(self._cache(caches[name])) for name in sorted(caches)}
            self._places = places
            yield tuple(
                self._attachment(mount, root, f"mount-{number}", stack)
                for number, mount in enumerate(self._mounts)
            )

    def _attachment(self, mount: Mount, root: RootFs, name: str, stack: ExitStack) -> Attachment:
        target = str(mount.target)
        match mount:
            case Bind():
                return self._bind(mount, stack)
            case Cache(id=cache, read_only=read_only):
                return Attachment(target=target, host=self._places[cache], read_only=read_only)
            case Tmpfs(size_bytes=size):
                return Attachment(target=target, size_bytes=size, mode=0o755)
            case Secret(content=content, mode=mode, uid=uid, gid=gid):
                text = content.decode("latin-1")
                return Attachment(target=target, content=text, mode=mode, uid=uid, gid=gid, read_only=True)
            case HostPath():
                return self._host_path(mount, root, stack)
            case Ssh():
                require(mount)
                return Attachment(target=target, host=stack.enter_context(forwarded(mount, root, name)))

    def _bind(self, mount: Bind, stack: ExitStack) -> Attachment:
        target, path = str(mount.target), str(mount.path)
        if mount.read_only:
            stack_ = self._stack(mount.snapshot)
            return Attachment(target=target, stack=stack_.told(), path=path, read_only=True)
        work = self._snapshotter.prepare(mount.snapshot)
        stack.callback(self._snapshotter.discard, work)
        return Attachment(target=target, stack=work.rootfs.stack.told(), path=path)

    def _host_path(self, mount: HostPath, root: RootFs, stack: ExitStack) -> Attachment:
        host, came = str(mount.source.absolute()), None
        if not os.path.exists(host):
            raise StepFailedError(f"{host}: no such file or directory on this machine")
        if root.namespace.ids.caller is Caller.ROOT:
            # Root may mount for others what the ids inside could not even find.
            namespace = os.open(root.namespace.descriptor_path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                mounted = mounts.bind_for(host, namespace)
            finally:
                os.close(namespace)
            stack.callback(os.close, mounted)
            came = len(self.descriptors)
            self.descriptors.append(mounted)
        return Attachment(target=str(mount.target), host=host, came=came, read_only=mount.read_only)

    def _stack(self, snapshot: Snapshot) -> Stack:
        view = self._snapshotter.view(snapshot)
        if not isinstance(view, RootFs):
            raise NotSupportedError("this snapshotter shows nothing that a real command could see")
        return view.stack

    @contextmanager
    def _cache(self, cache: Cache) -> Iterator[str]:
        initial = None
        if cache.initial is not None:
            snapshot, path = cache.initial
            initial = {"stack": self._stack(snapshot).told(), "path": str(path)}
        with self._caches.held(cache, initial) as place:
            yield place
