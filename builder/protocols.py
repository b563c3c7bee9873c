r"""The seams of the builder: five protocols, and the states and commands that pass between them.

**Vocabulary.** A *snapshot* is committed: a stack of layers that never changes. A *workspace* is active: a
parent snapshot and a root file system that may change; it is never a parent, and the two are different types.
A *layer* is what a workspace changed, as a canonical tar; its *diff_id* is the digest of that tar, and the
*chain_id* of a snapshot is computed from the diff_ids of its stack. A *command* is what runs in a root; a
*process* is a command that was started. A *mount* is what a command sees beside its root and no layer holds.

**Lifecycle of a workspace.** ``prepare`` makes it; ``apply`` or any number of commands change it; ``changes``
reads what differs from the parent; ``commit`` or ``discard`` ends it, and after either its root must not be
used. ``changes`` may be asked again until then. Whoever prepares also ends: a snapshotter that is closed
discards what is still open.

**Lifecycle of a process.** ``Runner.start`` makes it, and it runs from then on, at the latest while somebody
waits: a runner that has no process to start runs the command inside ``wait``, in the thread that calls it.
``start`` or ``wait`` raises StepFailedError for a command that cannot begin (no such program, user or
directory). ``wait`` returns when the command, and all that it left running, is gone, and its output has
arrived in the sink; an interrupted ``wait`` (Ctrl-C) ends the command first. ``signal``, ``resize`` and
``exec`` may be called from other threads meanwhile. The mounts of a command are attached before it starts and
gone after ``wait``.

**Who may do what at the same time.** A store, a fetcher and a runner serve any number of threads. A
snapshotter says itself (``concurrency``) how many workspaces may be open; one workspace belongs to one
thread at a time.

A layer that comes from elsewhere is put into the store and looked at; nothing is unpacked before ``view``:

>>> from builder.snapshotters.memory import MemorySnapshotter
>>> from builder.stores.memory import MemoryStore
>>> from unionfs_sim import layer
>>> from unionfs_sim.tar.pack import pack
>>> store = MemoryStore()
>>> stored = store.put(pack(layer({"/etc/motd": "hello"})))
>>> base = EMPTY.with_layer(DiffID(stored.digest))
>>> snapshotter = MemorySnapshotter(store)
>>> snapshotter.view(base).open("/etc/motd").read()
b'hello'

A step that edits files: prepare, apply, changes, commit. The parent stays what it was:

>>> from builder.context.edit import Remove
>>> work = snapshotter.prepare(base, purpose=Purpose.EDITS)
>>> snapshotter.apply(work, [Remove("/etc/motd")])
>>> made = store.put(snapshotter.changes(work, written=[PurePosixPath("/etc/motd")]))
>>> after = snapshotter.commit(work, DiffID(made.digest))
>>> snapshotter.view(after).listdir("/etc"), snapshotter.view(base).listdir("/etc")
([], ['motd'])

A step that runs a command, and fails: what it did is discarded, and no snapshot ever knew of it:

>>> from builder.runners.simulated import SimulatedRunner
>>> from unionfs_sim.layers.layer import File
>>> def spoil(process):
...     process.fs.write_bytes("/etc/motd", b"spoiled")
...     return 3
>>> tools = store.put(pack(layer({"/bin/spoil": File("\x7fSIM spoil\n", mode=0o755)})))
>>> work = snapshotter.prepare(base.with_layer(DiffID(tools.digest)))
>>> run(SimulatedRunner({"spoil": spoil}, None), work.rootfs, Command(argv=("spoil",)), output=print)
Exit(status=3)
>>> snapshotter.discard(work)
>>> snapshotter.view(work.parent).open("/etc/motd").read()
b'hello'
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, Generic, Protocol, TypeAlias, TypeVar

from builder.context.edit import Edit
from builder.dockerfile.syntax.mount import Sharing
from builder.image.digest import ChainID, DiffID, Digest, chained
from builder.image.image import Image
from builder.image.oci import Descriptor, Platform
from builder.image.reference import Reference
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.nodes.record import Record, field

FsT = TypeVar("FsT", bound=Filesystem)
FsT_contra = TypeVar("FsT_contra", bound=Filesystem, contravariant=True)

ROOT: Final = PurePosixPath("/")

LayerStream: TypeAlias = Iterable[bytes]
"""An uncompressed, canonical layer tar in pieces; may be read once."""


class Concurrency(enum.Enum):
    """How many workspaces a snapshotter can hold at the same time."""

    MANY = "many"
    ONE = "one"


class Execution(enum.Enum):
    """What runs the commands of a build: programs of the simulated world, or processes of this machine.

    A RUN's cache key names it, so that neither is ever given the other's layer; steps without RUN share.
    """

    SIMULATED = "simulated"
    REAL = "real"


class Lifetime(enum.Enum):
    """How long a simulated command may live: a STEP of a build must end, and no real time passes meanwhile.

    A CONTAINER may serve until it is told to end, and sleeps as long as the clock on the wall says.
    """

    STEP = "step"
    CONTAINER = "container"


class Purpose(enum.Enum):
    """What a workspace is for: ANYTHING may happen in it (RUN), or only EDITS that are listed afterwards."""

    ANYTHING = "anything"
    EDITS = "edits"


class Timestamps(Record):
    """How times enter a layer: none is later than ``latest_ns`` (SOURCE_DATE_EPOCH); None keeps them.

    >>> Timestamps(0).of(5), Timestamps(None).of(5)
    (0, 5)
    """

    latest_ns: int | None = 0

    def of(self, time_ns: int) -> int:
        """The time that the layer has for ``time_ns``."""
        return time_ns if self.latest_ns is None else min(time_ns, self.latest_ns)


class Snapshot(Record):
    """A committed state: the stack of layers that it is. ``layers``: base first."""

    chain_id: ChainID | None
    layers: tuple[DiffID, ...]

    def with_layer(self, layer: DiffID) -> Snapshot:
        """The state with one layer more on top."""
        return Snapshot(chained(self.chain_id, layer), (*self.layers, layer))


EMPTY = Snapshot(None, ())


class Usage(Record):
    """What files take. ``bytes``: of the contents of regular files; ``inodes``: of every kind.

    A file with several names counts once.
    """

    bytes: int
    inodes: int


class Workspace(Record, Generic[FsT]):
    """An active state: a parent and a root file system that may change."""

    parent: Snapshot
    rootfs: FsT
    key: str


class Snapshotter(Protocol[FsT]):
    """Turns stacks of layers into root file systems, and changed roots into layers.

    Law suite: ``tests/laws/snapshotter_laws.py``.
    """

    @property
    def concurrency(self) -> Concurrency:
        """Whether two workspaces may be open at once."""
        ...

    def view(self, snapshot: Snapshot, /, *, only: Iterable[PurePosixPath] | None = None) -> Filesystem:
        """A finished state to read from (COPY --from); unpacked when first asked for.

        ``only``: nothing but these paths (and what they lead to) will be read; they may be patterns.
        What its ``open`` returns may be a real descriptor of a file that only this snapshotter can reach.
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

    def usage(self, snapshot: Snapshot, /) -> Usage:
        """What the tree of a committed state takes: all its layers merged."""
        ...

    def close(self) -> None:
        """Let go of every root; workspaces that are still open are discarded. Idempotent."""
        ...


class Network(enum.Enum):
    """What a command may reach (RUN --network)."""

    DEFAULT = "default"
    NONE = "none"
    HOST = "host"


class Bind(Record, kw_only=True):
    """Files of a committed state: the directory or file at ``path`` stands at ``target``.

    ``path`` leads through no symlink. What is written to one that is not ``read_only`` is forgotten.
    """

    target: PurePosixPath
    snapshot: Snapshot
    path: PurePosixPath = ROOT
    read_only: bool = True


class Cache(Record, kw_only=True):
    """A directory that outlives the build and is part of no image.

    ``initial``: what a new one begins with; else it is empty, with this owner and mode.
    """

    target: PurePosixPath
    id: str
    sharing: Sharing = Sharing.SHARED
    initial: tuple[Snapshot, PurePosixPath] | None = None
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    read_only: bool = False


class Tmpfs(Record, kw_only=True):
    """An empty directory that is gone with the command. ``size_bytes``: the most it takes; None: no limit."""

    target: PurePosixPath
    size_bytes: int | None = None


class Secret(Record, kw_only=True):
    """A file that only this command sees; never written to the state directory."""

    target: PurePosixPath
    content: bytes = field(repr=False)
    mode: int = 0o400
    uid: int = 0
    gid: int = 0


class Ssh(Record, kw_only=True):
    """A socket that leads to the caller's ssh agent, which listens at ``agent`` on this machine."""

    target: PurePosixPath
    agent: Path
    mode: int = 0o600
    uid: int = 0
    gid: int = 0


class HostPath(Record, kw_only=True):
    """A file or directory of this machine (``run -v``); never part of a build."""

    target: PurePosixPath
    source: Path
    read_only: bool = True


Mount: TypeAlias = Bind | Cache | Tmpfs | Secret | Ssh | HostPath
"""Something attached to the root for one command: RUN --mount, a heredoc's script, ``run -v``."""


class TerminalSize(Record):
    """How much a terminal shows, in characters."""

    columns: int
    rows: int


class Command(Record, kw_only=True):
    """One command to run in a root file system: words, environment and who runs it.

    ``user``: as the image config has it (name, uid, either with a group), "" for root.
    ``stdin``: what it reads, then the end; None: what is written to ``Process.stdin`` until that is closed.
    ``terminal``: its descriptors are a terminal of that size; None: pipes.
    ``timeout_seconds``: None means without end.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    user: str = ""
    stdin: bytes | None = b""
    network: Network = Network.DEFAULT
    mounts: tuple[Mount, ...] = ()
    terminal: TerminalSize | None = None
    timeout_seconds: float | None = None


class Exit(Record):
    """How a command ended: its status as a shell sees it (128 + N for signal N)."""

    status: int


class Sink(Protocol):
    """Takes what a command prints while it runs; called from whatever thread reads it, one call at a time."""

    def __call__(self, data: bytes, /) -> None:
        """Take the next piece of output."""
        ...


class Input(Protocol):
    """Where the input of a running command is written to."""

    def write(self, data: bytes, /) -> object:
        """Hand over all of ``data``; waits while nobody reads. BrokenPipeError if nobody ever will."""
        ...

    def close(self) -> None:
        """The end of the input; a second close does nothing."""
        ...


class Process(Protocol):
    """A command that was started. The module's docstring has its lifecycle."""

    @property
    def stdin(self) -> Input:
        """Where its input is written to, if ``Command.stdin`` was None; closed else."""
        ...

    def signal(self, number: int, /) -> None:
        """Send a signal to the command's first process; nothing if it has ended."""
        ...

    def resize(self, size: TerminalSize, /) -> None:
        """Tell the terminal its new size; nothing if the command has none or has ended."""
        ...

    def wait(self) -> Exit:
        """How it ended, as often as one asks. StepFailedError if it was cancelled or its time was over."""
        ...

    def exec(self, command: Command, /, *, output: Sink, errors: Sink | None = None) -> Process:
        """One more command in the same root, with the same mounts, beside this one.

        It has no mounts of its own.
        """
        ...


class Runner(Protocol[FsT_contra]):
    """Runs commands in a root file system. Law suite: ``tests/laws/runner_laws.py``."""

    def start(
        self, rootfs: FsT_contra, command: Command, /, *, output: Sink, errors: Sink | None = None
    ) -> Process:
        """Begin; what the command prints goes to ``output``.

        ``errors``: takes what is written to descriptor 2; None: ``output`` does, in the order of writing.
        """
        ...

    def close(self) -> None:
        """Let go of what outlives single commands (caches are kept, helpers end). Idempotent."""
        ...


def run(runner: Runner[FsT], rootfs: FsT, command: Command, /, *, output: Sink) -> Exit:
    """Start and wait: how the command ended; what it printed went to ``output``."""
    return runner.start(rootfs, command, output=output).wait()


class Fetcher(Protocol):
    """Finds the image that a reference names, with its blobs in the store."""

    def fetch(self, reference: Reference, platform: Platform, /) -> Image:
        """The image; raises UnknownImageError with what exists instead."""
        ...


class Store(Protocol):
    """Blobs by digest, and names for them. Law suite: ``tests/laws/store_laws.py``."""

    def put(self, blob: LayerStream, /, *, expected: Descriptor | None = None) -> Descriptor:
        """Store the bytes; returns their digest and size. Idempotent.

        ``expected``: StoreError if they have another size or digest, at the latest when they exceed that
        size; then nothing is stored.
        """
        ...

    def open(self, digest: Digest, /) -> BinaryIO:
        """The bytes; reading them to the end verifies the digest. StoreError if absent."""
        ...

    def find(self, digest: Digest, /) -> Descriptor | None:
        """The digest and size of a blob that is here; None if it is not."""
        ...

    def tag(self, reference: Reference, manifest: Descriptor, /) -> None:
        """Let ``reference`` name ``manifest`` from now on; StoreError if that blob is not here."""
        ...

    def resolve(self, reference: Reference, /) -> Descriptor | None:
        """The manifest that ``reference`` names, or None."""
        ...

    def lease(self) -> AbstractContextManager[object]:
        """While it lasts, no blob is collected, by nobody: not even one that nothing refers to yet."""
        ...

    def usage(self) -> Usage:
        """What all blobs take; each is one inode."""
        ...


class Records(Protocol):
    """Small facts that outlive a build (what a step made, digests of files). Every store keeps some."""

    def recall(self, key: str, /) -> Mapping[str, Any] | None:
        """The JSON object that was remembered last under ``key``, or None."""
        ...

    def remember(self, key: str, record: Mapping[str, Any], /) -> None:
        """Keep ``record`` in place of what was there."""
        ...


class Workshop(Generic[FsT]):
    """One matching set of tools; FsT ties the snapshotter to a runner that can use its roots.

    Snapshotter and runner are made when first asked for: a build of which every step is known needs neither.
    A context manager; at the end both are closed, but the store is not, which others may share.

    ``concurrency``: what the snapshotter's will be. ``execution``: what the runner's commands are.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        store: Store,
        *,
        snapshotter: Callable[[], Snapshotter[FsT]],
        runner: Callable[[Snapshotter[FsT]], Runner[FsT]],
        execution: Execution,
        concurrency: Concurrency = Concurrency.MANY,
    ) -> None:
        self.fetcher = fetcher
        self.store = store
        self.execution = execution
        self.concurrency = concurrency
        self._make_snapshotter = snapshotter
        self._make_runner = runner
        self._snapshotter: Snapshotter[FsT] | None = None
        self._runner: Runner[FsT] | None = None
        self._lock = threading.RLock()

    @property
    def snapshotter(self) -> Snapshotter[FsT]:
        """Turns layers into roots and back."""
        with self._lock:
            if self._snapshotter is None:
                self._snapshotter = self._make_snapshotter()
            return self._snapshotter

    @property
    def runner(self) -> Runner[FsT]:
        """Runs commands in the snapshotter's roots."""
        with self._lock:
            if self._runner is None:
                self._runner = self._make_runner(self.snapshotter)
            return self._runner

    def __enter__(self) -> Workshop[FsT]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was made, the runner first. Idempotent."""
        with self._lock:
            runner, self._runner = self._runner, None
            snapshotter, self._snapshotter = self._snapshotter, None
        try:
            if runner is not None:
                runner.close()
        finally:
            if snapshotter is not None:
                snapshotter.close()
