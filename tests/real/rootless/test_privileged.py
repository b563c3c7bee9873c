"""Builds with the machine's own root: refused unless somebody says so, and then as confined as others are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runner_laws import Machine, RunnerLaws
from snapshotter_laws import SnapshotterLaws

from builder.errors import NotSupportedError
from builder.events import Event, OutputPrinted
from builder.image.digest import DiffID
from builder.namespace.confinement import Confinement, HostRoot
from builder.namespace.idmap import MACHINES_OWN
from builder.namespace.state import State
from builder.protocols import EMPTY, Execution, Workshop
from builder.runners.rootless.runner import RootlessRunner
from builder.snapshotters.overlayfs import OverlaySnapshotter
from builder.stores.fetcher import LocalFetcher
from builder.stores.memory import MemoryStore
from builder.strategies.strategy import Strategy
from builder.world.supplies import bases
from unionfs_sim.layers.layer import Dir, File, Layer, Symlink
from unionfs_sim.tar.pack import pack

pytestmark = [pytest.mark.kernel, pytest.mark.tools("busybox")]

FILES = {
    "/app/run": File("#!/bin/sh\necho run\n", mode=0o755),
    "/app/link": Symlink("run"),
    "/app/private": Dir(mode=0o700),
    "/app/private/key": File("k", mode=0o600),
    "/motd": "hello\n",
}
ALLOWED = {"strategy": Strategy.PRIVILEGED, "confinement": Confinement(host_root=HostRoot.ALLOWED)}


class TestTrustedOverlay(SnapshotterLaws):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Iterator[Any]:
        made: list[OverlaySnapshotter] = []

        def new(store: MemoryStore) -> OverlaySnapshotter:
            for each in made:
                each.close()
            made.append(OverlaySnapshotter(store, State(str(tmp_path / "state"), MACHINES_OWN)))
            return made[-1]

        yield new
        for each in made:
            each.close()


class TestPrivileged(RunnerLaws):
    @pytest.fixture
    def machine(self, real_base: Layer, tmp_path: Path) -> Iterator[Machine]:
        store = MemoryStore()
        state = State(str(tmp_path / "state"), MACHINES_OWN)
        base = EMPTY.with_layer(DiffID(store.put(pack(real_base)).digest))
        with Workshop(
            LocalFetcher(store, lambda: bases, edition=str),
            store,
            snapshotter=lambda: OverlaySnapshotter(store, state),
            runner=lambda snapshotter: RootlessRunner(state, snapshotter),
            execution=Execution.REAL,
        ) as workshop:
            yield Machine(workshop, base)


def test_it_is_refused_by_a_sentence_that_names_the_risk(builder: Any) -> None:
    with pytest.raises(NotSupportedError, match="uid 0 of every RUN is this machine's root") as raised:
        builder.build("FROM base\nRUN true\n", strategy=Strategy.PRIVILEGED)

    assert "--allow-host-root" in str(raised.value)


def test_steps_without_run_have_the_same_diff_ids_as_in_the_simulation(
    new_builder: Any, tmp_path: Path
) -> None:
    text = """
        FROM base AS one
        WORKDIR /srv/app
        COPY --chown=web:44 --chmod=640 motd /etc/motd
        COPY app/ /opt/more/
        FROM scratch
        COPY --from=one /srv /srv
        COPY --from=one /opt/more/link /l
        """
    simulated = new_builder(tmp_path / "a").build(text, FILES, strategy=Strategy.SIMULATED)

    privileged = new_builder(tmp_path / "b").build(text, FILES, **ALLOWED)

    assert [stage.image.diff_ids for stage in privileged.result.stages] == [
        stage.image.diff_ids for stage in simulated.result.stages
    ]


def test_the_tree_is_that_of_a_rootless_build(new_builder: Any, tmp_path: Path) -> None:
    text = """
        FROM base
        COPY app /app
        RUN chown -R 33:44 /app && rm -r /app/private && mkdir /app/private && echo n > /app/private/new
        RUN mv /app /moved && ln /moved/run /same && rm /etc/group && chmod 711 /etc
        """
    one, other = new_builder(tmp_path / "a"), new_builder(tmp_path / "b")

    privileged, rootless = one.build(text, FILES, **ALLOWED), other.build(text, FILES)

    assert one.tree(privileged) == other.tree(rootless)


def test_uid_0_is_the_machines_and_still_has_few_powers(builder: Any, tmp_path: Path) -> None:
    seen = bytearray()

    def listen(event: Event) -> None:
        if isinstance(event, OutputPrinted):
            seen.extend(event.data)

    builder.build(
        "FROM base\n"
        "RUN cat /proc/self/uid_map; grep -E 'CapBnd|Seccomp:' /proc/self/status; "
        f"mount -t tmpfs t /etc 2>&1; mknod /sda b 8 0 && cat /sda 2>&1; ls {tmp_path} 2>&1; true\n",
        listener=listen,
        **ALLOWED,
    )

    said = seen.decode()
    assert said.split()[:3] == ["0", "0", "4294967295"]
    assert "00000000a80425fb" in said
    assert "Seccomp:\t2" in said
    assert said.lower().count("denied") + said.lower().count("not permitted") >= 2
    assert "No such file" in said
    assert os.listdir(builder.state / "trees" / MACHINES_OWN.name / "sessions") == []
