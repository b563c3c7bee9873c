"""Starts commands in sandboxes: ``Runner[RootFs]`` on the helper of a user namespace."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from builder.namespace.confinement import Confinement
from builder.namespace.rootfs import RootFs
from builder.namespace.sandbox import HOSTNAME
from builder.namespace.state import State
from builder.protocols import Command, Sink, Snapshotter
from builder.runners.rootless.attachments import Attachments
from builder.runners.rootless.caches import Caches
from builder.runners.rootless.process import Growth, RootlessProcess, Streams, sandbox_of


class RootlessRunner:
    """Runs every command in namespaces of its own. Implements ``builder.protocols.Runner``.

    ``snapshotter`` has what is bound into commands. ``is_cancelled`` is asked often while somebody waits;
    once it is true, every command is killed. ``mounted``: told of each command how many mounts it sees.
    """

    def __init__(
        self,
        state: State,
        snapshotter: Snapshotter[RootFs],
        *,
        confinement: Confinement | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
        hostname: str = HOSTNAME,
        seconds: Callable[[], float] = time.monotonic,
        mounted: Callable[[int], None] | None = None,
    ) -> None:
        self._state = state
        self._snapshotter = snapshotter
        self._confinement = confinement or Confinement()
        self._is_cancelled = is_cancelled
        self._hostname = hostname
        self._seconds = seconds
        self._mounted = mounted
        self._caches = Caches(state, is_cancelled)

    def start(
        self, rootfs: RootFs, command: Command, /, *, output: Sink, errors: Sink | None = None
    ) -> RootlessProcess:
        """Begin: the command runs from now on. What hinders it is raised by ``wait``."""
        rootfs.close()  # whoever has looked at it knows what was there before
        with ExitStack() as stack:
            mounts = Attachments(command.mounts, self._snapshotter, self._caches)
            sandbox = sandbox_of(
                rootfs,
                command,
                stack.enter_context(mounts.held(rootfs)),
                self._confinement,
                scratch=rootfs.scratch,
                hostname=self._hostname,
                counts_mounts=self._mounted is not None,
            )
            streams = Streams(command, output, errors)
            stack.callback(streams.close)
            channel = self._state.namespace.request(sandbox.told(), [*streams.inner, *mounts.descriptors])
            stack.callback(channel.close)
            streams.close_inner()
            return RootlessProcess(
                self._state.namespace,
                sandbox,
                channel,
                streams,
                stack.pop_all(),
                timeout_seconds=command.timeout_seconds,
                is_cancelled=self._is_cancelled,
                seconds=self._seconds,
                mounted=self._mounted,
                growth=self._growth(rootfs),
            )

    def _growth(self, rootfs: RootFs) -> Growth | None:
        upper, limit = rootfs.stack.upper, self._confinement.upper_bytes
        if upper is None or limit is None:
            return None
        return Growth(self._state.namespace, upper, limit, self._seconds)

    def close(self) -> None:
        """Nothing: caches lie on disk already, and the helper belongs to the state."""
