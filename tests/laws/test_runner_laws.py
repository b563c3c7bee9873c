"""The simulated runner keeps the laws of runners, on a union and on the single root of a scan."""

from __future__ import annotations

import pytest
from runner_laws import PASSWD, Machine, RunnerLaws

from builder.image.digest import DiffID
from builder.protocols import EMPTY
from builder.stores.memory import MemoryStore
from builder.strategies.definition import Settings
from builder.strategies.strategy import Strategy
from builder.world.supplies import bases
from unionfs_sim.layers.layer import layer
from unionfs_sim.tar.pack import pack


def machine_of(strategy: Strategy) -> Machine:
    store = MemoryStore()
    base = bases.find("busybox:latest")
    assert base is not None
    snapshot = EMPTY
    for tree in (*base.layers, layer({"/etc/passwd": PASSWD})):
        snapshot = snapshot.with_layer(DiffID(store.put(pack(tree)).digest))
    return Machine(strategy.definition.tools(store, Settings()).workshop, snapshot)


class TestSimulated(RunnerLaws):
    has_terminals = False

    @pytest.fixture
    def machine(self) -> Machine:
        return machine_of(Strategy.SIMULATED)


class TestKanikoStyle(RunnerLaws):
    has_terminals = False
    own = frozenset({"kaniko"})

    @pytest.fixture
    def machine(self) -> Machine:
        return machine_of(Strategy.KANIKO_STYLE)
