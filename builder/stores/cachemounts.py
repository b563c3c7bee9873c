"""The trees behind RUN --mount=type=cache: they outlive the build, and are part of no image."""

from __future__ import annotations

import threading
from typing import Protocol

from builder.image.digest import Digest
from builder.protocols import Records, Store
from unionfs_sim.layers.layer import Layer
from unionfs_sim.tar.pack import pack
from unionfs_sim.tar.unpack import read_layer


class RecordingStore(Store, Records, Protocol):
    """A store that also keeps records."""


class CacheMounts:
    """Cache mounts by id, kept in a store between builds. Safe for threads."""

    def __init__(self, store: RecordingStore) -> None:
        self._store = store
        self._trees: dict[str, Layer] = {}
        self._lock = threading.Lock()

    def tree(self, name: str) -> Layer:
        """The tree called ``name``, as the last build left it; empty at first. May be written to."""
        with self._lock:
            if name not in self._trees:
                self._trees[name] = self._read(name)
            return self._trees[name]

    def save(self) -> None:
        """Keep all trees that were used, for the next build."""
        with self._lock:
            for name in sorted(self._trees):
                stored = self._store.put(pack(self._trees[name], latest_ns=None))
                self._store.remember(f"cache-mount:{name}", {"digest": stored.digest})

    def _read(self, name: str) -> Layer:
        record = self._store.recall(f"cache-mount:{name}")
        if record is None or not self._store.has(Digest(str(record["digest"]))):
            return Layer()
        with self._store.open(Digest(str(record["digest"]))) as stream:
            return read_layer(stream)
