"""A snapshotter on the kernel's overlayfs, in a user namespace: no file is copied to begin a step.

A layer lies unpacked in the state directory under its chain id, in the kernel's own spelling (``userxattr``);
what a step changed is what its upper directory holds, and that directory becomes the next layer by a rename.
Everything on files happens inside the namespace (``builder.namespace``).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from builder.context.edit import Edit
from builder.events import ChangesFound, Listener, nobody
from builder.image.digest import ChainID, DiffID, Digest, chained, hex_of
from builder.namespace.rootfs import RootFs
from builder.namespace.skeleton import LAYERS
from builder.namespace.stack import Stack
from builder.namespace.state import State
from builder.namespace.userns import answer
from builder.protocols import (
    Concurrency,
    LayerStream,
    Purpose,
    Snapshot,
    Store,
    Timestamps,
    Usage,
    Workspace,
)
from builder.snapshotters.ondisk import on_disk
from builder.snapshotters.usage import usage_of

_PIECE: Final = 1 << 20


class OverlaySnapshotter:
    """Layers of the store below a fresh upper directory. Implements ``Snapshotter[RootFs]``.

    A layer is unpacked when a view or a workspace first needs it, and stays for later builds. Safe for
    threads. ``state`` is closed with the snapshotter.
    """

    def __init__(
        self,
        store: Store,
        state: State,
        *,
        timestamps: Timestamps | None = None,
        listener: Listener = nobody,
    ) -> None:
        self._store = store
        self._state = state
        self._timestamps = timestamps or Timestamps()
        self._listener = listener
        self._views: dict[Snapshot, RootFs] = {}
        self._open: dict[str, RootFs] = {}
        self._lock = threading.Lock()
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @property
    def concurrency(self) -> Concurrency:
        """MANY: every workspace has its own upper directory."""
        return Concurrency.MANY

    def view(
        self,
        snapshot: Snapshot,
        /,
        *,
        only: Iterable[PurePosixPath] | None = None,  # noqa: ARG002 - a mount costs the same for one file
    ) -> RootFs:
        """The stack of layers, mounted without an upper; its files open as real descriptors."""
        stack = self._stack(snapshot)
        with self._lock:
            if snapshot not in self._views:
                self._views[snapshot] = RootFs(self._state.namespace, stack)
            return self._views[snapshot]

    def prepare(
        self,
        parent: Snapshot,
        /,
        *,
        purpose: Purpose = Purpose.ANYTHING,  # noqa: ARG002 - the upper tells what happened
    ) -> Workspace[RootFs]:
        """The layers of ``parent`` below a fresh upper directory."""
        below = self._stack(parent)
        namespace, key = self._state.namespace, self._state.workspace()
        top = below.lowers[-1] if below.lowers else None
        namespace.ask({"verb": "prepare", "workspace": key, "top": top})
        stack = Stack(below.lowers, f"{key}/upper", f"{key}/work", ownership=below.ownership)
        root = RootFs(namespace, stack, scratch=key)
        with self._lock:
            self._open[key] = root
        return Workspace(parent, root, key)

    def apply(self, work: Workspace[RootFs], edits: Iterable[Edit], /) -> None:
        """Make ``edits`` in the workspace, in order; one stream."""
        work.rootfs.apply(edits)

    def changes(
        self,
        work: Workspace[RootFs],
        /,
        *,
        written: Iterable[PurePosixPath] | None = None,  # noqa: ARG002 - the upper holds nothing else
    ) -> LayerStream:
        """The upper directory as a tar; empty if nothing was changed."""
        work.rootfs.close()
        stack = work.rootfs.stack
        reads, writes = os.pipe2(os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # a smaller pipe is only slower
            fcntl.fcntl(reads, fcntl.F_SETPIPE_SZ, _PIECE)
        with open(reads, "rb", buffering=0) as pipe:
            message = {
                "verb": "changes",
                "upper": stack.upper,
                "stack": Stack(stack.lowers, ownership=stack.ownership).told(),
                "latest_ns": self._timestamps.latest_ns,
            }
            try:
                channel = self._state.namespace.request(message, [writes])
            finally:
                os.close(writes)
            with contextlib.closing(channel):
                while piece := pipe.read(_PIECE):
                    yield piece
                entries = answer(channel)["entries"]
        self._listener(ChangesFound(work.key, entries, 0))

    def commit(self, work: Workspace[RootFs], layer: DiffID | None, /) -> Snapshot:
        """The parent with the upper directory as one layer more; the workspace is gone."""
        after = work.parent if layer is None else work.parent.with_layer(layer)
        self._end(work)
        name = None if layer is None else _place(after.chain_id)
        self._state.namespace.ask({"verb": "commit", "workspace": work.key, "name": name})
        return after

    def discard(self, work: Workspace[RootFs], /) -> None:
        """Remove the workspace with everything in it."""
        if self._end(work):
            self._state.namespace.ask({"verb": "remove", "paths": [work.key]})

    def usage(self, snapshot: Snapshot, /) -> Usage:
        """What the merged tree takes."""
        return usage_of(self.view(snapshot))

    def close(self) -> None:
        """Remove all workspaces and end the helper; what is unpacked stays for later builds."""
        with self._lock:
            roots = [*self._views.values(), *self._open.values()]
            self._views.clear()
            self._open.clear()
        for root in roots:
            root.close()
        self._state.close()

    def _end(self, work: Workspace[RootFs]) -> bool:
        """Whether the workspace was open; it is not any more."""
        with self._lock:
            root = self._open.pop(work.key, None)
        if root is not None:
            root.close()
        return root is not None

    def _stack(self, snapshot: Snapshot) -> Stack:
        """The layers on disk, base first."""
        below = Stack(ownership=self._state.ownership)
        name: ChainID | None = None
        for diff_id in snapshot.layers:
            name = chained(name, diff_id)
            self._unpack(name, diff_id, below)
            below = Stack((*below.lowers, _place(name)), ownership=below.ownership)
        return below

    def _unpack(self, name: ChainID, diff_id: DiffID, below: Stack) -> None:
        """Let the top layer of the stack ``name`` lie on disk."""
        if self._state.has_layer(hex_of(name)):
            return
        with self._lock:
            turn = self._turns[name]
        with turn:
            if self._state.has_layer(hex_of(name)):
                return
            self._verify(diff_id)
            new = f"{self._state.workspace()}/new"
            message = {"verb": "unpack", "stack": below.told(), "new": new, "name": _place(name)}
            with self._store.open(Digest(diff_id)) as stream, on_disk(stream) as file:
                self._state.namespace.ask(message, [file.fileno()])

    def _verify(self, diff_id: DiffID) -> None:
        """Read the layer to its end, where the store tells damage: it is going to be jumped about in."""
        with self._store.open(Digest(diff_id)) as stream:
            while stream.read(_PIECE):
                pass


def _place(name: ChainID | None) -> str:
    """Where the layers of a stack's top lie."""
    assert name is not None
    return f"{LAYERS}/{hex_of(name)}"
