"""A laboratory in memory: build Dockerfiles, look at what came out, build again and watch the cache.

What notebooks call. Nothing here touches the disk but to read a folder that is named.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from builder.comparison import Comparison, compare
from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import StageGraph, plan
from builder.dockerfile.syntax.parser import parse
from builder.events import CacheHit, CacheMissed, Event
from builder.image.analysis import ImageTree, analyse
from builder.image.compression import pieces
from builder.image.compressor import Compression, compress
from builder.image.digest import digest_of
from builder.image.image import Image, LayerBlob
from builder.image.oci import Descriptor
from builder.image.unpack import unpack_stack
from builder.recipe import Recipe, built
from builder.snapshotters.fingerprint import Mode
from builder.stores.memory import MemoryStore
from builder.strategies.strategy import Strategy
from course.figures import cache_comparison, explorer, overlay_stack, stage_graph
from course.figures.picture import Picture
from course.figures.size_waterfall import Weighed
from course.figures.snapshot_timeline import Scanned
from course.figures.table import Table
from course.playground.playground import Playground, Usage
from unionfs_sim.events import CopiedUp
from unionfs_sim.events import Event as UnionEvent
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.host.layer import read_directory
from unionfs_sim.layers.layer import Layer, layer
from unionfs_sim.mounting import Union, mount


@dataclass(frozen=True, slots=True)
class Page:
    """A whole HTML page, shown in a notebook inside a sandboxed frame."""

    text: str
    height: int = 760

    def __repr__(self) -> str:
        return f"Page({len(self.text):,} characters)"

    def _repr_html_(self) -> str:
        quoted = html.escape(self.text, quote=True)
        style = f"width:100%;height:{self.height}px;border:1px solid #ccc"
        return f'<iframe sandbox="allow-scripts" srcdoc="{quoted}" style="{style}"></iframe>'


@dataclass(frozen=True, slots=True)
class Built:
    """One build: the image, its layers (base first) and all that happened on the way."""

    name: str
    image: Image
    layers: tuple[Layer, ...]
    events: tuple[Event, ...]
    sizes: Mapping[str, int]

    def __repr__(self) -> str:
        return f"Built({self.name!r}, {len(self.layers)} layers)"

    def _repr_svg_(self) -> str:
        """The build in a notebook: its stages."""
        return self.stage_graph()._repr_svg_()

    def stage_graph(self) -> Picture:
        """The stages, hits and misses, and what COPY --from carried."""
        dead = stage_graph.dead_of(self.image.diff_ids, self.tree())
        return stage_graph.of(self.events, lambda diff_id: self.sizes.get(diff_id, 0), dead)

    def cache_comparison(self, before: Built, seconds: Mapping[str, float] | None = None) -> Picture:
        """What decided whether each step was known, held against the build ``before``.

        ``seconds``: how long a step takes, by how its text begins (default: as long as it took).
        """
        return cache_comparison.of(before.events, self.events, seconds)

    def weighed(self) -> Weighed:
        """The image as ``size_waterfall.of`` weighs it."""
        return Weighed(list(map(_short, self.made_by())), self.tree())

    def scanned(self) -> Scanned:
        """The build as ``snapshot_timeline.of`` tells it: a Kaniko-style one."""
        return Scanned(self.events, dict(zip(self.image.diff_ids, self.layers, strict=True)))

    def overlay_stack(self, *paths: str) -> Picture:
        """Which layer answers each of ``paths`` (default: a telling choice)."""
        return overlay_stack.of(self.union(), paths, list(map(_short, self.made_by())))

    def union(self) -> Union:
        """A container of the image: its layers with a fresh upper on top."""
        return mount([Layer().freeze(), *self.layers] if not self.layers else list(self.layers), Layer())

    def tree(self) -> ImageTree:
        """What the layers hold, hide and waste."""
        return analyse(self.layers)

    def made_by(self) -> list[str]:
        """The history line of each layer, base first."""
        lines = [entry.created_by for entry in self.image.history if not entry.empty_layer]
        return ["(no history)"] * (len(self.layers) - len(lines)) + lines

    def cached(self) -> tuple[bool, ...]:
        """For each step that the build did or found, in the order of events, whether it was known."""
        return tuple(
            isinstance(event, CacheHit) for event in self.events if isinstance(event, CacheHit | CacheMissed)
        )

    def explorer(self, language: str = "en") -> Page:
        """The image as a page to take apart."""
        size_of = lambda diff_id: self.sizes.get(diff_id, 0)  # noqa: E731 - one line, used once
        return Page(
            explorer.page(
                self.name, self.image, self.layers, events=self.events, size_of=size_of, language=language
            )
        )


@dataclass(slots=True)
class Laboratory:
    """Builds share one store, so that the second finds what the first did.

    ``seconds``: a stopwatch; by default none runs, so that the same build is the same picture.
    """

    store: MemoryStore = field(default_factory=MemoryStore)
    seconds: Callable[[], float] = lambda: 0.0

    def build(
        self,
        dockerfile: str,
        files: Mapping[str, str] | Path | Layer | None = None,
        *,
        name: str = "image",
        target: str | None = None,
        build_args: Mapping[str, str] | None = None,
        strategy: Strategy = Strategy.SIMULATED,
        mode: Mode = Mode.FULL,
    ) -> Built:
        """Build the text ``dockerfile``; ``files``: the build context, path → text, a folder or a layer.

        ``mode``: how closely a Kaniko-style build looks for changes.
        """
        events: list[Event] = []
        graph = _plan(dockerfile, target, build_args)
        recipe = Recipe(graph=graph, context=_context(files), name=name, strategy=strategy, mode=mode)
        with built(recipe, self.store, listener=events.append, seconds=self.seconds) as done:
            result = done.result
        known = [blob for stage in result.stages for blob in stage.image.layers]
        return Built(
            name,
            result.image,
            tuple(unpack_stack(self.store, result.image.layers)),
            tuple(events),
            {blob.diff_id: blob.descriptor.size for blob in known},
        )

    def stored(self, built: Built, compression: Compression | None = None) -> Image:
        """The image of a build from here as a registry has it: its layers compressed (default: gzip)."""
        chosen = compression or Compression()

        def pressed(layer: LayerBlob) -> LayerBlob:
            with self.store.open(layer.descriptor.digest) as tar:
                raw = b"".join(compress(pieces(tar), chosen, threads=1))
            return LayerBlob(Descriptor(chosen.media_type, digest_of(raw), len(raw)), layer.diff_id)

        return built.image.replace(layers=tuple(map(pressed, built.image.layers)))

    def compare(
        self,
        dockerfile: str,
        files: Mapping[str, str] | Path | Layer | None = None,
        *,
        strategies: Sequence[Strategy] = (Strategy.SIMULATED, Strategy.KANIKO_STYLE),
        mode: Mode = Mode.FULL,
    ) -> Comparison:
        """One Dockerfile built with each strategy from nothing, the results held against the first."""
        recipe = Recipe(graph=_plan(dockerfile, None, None), context=_context(files), mode=mode)
        return compare(recipe, strategies, seconds=self.seconds)


def copies_of(union: Union) -> list[CopiedUp]:
    """A list that from now on gets every copy-up of ``union``, in order."""
    copies: list[CopiedUp] = []

    def listen(event: UnionEvent) -> None:
        if isinstance(event, CopiedUp):
            copies.append(event)

    union.events.subscribe(listen)
    return copies


@dataclass(frozen=True, slots=True)
class Played:
    """Lines of a shell that were run on a union. ``copied_bytes``: what each line copied up."""

    text: str
    copied_bytes: Mapping[str, int]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def play(union: Union, script: str) -> Played:
    """Run the lines of ``script`` in the simulated shell, on ``union``, and tell what each changed and cost.

    A line that fails says so, and the next one runs.
    """
    playground = Playground(union)
    copies = copies_of(union)
    told: list[str] = []
    copied: dict[str, int] = {}
    for line in filter(None, map(str.strip, script.splitlines())):
        before = len(copies)
        told.append(f"$ {line}")
        try:
            told += [f"  {each.text}" for each in playground.play(line)]
        except Usage as error:
            told.append(f"  {error}")
        except EOFError:
            break
        copied[line] = sum(copy.size_bytes for copy in copies[before:])
    return Played("\n".join(told), copied)


def powers() -> Table:
    """What each real way of building holds, and what a hostile Dockerfile or job reaches through it."""
    columns = (
        "way",
        "runs as",
        "daemon",
        "Pod Security",
        "a hostile Dockerfile reaches",
        "a hostile job reaches",
    )
    rows = (
        (
            strategy.value,
            strategy.powers.runs_as,
            strategy.powers.daemon,
            strategy.powers.pod_security,
            strategy.powers.dockerfile_reaches,
            strategy.powers.job_reaches,
        )
        for strategy in Strategy
        if strategy is not Strategy.SIMULATED  # a model, and no way to build in CI
    )
    return Table(columns, tuple(rows))


def _short(made_by: str) -> str:
    """A history line as the Dockerfile has it: without the shell and the builder's mark."""
    return made_by.split("\n")[0].replace("/bin/sh -c ", "").removesuffix(" # buildkit")


def _plan(dockerfile: str, target: str | None, build_args: Mapping[str, str] | None) -> StageGraph:
    return plan(parse(dockerfile, name="Dockerfile"), target=target, build_args=dict(build_args or {}))


def _context(files: Mapping[str, str] | Path | Layer | None) -> Source:
    tree: Filesystem
    if isinstance(files, Layer):
        tree = files
    elif isinstance(files, Path):
        tree = read_directory(files)
    else:
        tree = layer({f"/{path.lstrip('/')}": text for path, text in (files or {}).items()})
    context = BuildContext(tree, name="notebook")
    return Source(context, LABEL, context.hint)
