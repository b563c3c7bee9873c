"""What real builds have unpacked: how much it is, and how to make room.

Everything there can be made again from the store, but for the contents of cache mounts.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from builder.namespace.skeleton import CACHES, LAYERS
from builder.namespace.state import State
from unionfs_sim.nodes.record import Record


class Unpacked(Record):
    """How many layers lie unpacked, how many cache mounts there are, and the bytes of their files."""

    layers: int
    layer_bytes: int
    caches: int
    cache_bytes: int


class Trees:
    """The trees at ``path`` that belong to the ids of this user. Used in a ``with``."""

    def __init__(self, path: str) -> None:
        self._state = State(path)

    def __enter__(self) -> Trees:
        return self

    def __exit__(self, *_: object) -> None:
        self._state.close()

    def sizes(self) -> Unpacked:
        """How much there is."""
        layers, caches = self._names(LAYERS), self._names(CACHES)
        return Unpacked(len(layers), self._bytes(LAYERS), len(caches), self._bytes(CACHES))

    def prune(self, *, kept: Collection[str], caches: bool) -> Unpacked | None:
        """Remove the layers whose names are not ``kept`` and, if ``caches``, all cache mounts; what that was.

        Nothing, and None, if a builder works here: it may need what it has seen.
        """
        if not self._state.is_alone():
            return None
        layers = [f"{LAYERS}/{name}" for name in self._names(LAYERS) if name not in kept]
        mounts = [f"{CACHES}/{name}" for name in self._names(CACHES)] if caches else []
        return Unpacked(len(layers), self._remove(layers), len(mounts), self._remove(mounts))

    def _names(self, directory: str) -> list[str]:
        """The trees in a directory; the locks of cache mounts lie beside them."""
        _ = self._state.namespace
        with os.scandir(os.path.join(self._state.path, directory)) as found:
            return sorted(entry.name for entry in found if entry.is_dir(follow_symlinks=False))

    def _bytes(self, path: str) -> int:
        return int(self._state.namespace.ask({"verb": "measure", "path": path})["bytes"])

    def _remove(self, paths: list[str]) -> int:
        place = self._state.workspace()
        return int(self._state.namespace.ask({"verb": "retire", "paths": paths, "place": place})["bytes"])
