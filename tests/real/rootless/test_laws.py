"""The snapshotter on the kernel's overlayfs and the runner of real processes keep the laws of their seams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runner_laws import Machine, RunnerLaws
from snapshotter_laws import SnapshotterLaws

from builder.image.digest import DiffID
from builder.namespace.container import Container
from builder.namespace.rootfs import RootFs
from builder.namespace.state import State
from builder.protocols import EMPTY, Concurrency, Execution, Workshop
from builder.runners.direct import DirectRunner
from builder.runners.rootless.runner import RootlessRunner
from builder.snapshotters.overlayfs import OverlaySnapshotter
from builder.snapshotters.scan.served import VERB, Scanning, scanning_a_container, serve
from builder.snapshotters.scan.snapshotter import ScanSnapshotter
from builder.stores.fetcher import LocalFetcher
from builder.stores.memory import MemoryStore
from builder.world.supplies import bases
from unionfs_sim.layers.layer import Layer
from unionfs_sim.tar.pack import pack

pytestmark = [pytest.mark.rootless, pytest.mark.tools("busybox")]


class TestOverlayfs(SnapshotterLaws):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Iterator[Any]:
        made: list[OverlaySnapshotter] = []

        def new(store: MemoryStore) -> OverlaySnapshotter:
            for each in made:  # hypothesis makes one for each example
                each.close()
            made.append(OverlaySnapshotter(store, State(str(tmp_path / "state"))))
            return made[-1]

        yield new
        for each in made:
            each.close()


class TestScannedContainer(SnapshotterLaws):
    own = frozenset({"kaniko", "dev", "proc", "sys"})

    @pytest.fixture
    def make(self, tmp_path: Path) -> Iterator[Any]:
        made: list[ScanSnapshotter[RootFs]] = []

        def new(store: MemoryStore) -> ScanSnapshotter[RootFs]:
            for each in made:
                each.close()
            container = Container(str(tmp_path / "root"), tasks={VERB: serve})
            made.append(scanning_a_container(container, store, Scanning()))
            return made[-1]

        yield new
        for each in made:
            each.close()


class TestDirect(RunnerLaws):
    sees_host_paths = False
    own = frozenset({"kaniko", "dev", "proc", "sys"})

    @pytest.fixture
    def machine(self, real_base: Layer, tmp_path: Path) -> Iterator[Machine]:
        store = MemoryStore()
        container = Container(str(tmp_path / "root"), tasks={VERB: serve})
        base = EMPTY.with_layer(DiffID(store.put(pack(real_base)).digest))
        with Workshop(
            LocalFetcher(store, lambda: bases, edition=str),
            store,
            snapshotter=lambda: scanning_a_container(container, store, Scanning()),
            runner=lambda snapshotter: DirectRunner(container, snapshotter),
            execution=Execution.REAL,
            concurrency=Concurrency.ONE,
        ) as workshop:
            yield Machine(workshop, base)


class TestRootless(RunnerLaws):
    @pytest.fixture
    def machine(self, real_base: Layer, tmp_path: Path) -> Iterator[Machine]:
        store = MemoryStore()
        state = State(str(tmp_path / "state"))
        base = EMPTY.with_layer(DiffID(store.put(pack(real_base)).digest))
        with Workshop(
            LocalFetcher(store, lambda: bases, edition=str),
            store,
            snapshotter=lambda: OverlaySnapshotter(store, state),
            runner=lambda snapshotter: RootlessRunner(state, snapshotter),
            execution=Execution.REAL,
        ) as workshop:
            yield Machine(workshop, base)
