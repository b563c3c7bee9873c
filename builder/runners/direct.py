"""Starts commands in a container that plays Kaniko's: plain children in one root, with the builder's own."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from builder.errors import NotSupportedError
from builder.image.digest import digest_of, hex_of
from builder.namespace.confinement import Confinement
from builder.namespace.container import Container
from builder.namespace.executor import CACHES, INSIDE, SHOWN
from builder.namespace.rootfs import RootFs
from builder.namespace.sandbox import Attachment
from builder.namespace.stack import Stack
from builder.protocols import (
    Bind,
    Cache,
    Command,
    HostPath,
    Mount,
    Secret,
    Sink,
    Snapshot,
    Snapshotter,
    Ssh,
    Tmpfs,
)
from builder.runners.rootless.agent import forwarded, require
from builder.runners.rootless.process import RootlessProcess, Streams, sandbox_of


class DirectRunner:
    """Runs every command in the container's root. Implements ``builder.protocols.Runner``.

    ``snapshotter`` has what is bound into commands. ``is_cancelled`` is asked often while somebody waits;
    once it is true, the command is killed. ``mounted``: told of each command how many mounts it sees. One
    command runs after the other.
    """

    def __init__(
        self,
        container: Container,
        snapshotter: Snapshotter[RootFs],
        *,
        confinement: Confinement | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
        seconds: Callable[[], float] = time.monotonic,
        mounted: Callable[[int], None] | None = None,
    ) -> None:
        self._container = container
        self._snapshotter = snapshotter
        self._confinement = confinement or Confinement()
        self._is_cancelled = is_cancelled
        self._seconds = seconds
        self._mounted = mounted
        self._numbers = itertools.count(1)

    def start(
        self, rootfs: RootFs, command: Command, /, *, output: Sink, errors: Sink | None = None
    ) -> RootlessProcess:
        """Begin: the command runs from now on. What hinders it is raised by ``wait``."""
        rootfs.close()  # whoever has looked at it knows what was there before
        with ExitStack() as stack:
            attached = stack.enter_context(self._attached(command, rootfs))
            counts = self._mounted is not None
            sandbox = sandbox_of(rootfs, command, attached, self._confinement, counts_mounts=counts)
            streams = Streams(command, output, errors)
            stack.callback(streams.close)
            channel = self._container.request(sandbox.told(), streams.inner)
            stack.callback(channel.close)
            streams.close_inner()
            return RootlessProcess(
                self._container.namespace,
                sandbox,
                channel,
                streams,
                stack.pop_all(),
                timeout_seconds=command.timeout_seconds,
                is_cancelled=self._is_cancelled,
                seconds=self._seconds,
                mounted=self._mounted,
            )

    def close(self) -> None:
        """Nothing: the container belongs to the snapshotter."""

    @contextmanager
    def _attached(self, command: Command, root: RootFs) -> Iterator[tuple[Attachment, ...]]:
        with ExitStack() as stack:
            yield tuple(
                self._attachment(mount, root, f"mount-{number}", stack)
                for number, mount in enumerate(command.mounts)
            )

    def _attachment(self, mount: Mount, root: RootFs, name: str, stack: ExitStack) -> Attachment:
        target = str(mount.target)
        match mount:
            case Bind():
                return self._bind(mount, stack)
            case Cache():
                place = self._cache(mount)
                return Attachment(target=target, host=f"{INSIDE}/{place}", read_only=mount.read_only)
            case Tmpfs(size_bytes=size):
                return Attachment(target=target, size_bytes=size, mode=0o755)
            case Secret(content=content, mode=mode, uid=uid, gid=gid):
                text = content.decode("latin-1")
                return Attachment(target=target, content=text, mode=mode, uid=uid, gid=gid, read_only=True)
            case HostPath():
                raise NotSupportedError(
                    f"{mount.source}: a container that runs already can be shown no more of this machine",
                    fix="use --strategy rootless",
                )
            case Ssh():
                require(mount)
                place = stack.enter_context(forwarded(mount, root, name))
                return Attachment(target=target, host=f"{INSIDE}/{place}")

    def _bind(self, bind: Bind, stack: ExitStack) -> Attachment:
        target, path, host = str(bind.target), str(bind.path), f"{INSIDE}/{self._shown(bind.snapshot)}"
        if bind.read_only:
            return Attachment(target=target, host=host, path=path, read_only=True)
        written = f"written-{next(self._numbers)}"
        for name in (written, f"{written}/upper", f"{written}/work"):
            self._container.namespace.ask({"verb": "make", "path": f"{SHOWN}/{name}"})
        message = {"verb": "remove", "paths": [f"{SHOWN}/{written}"]}
        stack.callback(self._container.namespace.ask, message)
        above = Stack((host,), f"{INSIDE}/{written}/upper", f"{INSIDE}/{written}/work")
        return Attachment(target=target, stack=above.told(), path=path)

    def _cache(self, cache: Cache) -> str:
        """Where the cache lies in the builder's directory; made if it is new."""
        name = hex_of(digest_of(cache.id.encode("utf-8", "surrogateescape")))[:32]
        place = f"{CACHES}/{name}"
        if not os.path.isdir(os.path.join(self._container.namespace.directory, place)):
            initial = None
            if cache.initial is not None:
                tree = Stack(plain=f"{SHOWN}/{self._shown(cache.initial[0])}")
                initial = {"stack": tree.told(), "path": str(cache.initial[1])}
            self._container.namespace.ask(
                {
                    "verb": "cache",
                    "new": f"{CACHES}/new",
                    "name": place,
                    "ownership": self._container.ownership.value,
                    "initial": initial,
                    "mode": cache.mode,
                    "uid": cache.uid,
                    "gid": cache.gid,
                }
            )
        return place

    def _shown(self, snapshot: Snapshot) -> str:
        """What was set aside of a committed state, below the directory that commands see."""
        view = self._snapshotter.view(snapshot)
        if not isinstance(view, RootFs):
            raise NotSupportedError("this snapshotter shows nothing that a real command could see")
        return os.path.basename(str(view.stack.plain))
