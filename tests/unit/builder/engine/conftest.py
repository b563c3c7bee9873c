"""A small kitchen: Dockerfiles built in memory with a runner that does what the test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from builder.context.context import LABEL, BuildContext
from builder.context.ignore import IgnoreFile
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.engine.build import build
from builder.engine.order import BuildRequest, BuildResult
from builder.events import CacheHit, CacheMissed, Event
from builder.image.image import Image
from builder.image.unpack import unpack_stack
from builder.protocols import Command, Execution, Exit, Sink, Workshop
from builder.snapshotters.memory import MemorySnapshotter
from builder.stores.fetcher import LocalFetcher
from builder.stores.memory import MemoryStore
from unionfs_sim.layers.layer import Layer, layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.vfs.posix import Posix

Act = Callable[[Posix, Command, Sink], int | None]


@dataclass
class Runner:
    """Runs Python functions by the text of the command; what has none writes its text to /ran."""

    acts: dict[str, Act] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)

    def start(self, rootfs: Posix, command: Command, /, *, output: Sink, errors: Sink | None = None) -> Any:
        self.commands.append(command)
        return Started(self, rootfs, command, output)

    def close(self) -> None:
        pass


@dataclass
class Started:
    """A command of the kitchen's runner; it runs when it is waited for."""

    runner: Runner
    rootfs: Posix
    command: Command
    output: Sink

    def wait(self) -> Exit:
        act = self.runner.acts.get(self.command.argv[-1])
        if act is None:
            self.rootfs.write_bytes("/ran", self.command.argv[-1].encode())
            return Exit(0)
        return Exit(act(self.rootfs, self.command, self.output) or 0)


class Bases:
    """An embedded catalogue of one image."""

    def __init__(self, images: Mapping[str, Any]) -> None:
        self._images = images

    def find(self, name: str) -> Any:
        return self._images.get(name)

    def names(self) -> list[str]:
        return sorted(self._images)

    def nearest(self, name: str) -> list[str]:
        return []


@dataclass(frozen=True)
class Base:
    layers: tuple[Layer, ...]
    config: Any
    created_by: tuple[str, ...] = ("the base",)
    created: str = "2024-01-01T00:00:00Z"
    scale: int = 1


@dataclass
class Kitchen:
    """One store, one runner; ``build`` as often as a test likes."""

    store: MemoryStore = field(default_factory=MemoryStore)
    runner: Runner = field(default_factory=Runner)
    bases: dict[str, Base] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    snapshotter: MemorySnapshotter | None = None
    execution: Execution = Execution.SIMULATED

    def build(
        self,
        dockerfile: str,
        *,
        files: Layer | None = None,
        ignore: str = "",
        build_args: Mapping[str, str] | None = None,
        target: str | None = None,
        **options: Any,
    ) -> BuildResult:
        context = BuildContext(
            Layer() if files is None else files, ignore=IgnoreFile.parse(ignore) if ignore else None
        )
        graph = plan(parse(dockerfile), build_args=build_args or {}, target=target)
        request = BuildRequest(graph=graph, context=Source(context, LABEL, context.hint), **options)
        self.events.clear()
        self.snapshotter = MemorySnapshotter(self.store, listener=self.events.append)
        tools = Workshop(
            LocalFetcher(self.store, lambda: Bases(self.bases), edition=str),
            self.store,
            snapshotter=lambda: self.snapshotter,
            runner=lambda _: self.runner,
            execution=self.execution,
        )
        return build(request, tools, records=self.store, listener=self.events.append)

    def tree(self, image: Image) -> Layer:
        return merged(unpack_stack(self.store, image.layers))

    def cached(self) -> list[bool]:
        """For each step on files in order: whether it was known."""
        return [
            isinstance(each, CacheHit) for each in self.events if isinstance(each, CacheHit | CacheMissed)
        ]

    def reasons(self) -> list[str]:
        return [each.why for each in self.events if isinstance(each, CacheMissed)]


@pytest.fixture
def kitchen() -> Kitchen:
    tree = layer(
        {
            "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nweb:x:33:44::/srv:/bin/sh\n",
            "/etc/group": "staff:x:50:\n",
        }
    )
    config = {"Env": ["PATH=/bin"], "Cmd": ["sh"], "WorkingDir": "/work"}
    return Kitchen(bases={"base:latest": Base((tree.freeze(),), config)})
