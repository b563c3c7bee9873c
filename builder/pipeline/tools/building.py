"""What all builders have in common: a context in the step's file system becomes an image in the store."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from builder.context.context import LABEL, BuildContext
from builder.context.ignore import IgnoreFile
from builder.context.selection import Source
from builder.context.subtree import Subtree
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.engine.order import CacheUse
from builder.errors import BuildError
from builder.events import Event
from builder.image.oci import Descriptor
from builder.pipeline.tools.site import Site
from builder.recipe import Recipe, built
from builder.snapshotters.fingerprint import Mode
from builder.strategies.strategy import Strategy
from builder.world.machine.process import Process
from unionfs_sim.layers.layer import Layer
from unionfs_sim.trees import Fidelity, copy_tree

_IGNORE: Final = ".dockerignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One build. ``context``: a directory that the step sees; ``dockerfile``: a path that it sees."""

    context: str
    dockerfile: str
    target: str = ""
    build_args: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, bytes] = field(default_factory=dict)
    strategy: Strategy = Strategy.SIMULATED
    mode: Mode = Mode.FULL
    cache: CacheUse = CacheUse.TAKE


def build(site: Site, process: Process, wanted: Wanted, tell: Callable[[Event], None]) -> Descriptor:
    """Build; the image's manifest in the store. Raises BuildError that names file and line."""
    fs = process.fs
    if not fs.exists(wanted.context):
        raise BuildError(f"no such directory: {wanted.context}", fix="is the repository cloned before?")
    if not fs.exists(wanted.dockerfile):
        raise BuildError(f"no Dockerfile at {wanted.dockerfile}")
    raw = fs.read_bytes(wanted.dockerfile)
    graph = plan(
        parse(raw, name=posixpath.basename(wanted.dockerfile)),
        target=wanted.target or None,
        build_args=wanted.build_args,
    )
    files = Layer()
    copy_tree(Subtree(fs, posixpath.join(process.cwd, wanted.context)), files, fidelity=Fidelity.MINE)
    ignore = None
    for name in (f"{wanted.dockerfile}{_IGNORE}", posixpath.join(wanted.context, _IGNORE)):
        if fs.exists(name):
            ignore = IgnoreFile.parse(fs.read_bytes(name), posixpath.basename(name))
            break
    context = BuildContext(files, ignore=ignore)
    recipe = Recipe(
        graph=graph,
        context=Source(context, LABEL, context.hint),
        strategy=wanted.strategy,
        name=f"pipeline {wanted.context}/{wanted.dockerfile}",
        cache=wanted.cache,
        secrets=wanted.secrets,
        mode=wanted.mode,
    )
    with built(recipe, site.store, listener=tell, seconds=time.monotonic) as build_:
        return build_.result.manifest


def within(directory: str, path: str) -> str:
    """A path from a directory on, unless it is absolute."""
    return posixpath.normpath(posixpath.join(directory, path))


def write(process: Process, path: str, text: str) -> None:
    """Write a file that a builder leaves for later steps."""
    if path:
        process.fs.write_bytes(path, text.encode())
