"""The trees behind RUN --mount=type=cache: they outlive the build, and are part of no image."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from builder.image.digest import Digest
from builder.protocols import Cache, Records, Store

if TYPE_CHECKING:
    from unionfs_sim.layers.layer import Layer


class RecordingStore(Store, Records, Protocol):
    """A store that also keeps records."""


class CacheMounts:
    """Cache mounts by id, kept in a store between builds. Safe for threads.

    One command has a cache at a time, whatever its sharing: trees in memory are not written by two threads.
    """

    def __init__(self, store: RecordingStore) -> None:
        self._store = store
        self._trees: dict[str, Layer] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    @contextmanager
    def held(self, cache: Cache, new: Callable[[], Layer], /) -> Iterator[Layer]:
        """The tree of ``cache``, as the last command left it; one from ``new`` at first."""
        with self._lock:
            lock = self._locks.setdefault(cache.id, threading.Lock())
        with lock:
            if cache.id not in self._trees:
                known = self._read(cache.id)
                self._trees[cache.id] = new() if known is None else known
            yield self._trees[cache.id]

    def save(self) -> None:
        """Keep all trees that were used, for the next build."""
        from unionfs_sim.tar.pack import pack

        with self._lock:
            for name in sorted(self._trees):
                stored = self._store.put(pack(self._trees[name], latest_ns=None))
                self._store.remember(f"cache-mount:{name}", {"digest": stored.digest})

    def _read(self, name: str) -> Layer | None:
        record = self._store.recall(f"cache-mount:{name}")
        if record is None or self._store.find(Digest(str(record["digest"]))) is None:
            return None
        from unionfs_sim.tar.unpack import read_layer

        with self._store.open(Digest(str(record["digest"]))) as stream:
            return read_layer(stream)
