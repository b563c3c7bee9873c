"""The snapshotters in memory keep the laws of snapshotters, also where their roots know more verbs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshotter_laws import OPERATIONS, PATHS, SnapshotterLaws

from builder.protocols import Concurrency
from builder.snapshotters.memory import MemorySnapshotter
from builder.snapshotters.scan.memory import scanning
from builder.snapshotters.scan.snapshotter import ScanSnapshotter
from builder.stores.memory import MemoryStore
from unionfs_sim.layers.layer import Layer
from unionfs_sim.nodes.caller import TickingClock
from unionfs_sim.vfs.posix import Posix


def memory(store: MemoryStore) -> MemorySnapshotter:
    return MemorySnapshotter(store)


def scan(store: MemoryStore) -> ScanSnapshotter[Posix]:
    return scanning(Layer(clock=TickingClock(10**18, 1000)), store)


MORE = st.one_of(OPERATIONS, st.tuples(st.just("rename"), PATHS, PATHS))


class PosixLaws(SnapshotterLaws):
    """What holds for roots that have all verbs of ``Posix``."""

    def test_moved_names_are_found_too(self, make: Any) -> None:
        @given(first=st.lists(MORE, max_size=25), second=st.lists(MORE, max_size=25))
        @settings(max_examples=60)
        def law(first: list[Any], second: list[Any]) -> None:
            self.merging_gives_what_was_changed(make, first, second)

        law()


class TestMemory(PosixLaws):
    @pytest.fixture
    def make(self) -> Any:
        return memory


class TestScan(PosixLaws):
    own = frozenset({"kaniko"})

    @pytest.fixture
    def make(self) -> Any:
        return scan


def test_only_the_union_has_room_for_two_workspaces() -> None:
    store = MemoryStore()

    assert memory(store).concurrency is Concurrency.MANY
    assert scan(store).concurrency is Concurrency.ONE
