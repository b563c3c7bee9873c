"""The seams of the builder: four protocols, and the states that pass between them.

Lifecycle of a workspace: ``prepare`` → ``apply`` or a run → ``changes`` → ``commit``, or ``discard``
at any point. Vocabulary: a *snapshot* is committed and never changes; a *workspace* is active and is
never a parent: two types, so that confusing them does not type-check.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final, Generic, Protocol, TypeAlias, TypeVar

from builder.context.edit import Edit
from builder.image.digest import ChainID, DiffID, Digest, chained
from builder.image.image import Image
from builder.image.oci import Descriptor, Platform
from builder.image.reference import Reference
from unionfs_sim.filesystem import Filesystem

FsT = TypeVar("FsT", bound=Filesystem)
FsT_contra = TypeVar("FsT_contra", bound=Filesystem, contravariant=True)

ROOT: Final = PurePosixPath("/")

LayerStream: TypeAlias = Iterable[bytes]
"""An uncompressed, canonical layer tar in pieces; may be read once."""


class Concurrency(enum.Enum):
    """How many workspaces a snapshotter can hold at the same time."""

    MANY = "many"
    ONE = "one"


class Purpose(enum.Enum):
    """What a workspace is for: ANYTHING may happen in it (RUN), or only EDITS that are listed afterwards."""

    ANYTHING = "anything"
    EDITS = "edits"


@dataclass(frozen=True, slots=True)
class Timestamps:
    """How times enter a layer: none is later than ``latest_ns`` (SOURCE_DATE_EPOCH); None keeps them.

    >>> Timestamps(0).of(5), Timestamps(None).of(5)
    (0, 5)
    """

    latest_ns: int | None = 0

    def of(self, time_ns: int) -> int:
        """The time that the layer has for ``time_ns``."""
        return time_ns if self.latest_ns is None else min(time_ns, self.latest_ns)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A committed state: the stack of layers that it is. ``layers``: base first."""

    chain_id: ChainID | None
    layers: tuple[DiffID, ...]

    def with_layer(self, layer: DiffID) -> Snapshot:
        """The state with one layer more on top."""
        return Snapshot(chained(self.chain_id, layer), (*self.layers, layer))


EMPTY = Snapshot(None, ())


@dataclass(frozen=True, slots=True)
class Workspace(Generic[FsT]):
    """An active state: a parent and a root file system that may change."""

    parent: Snapshot
    rootfs: FsT
    key: str


class Snapshotter(Protocol[FsT]):
    """Turns stacks of layers into root file systems, and changed roots into layers.

    Law suite: ``tests/laws/test_snapshotter_laws.py``.
    """

    @property
    def concurrency(self) -> Concurrency:
        """Whether two workspaces may be open at once."""
        ...

    def view(self, snapshot: Snapshot, /, *, only: Iterable[PurePosixPath] | None = None) -> Filesystem:
        """A finished state to read from (COPY --from); unpacked when first asked for.

        ``only``: nothing but these paths (and what they lead to) will be read; they may be patterns.
        """
        ...

    def prepare(self, parent: Snapshot, /, *, purpose: Purpose = Purpose.ANYTHING) -> Workspace[FsT]:
        """A new workspace that shows ``parent``."""
        ...

    def apply(self, work: Workspace[FsT], edits: Iterable[Edit], /) -> None:
        """Make ``edits`` in the workspace, in order."""
        ...

    def changes(
        self, work: Workspace[FsT], /, *, written: Iterable[PurePosixPath] | None = None
    ) -> LayerStream:
        """What differs from the parent, as a layer tar. ``written``: only these can have changed."""
        ...

    def commit(self, work: Workspace[FsT], layer: DiffID | None, /) -> Snapshot:
        """Close the workspace; the parent with ``layer`` on top (or the parent, if nothing changed)."""
        ...

    def discard(self, work: Workspace[FsT], /) -> None:
        """Close the workspace and forget what happened in it; idempotent."""
        ...


class Network(enum.Enum):
    """What a command may reach (RUN --network)."""

    DEFAULT = "default"
    NONE = "none"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Mount:
    """Something attached to the root for one command (RUN --mount=type=bind|cache|tmpfs|secret)."""

    target: PurePosixPath
    source: Filesystem | None
    source_path: PurePosixPath = ROOT
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command to run in a root file system: words, environment and who runs it.

    ``user``: as the image config has it (name, uid, either with a group), "" for root.
    ``timeout_seconds``: None means without end.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    user: str = ""
    stdin: bytes = b""
    network: Network = Network.DEFAULT
    mounts: tuple[Mount, ...] = ()
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """How a command ended: its status as a shell sees it (128 + N for signal N)."""

    status: int


class Sink(Protocol):
    """Takes what a command prints while it runs."""

    def __call__(self, data: bytes, /) -> None:
        """Take the next piece of output."""
        ...


class Runner(Protocol[FsT_contra]):
    """Runs commands in a root file system. Law suite: ``tests/laws/test_runner_laws.py``."""

    def run(self, rootfs: FsT_contra, command: Command, /, *, output: Sink) -> Exit:
        """Run to the end; what it printed went to ``output``."""
        ...


class Fetcher(Protocol):
    """Finds the image that a reference names, with its blobs in the store."""

    def fetch(self, reference: Reference, platform: Platform, /) -> Image:
        """The image; raises UnknownImageError with what exists instead."""
        ...


class Store(Protocol):
    """Blobs by digest, and names for them. Law suite: ``tests/laws/test_store_laws.py``."""

    def put(self, blob: LayerStream, /) -> Descriptor:
        """Store the bytes; returns their digest and size. Idempotent."""
        ...

    def open(self, digest: Digest, /) -> BinaryIO:
        """The bytes; reading them to the end verifies the digest. StoreError if absent."""
        ...

    def has(self, digest: Digest, /) -> bool:
        """Whether the blob is here."""
        ...

    def tag(self, reference: Reference, manifest: Descriptor, /) -> None:
        """Let ``reference`` name ``manifest`` from now on."""
        ...

    def resolve(self, reference: Reference, /) -> Descriptor | None:
        """The manifest that ``reference`` names, or None."""
        ...


class Records(Protocol):
    """Small facts that outlive a build (what a step made, digests of files). Every store keeps some."""

    def recall(self, key: str, /) -> Mapping[str, Any] | None:
        """The JSON object that was remembered last under ``key``, or None."""
        ...

    def remember(self, key: str, record: Mapping[str, Any], /) -> None:
        """Keep ``record`` in place of what was there."""
        ...


@dataclass(frozen=True)
class Workshop(Generic[FsT]):
    """One matching set of tools; FsT ties the snapshotter to a runner that can use its roots."""

    fetcher: Fetcher
    snapshotter: Snapshotter[FsT]
    runner: Runner[FsT]
    store: Store
