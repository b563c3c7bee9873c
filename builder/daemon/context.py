"""The build context that a client sends: a tar, plain or compressed, as a tree in memory.

The client has applied ``.dockerignore`` already, but always sends that file and the Dockerfile: whether COPY
may see those two is decided here (moby ``builder/remotecontext/detect.go``). Large files stay on disk, where
nothing has a name: a daemon that is killed leaves none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Final

from builder.context.archive import unpack
from builder.context.context import LABEL, BuildContext
from builder.context.copying import Destination, Draft
from builder.context.ignore import IgnoreFile
from builder.context.paths import clean, leaves, lstat, resolve
from builder.context.selection import Source
from builder.dockerfile.syntax.lexer import DEFAULT_LIMITS
from builder.errors import BuildError
from builder.snapshotters.memory import make_late
from unionfs_sim.layers.layer import Layer
from unionfs_sim.nodes.content import Slice

_IGNORE_FILE: Final = "/.dockerignore"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client sent: the text of the Dockerfile, and the files that COPY may see."""

    dockerfile: bytes
    source: Source


def context_of(body: BinaryIO, size: int, dockerfile: str) -> Sent:
    """The context in a tar of ``size`` bytes. BuildError names an entry that would leave it, or is broken."""
    tree = Layer()
    destination = Destination(path="/", owner=(0, 0))
    draft = Draft(tree, destination)
    unpack(Slice(body, 0, size), "the build context", draft, destination)
    make_late(tree, tree, draft.edits)
    return Sent(_dockerfile(tree, dockerfile), _visible(tree, dockerfile))


def _dockerfile(tree: Layer, path: str) -> bytes:
    if leaves(path):
        raise BuildError(f"the Dockerfile ({path}) must be within the build context")
    real = resolve(tree, clean(path))
    if lstat(tree, real) is None:
        raise BuildError(f"Cannot locate specified Dockerfile: {path}")
    with tree.open(real) as file:
        return file.read(DEFAULT_LIMITS.file_bytes + 1)


def _visible(tree: Layer, dockerfile: str) -> Source:
    if lstat(tree, _IGNORE_FILE) is not None:
        ignore = IgnoreFile.parse(tree.read_bytes(resolve(tree, _IGNORE_FILE)), ".dockerignore")
        for path in (_IGNORE_FILE, clean(dockerfile)):
            if ignore.matches(path.strip("/")) is not None and lstat(tree, path) is not None:
                tree.remove(path)
    context = BuildContext(tree)
    return Source(context, LABEL, context.hint)
