"""Cache mounts in the store: what stays, and who waits for whom."""

from __future__ import annotations

import threading
from pathlib import PurePosixPath

from builder.protocols import Cache
from builder.stores.cachemounts import CacheMounts
from builder.stores.memory import MemoryStore
from unionfs_sim.layers.layer import Layer, layer


def cache(name: str) -> Cache:
    return Cache(target=PurePosixPath("/c"), id=name)


def test_a_tree_that_was_saved_is_there_in_the_next_build() -> None:
    store = MemoryStore()
    mounts = CacheMounts(store)
    with mounts.held(cache("a"), lambda: layer({"/new": "1"})) as tree:
        tree.write_bytes("/kept", b"x")
    mounts.save()

    with CacheMounts(store).held(cache("a"), Layer) as tree:
        assert sorted(tree.listdir("/")) == ["kept", "new"]


def test_two_commands_never_have_one_cache_at_the_same_time() -> None:
    mounts = CacheMounts(MemoryStore())
    inside = threading.Lock()
    overlaps = []

    def use() -> None:
        with mounts.held(cache("a"), Layer):
            overlaps.append(not inside.acquire(blocking=False))
            threading.Event().wait(0.02)
            inside.release()

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert overlaps == [False, False, False]
