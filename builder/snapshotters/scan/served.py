"""A scan of a real directory: both ends. The root is in the hands of one process beside the container.

That process is a task of the helper in the user namespace, so that owners are as they are inside; it sees the
root from outside, by descriptors, and holds what the last look found. What a layer takes is two streams: one
message, and a pipe.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from builder.context.edit import Edit
from builder.errors import BuildError
from builder.events import Listener, nobody
from builder.namespace import syscalls, unpacking, wire
from builder.namespace.channel import Channel, Message
from builder.namespace.container import OWN, Container
from builder.namespace.directories import clear
from builder.namespace.executor import SHOWN
from builder.namespace.owned import OwnedDirectory
from builder.namespace.rootfs import RootFs
from builder.namespace.stack import Ownership, Stack
from builder.namespace.userns import answer
from builder.protocols import Store, Timestamps
from builder.snapshotters.fingerprint import Mode
from builder.snapshotters.ignored import IgnoreList, default_ignored
from builder.snapshotters.ondisk import on_disk
from builder.snapshotters.scan.held import HeldSurvey
from builder.snapshotters.scan.root import Cost, ScannedTree
from builder.snapshotters.scan.snapshotter import ScanSnapshotter
from unionfs_sim.tar.header import LayerFormatError

VERB: Final = "scan"
_PIECE: Final = 1 << 20
_ROOT: Final = ".."
"""Where the root is, seen from the helper's working directory."""

_MACHINES: Final = ("/etc/hosts", "/etc/resolv.conf")
"""What the container has of the machine: mount points, which Kaniko leaves alone."""


# ---- in the helper ----


def serve(channel: Channel, message: Message, _: list[int]) -> None:
    """Do what is asked with the root, until nobody asks any more."""
    ownership = Ownership(message["ownership"])
    ignored = default_ignored(*_MACHINES, *message["ignored"])
    root = os.open(_ROOT, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    tree = ScannedTree(
        lambda: OwnedDirectory(_ROOT, ownership),
        lambda: HeldSurvey(root),
        lambda layer, place: unpacking.write(layer, _ROOT + place, ownership),
        wipe=functools.partial(_wipe, root),
        mode=Mode(message["mode"]),
        ignored=ignored,
        latest_ns=message["latest_ns"],
    )
    while (received := channel.receive()) is not None:
        question, descriptors = received
        try:
            channel.send(_done(tree, question, descriptors))
        except (BuildError, OSError, ValueError, LayerFormatError) as error:
            channel.send({"failed": wire.error_told(error)})
        finally:
            for each in descriptors:
                with contextlib.suppress(OSError):  # a stream was made of it, which closed it
                    os.close(each)


def _done(tree: ScannedTree, question: Message, descriptors: list[int]) -> Message:
    match question["do"]:
        case "take":
            with open(descriptors.pop(), "rb", buffering=0) as layer:
                tree.take(layer)
        case "fill":
            tree.fill(question["place"])
        case "look":
            return _told(tree.look())
        case "changes":
            with open(descriptors.pop(), "wb", buffering=_PIECE) as pipe:
                for piece in tree.changes(question["written"]):
                    pipe.write(piece)
            return _told(tree.cost)
        case "save":
            tree.save(question["place"], question["patterns"])
        case "set aside":
            clear(_ROOT + question["place"])
            os.mkdir(_ROOT + question["place"], 0o755)
        case "keep" | "forget" | "wipe" as verb:
            getattr(tree, verb)()
        case "clear":
            _clear(tree)
    return {}


def _told(cost: Cost | None) -> Message:
    return {"cost": None if cost is None else [cost.entries, cost.bytes_hashed]}


def _clear(tree: ScannedTree) -> None:
    """Leave nothing but what the builder needs the next time: caches and the marker."""
    tree.forget()
    names = [f"{_ROOT}/{name}" for name in os.listdir(_ROOT) if name != OWN]
    for path in (*names, *(f"{SHOWN}/{name}" for name in os.listdir(SHOWN))):
        try:
            clear(path)
        except OSError as error:
            raise BuildError(
                f"the root cannot be emptied: {error.strerror}",
                where=str(error.filename or path),
                fix="a file in there is not the build's: let who owns it remove it, or give another --root",
            ) from None


def _wipe(root: int, ignored: IgnoreList) -> None:
    """Delete everything below ``root`` that is not ignored; no path is followed, no file system is left."""
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _wipe_below(root, os.fstat(root).st_dev, "/", ignored)
    finally:
        os.fchdir(here)
        os.close(here)


def _wipe_below(root: int, device: int, path: str, ignored: IgnoreList) -> None:
    rules = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_XDEV
    directory = syscalls.openat2(root, path[1:] or ".", os.O_RDONLY | os.O_DIRECTORY, rules)
    try:
        is_ignored = ignored.inside(path)
        for name in os.listdir(directory):
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if is_ignored(name) or status.st_dev != device:
                continue
            below = f"{path.rstrip('/')}/{name}"
            if ignored.below(below) and stat.S_ISDIR(status.st_mode):
                _wipe_below(root, device, below, ignored)
                with contextlib.suppress(OSError):  # what is ignored in it stays
                    os.rmdir(name, dir_fd=directory)
                continue
            os.fchdir(directory)
            clear(name)
    finally:
        os.close(directory)


# ---- in the builder ----


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanning:
    """How to scan. ``ignored``: paths besides those that Kaniko ignores (--ignore-path)."""

    mode: Mode = Mode.FULL
    ignored: tuple[str, ...] = ()
    timestamps: Timestamps = field(default_factory=Timestamps)


class ServedRoot:
    """The root in the hands of the helper's task. Implements ``Root``.

    ``disturbed``: called before anything is asked, so that whoever looked at the root looks again.
    """

    def __init__(self, container: Container, scanning: Scanning, disturbed: Callable[[], None]) -> None:
        self._container = container
        self._scanning = scanning
        self._disturbed = disturbed
        self._channel: Channel | None = None
        self._cost: Cost | None = None

    @property
    def cost(self) -> Cost | None:
        """What looking for the last changes cost; None where nobody looked."""
        return self._cost

    def take(self, layer: BinaryIO, /) -> None:
        """Hold one layer more."""
        with on_disk(layer) as file:
            self._ask({"do": "take"}, [file.fileno()])

    def fill(self, place: str, /) -> None:
        """Let ``place`` show the layers that were taken."""
        self._ask({"do": "fill", "place": place})

    def look(self) -> Cost:
        """Look at everything, and remember it."""
        return _cost(self._ask({"do": "look"})) or Cost()

    def changes(self, written: Sequence[str] | None, /) -> Iterator[bytes]:
        """A layer tar, as it is written."""
        reads, writes = os.pipe2(os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # a smaller pipe is only slower
            fcntl.fcntl(reads, fcntl.F_SETPIPE_SZ, _PIECE)
        with open(reads, "rb", buffering=0) as pipe:
            try:
                channel = self._opened()
                channel.send({"do": "changes", "written": written}, [writes])
            finally:
                os.close(writes)
            while piece := pipe.read(_PIECE):
                yield piece
            self._cost = _cost(answer(channel))

    def keep(self) -> None:
        """What the last changes were is known from now on."""
        self._ask({"do": "keep"})

    def forget(self) -> None:
        """Nothing is known any more."""
        self._ask({"do": "forget"})

    def save(self, place: str, patterns: Sequence[str], /) -> None:
        """Copy what ``patterns`` match in the root to ``place``."""
        self._ask({"do": "save", "place": place, "patterns": list(patterns)})

    def wipe(self) -> None:
        """Delete everything that is not ignored; what runs in the container ends."""
        self._container.stop()
        self._ask({"do": "wipe"})

    def set_aside(self, place: str) -> None:
        """Let ``place`` be an empty directory."""
        self._ask({"do": "set aside", "place": place})

    def close(self) -> None:
        """Empty the root, and end the task. Idempotent."""
        if self._channel is not None:
            self._container.stop()
            try:
                self._ask({"do": "clear"})
            finally:
                self._channel.close()
                self._channel = None

    def _ask(self, question: Message, descriptors: Sequence[int] = ()) -> Message:
        channel = self._opened()
        try:
            channel.send(question, descriptors)
        except BrokenPipeError:
            pass  # it has ended, which the answer tells
        return answer(channel)

    def _opened(self) -> Channel:
        self._disturbed()
        if self._channel is None:
            message: Message = {
                "verb": VERB,
                "ownership": self._container.ownership.value,
                "mode": self._scanning.mode.value,
                "ignored": list(self._scanning.ignored),
                "latest_ns": self._scanning.timestamps.latest_ns,
            }
            self._channel = self._container.namespace.request(message)
            self._channel.send({"do": "clear"})  # a build that was killed left its root
            answer(self._channel)
        return self._channel


def _cost(message: Message) -> Cost | None:
    return None if message["cost"] is None else Cost(*message["cost"])


class ContainerSite:
    """A container as the place of a scan. Implements ``Site``."""

    def __init__(self, container: Container, scanning: Scanning) -> None:
        self._container = container
        self._rootfs: RootFs | None = None
        self._views: list[RootFs] = []
        self._served = ServedRoot(container, scanning, self._look_again)

    @property
    def root(self) -> ServedRoot:
        """What is done to the root."""
        return self._served

    @property
    def rootfs(self) -> RootFs:
        """The root as the engine sees it, and the runner's."""
        if self._rootfs is None:
            self._rootfs = self._tree("")
        return self._rootfs

    def apply(self, edits: Iterable[Edit], /) -> None:
        """Make ``edits`` in the root."""
        self.rootfs.apply(edits)

    def set_aside(self, number: int, /) -> tuple[str, RootFs]:
        """A directory that commands see as ``/kaniko/NUMBER``."""
        place = f"/{OWN}/{SHOWN}/{number}"
        self._served.set_aside(place)
        tree = self._tree(place)
        self._views.append(tree)
        return place, tree

    def close(self) -> None:
        """Empty the root and let go of the container."""
        self._look_again()
        for each in self._views:
            each.close()
        try:
            self._served.close()
        finally:
            self._container.close()

    def _tree(self, place: str) -> RootFs:
        stack = Stack(plain=_ROOT + place, ownership=self._container.ownership)
        return RootFs(self._container.namespace, stack)

    def _look_again(self) -> None:
        if self._rootfs is not None:
            self._rootfs.close()


def scanning_a_container(
    container: Container, store: Store, scanning: Scanning, *, listener: Listener = nobody
) -> ScanSnapshotter[RootFs]:
    """A snapshotter whose one root is that of ``container``."""
    ignored = default_ignored(*_MACHINES, *scanning.ignored)
    return ScanSnapshotter(ContainerSite(container, scanning), store, ignored=ignored, listener=listener)
