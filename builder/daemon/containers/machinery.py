"""How containers come to life: the tools of the daemon's strategy, opened when the first one starts."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from builder.daemon.containers.spec import Binding
from builder.errors import BuildError
from builder.image.image import Image
from builder.image.oci import Descriptor
from builder.image.reference import Reference
from builder.protocols import Command, Exit, Lifetime, Process, Sink, Snapshot, Workshop, Workspace
from builder.stores.cachemounts import RecordingStore
from builder.strategies.definition import Settings
from builder.strategies.strategy import Strategy
from unionfs_sim.filesystem import Filesystem

_THIS_IMAGE: Final = Reference.parse("the-image-of-a-container")
_PATIENCE_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.002


class Closing(Protocol):
    """A port that leads inside."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it is on this machine."""
        ...

    def close(self) -> None:
        """Let it lead nowhere."""
        ...


@dataclass(frozen=True, slots=True)
class Published:
    """A port of a running container, and where it can be reached."""

    inner: int
    address: str
    outer: int


@dataclass(frozen=True, slots=True)
class Running:
    """A command that was started as a container. ``outcome``: how it ends; its ports are closed then."""

    process: Process
    outcome: Future[Exit]
    ports: tuple[Published, ...] = ()


class Machinery:
    """The tools; safe for threads. ``is_ending``: asked often, and once it is true every container ends."""

    def __init__(
        self, strategy: Strategy, store: RecordingStore, settings: Settings, is_ending: Callable[[], bool]
    ) -> None:
        self._strategy = strategy
        self._store = store
        self._settings = settings
        self._is_ending = is_ending
        self._lock = threading.Lock()
        self._workshop: Workshop[Any] | None = None

    def prepare(self, manifest: Descriptor) -> Workspace[Any]:
        """A root for a container of the image at ``manifest``."""
        from builder.stores.fetcher import LocalFetcher
        from builder.strategies.simulated import catalogue, edition

        named = {_THIS_IMAGE: manifest}
        platform = Image.load(self._store, manifest).platform
        image = LocalFetcher(self._store, catalogue, named, edition=edition).fetch(_THIS_IMAGE, platform)
        return self._tools().snapshotter.prepare(Snapshot(image.chain_id, image.diff_ids))

    def start(
        self,
        work: Workspace[Any],
        command: Command,
        bindings: Sequence[Binding],
        output: Sink,
        errors: Sink | None,
    ) -> Running:
        """Begin; returns once the command runs, or has ended. BuildError if it cannot be started."""
        process = self._tools().runner.start(work.rootfs, command, output=output, errors=errors)
        closing = _Closing()
        running = Running(process, Future())
        threading.Thread(target=_wait, args=(running, closing), daemon=True).start()
        try:
            _begun(running)
            ports = tuple(self._publish(process, binding, closing) for binding in bindings)
        except BaseException:
            process.signal(signal.SIGKILL)
            wait([running.outcome], _PATIENCE_SECONDS)
            closing.close()
            raise
        return replace(running, ports=ports)

    def discard(self, work: Workspace[Any]) -> None:
        """Remove a root."""
        self._tools().snapshotter.discard(work)

    @contextmanager
    def looking(self, work: Workspace[Any], running: Running | None) -> Iterator[Filesystem]:
        """The files of a container, to be read; a command in memory waits meanwhile."""
        from builder.namespace.rootfs import RootFs
        from builder.namespace.stack import Stack
        from builder.runners.simulated import SimulatedProcess

        root = work.rootfs
        if isinstance(root, RootFs):
            # As one more lower: a second mount with the same upper would be the kernel's undefined behaviour.
            upper = root.stack.upper
            assert upper is not None
            seen = RootFs(root.namespace, Stack((*root.stack.lowers, upper), ownership=root.stack.ownership))
            with contextlib.closing(seen):
                yield seen
        elif running is not None and isinstance(running.process, SimulatedProcess):
            with running.process.inside.turns.held():
                yield root
        else:
            yield root

    def close(self) -> None:
        """End what runs, and let go of the tools."""
        with self._lock:
            if self._workshop is not None:
                self._workshop.close()
                self._workshop = None

    def _tools(self) -> Workshop[Any]:
        with self._lock:
            if self._is_ending():
                raise BuildError("the daemon is ending")
            if self._workshop is None:
                self._workshop = self._strategy.definition.tools(self._store, self._settings).workshop
            return self._workshop

    def _publish(self, process: Process, binding: Binding, closing: _Closing) -> Published:
        from builder.runners.rootless.ports import Inside
        from builder.runners.rootless.ports import Published as Relayed
        from builder.runners.rootless.process import RootlessProcess
        from builder.runners.simulated import SimulatedProcess
        from builder.runners.simulated_ports import SimulatedPort

        outer = (binding.address, binding.outer)
        port: Closing
        match process:
            case SimulatedProcess():
                port = SimulatedPort(process, outer, binding.inner)
            case RootlessProcess():
                inside = Inside(process.namespace, process.pidfd)
                closing.add(inside.close)
                port = Relayed(inside, outer, binding.inner)
            case _:
                raise BuildError("the ports of such a process cannot be published")
        closing.add(port.close)
        return Published(binding.inner, *port.address)


def settings_of(state_dir: Any, is_ending: Callable[[], bool]) -> Settings:
    """What the tools of containers are told."""
    return Settings(state_dir=state_dir, is_stopped=is_ending, lifetime=Lifetime.CONTAINER)


class _Closing:
    """What is closed when a command ends; what is added afterwards is closed at once. Safe for threads."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._is_closed = False

    def add(self, close: Callable[[], None]) -> None:
        """Call ``close`` at the end."""
        with self._lock:
            if not self._is_closed:
                self._stack.callback(close)
                return
        close()

    def close(self) -> None:
        """The end; idempotent."""
        with self._lock:
            self._is_closed = True
        self._stack.close()


def _wait(running: Running, closing: _Closing) -> None:
    try:
        ended = running.process.wait()
    except BaseException as error:  # it is raised where the outcome is asked for
        closing.close()
        running.outcome.set_exception(error)
    else:
        closing.close()
        running.outcome.set_result(ended)


def _begun(running: Running) -> None:
    """Return when the command runs or has ended; raise why it could not begin."""
    from builder.runners.rootless.process import RootlessProcess
    from builder.runners.simulated import SimulatedProcess

    match running.process:
        case SimulatedProcess() as simulated:
            simulated.began.wait()
            if simulated.has_ended:
                wait([running.outcome])
        case RootlessProcess() as real:
            while not running.outcome.done() and not _is_executed(real.pidfd):
                wait([running.outcome], _PAUSE_SECONDS)
    if running.outcome.done() and isinstance(running.outcome.exception(), BuildError):
        running.outcome.result()


def _is_executed(pidfd: int) -> bool:
    """Whether the process has become its command: until then it is a copy of this one, arguments included."""
    try:
        with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as told:
            pid = next(line.split()[1] for line in told if line.startswith("Pid:"))
        with open(f"/proc/{pid}/cmdline", "rb") as there, open("/proc/self/cmdline", "rb") as here:
            return there.read() != here.read()
    except (OSError, StopIteration):
        return True  # it is gone, or hidden: there is nothing more to wait for
