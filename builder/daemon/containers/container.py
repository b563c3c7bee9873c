"""One container: created, running, exited, removed. All of this happens in the loop; work is done aside."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from builder.daemon.containers.attachment import Attachment
from builder.daemon.containers.input import Feed
from builder.daemon.containers.log import ERR, OUT, Log
from builder.daemon.containers.machinery import Machinery, Published, Running
from builder.daemon.containers.spec import Spec
from builder.daemon.http.errors import ApiError, BadRequest, Conflict, NotFound
from builder.daemon.images import Kept
from builder.daemon.threads import aside, from_thread
from builder.errors import BuildError, StepFailedError
from builder.protocols import Command, Process, Sink, TerminalSize, Workspace

_NEVER: Final = "0001-01-01T00:00:00Z"
_SECOND_NS: Final = 1_000_000_000
_TERMINAL: Final = TerminalSize(80, 24)
_FAILED: Final = 128
_EXECUTIONS: Final = 256
"""How many further commands are remembered; those that have ended are forgotten first."""


@dataclass(slots=True)
class State:
    """Where a container is in its life (Engine API, "ContainerState"). Times: 0 for never."""

    status: str = "created"
    exit_code: int = 0
    error: str = ""
    started_ns: int = 0
    finished_ns: int = 0

    @property
    def is_running(self) -> bool:
        """Whether its command runs."""
        return self.status == "running"

    def document(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            "Status": self.status,
            "Running": self.is_running,
            "Paused": False,
            "Restarting": False,
            "OOMKilled": False,
            "Dead": False,
            "Pid": 1 if self.is_running else 0,
            "ExitCode": self.exit_code,
            "Error": self.error,
            "StartedAt": moment(self.started_ns),
            "FinishedAt": moment(self.finished_ns),
        }

    def told(self, now_ns: int) -> str:
        """How a list says it: ``Up 3 seconds``, ``Exited (0) 5 minutes ago``."""
        match self.status:
            case "running":
                return f"Up {_ago(now_ns - self.started_ns)}"
            case "exited":
                return f"Exited ({self.exit_code}) {_ago(now_ns - self.finished_ns)} ago"
        return self.status.capitalize()


class House(Protocol):
    """What a container needs of the daemon that it belongs to."""

    @property
    def machinery(self) -> Machinery:
        """What makes it run."""
        ...

    @property
    def now_ns(self) -> Callable[[], int]:
        """The time."""
        ...

    def tell(self, container: Container, action: str, **attributes: str) -> None:
        """Let others know what happened to it."""
        ...

    def forget(self, container: Container) -> None:
        """It is removed."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something to its end, whoever waits for it or does no longer."""
        ...


@dataclass(slots=True)
class Execution:
    """One more command in a container (Engine API, "ExecInspect"). ``exit_code``: None until it has ended."""

    id: str
    command: Command
    shown: Mapping[str, Any]
    feed: Feed
    exit_code: int | None = None
    is_started: bool = False
    process: Process | None = field(default=None, repr=False)


class Container:
    """One container of one daemon."""

    def __init__(self, house: House, id_: str, name: str, spec: Spec, kept: Kept) -> None:
        self.id = id_
        self.name = name
        self.spec = spec
        self.kept = kept
        self.created_ns = house.now_ns()
        self.state = State()
        self.log = Log()
        self.executions: dict[str, Execution] = {}
        self.exits = 0
        self.is_removed = False
        self._house = house
        self._loop = asyncio.get_running_loop()
        self._changing = asyncio.Lock()
        self._changed = asyncio.Event()
        self._work: Workspace[Any] | None = None
        self._running: Running | None = None
        self._attachments: list[Attachment] = []
        self._size = _TERMINAL
        self.feed = Feed(ends_with_client=spec.input_ends_with_client)

    # ---- its life ----

    async def start(self) -> None:
        """Let its command begin, and return when it has. ApiError 304 if it runs already."""
        await asyncio.shield(self._house.spawn(self._start()))

    async def _start(self) -> None:
        async with self._changing:
            if self.is_removed:
                raise NotFound(f"No such container: {self.name}")
            if self.state.is_running:
                raise ApiError(304, "")
            machinery = self._house.machinery
            self.log.begin()
            try:
                if self._work is None:
                    self._work = await aside(lambda: machinery.prepare(self.kept.manifest))
                work = self._work
                errors = None if self.spec.has_terminal else self._sink(ERR)
                command, ports = self._command(), self.spec.ports
                running = await aside(lambda: machinery.start(work, command, ports, self._sink(OUT), errors))
            except BuildError as error:
                await self._not_started(error)
                raise ApiError(*_start_error(error)) from None
            self._running = running
            self.state = State("running", started_ns=self._house.now_ns())
            self.feed.lead_to(running.process.stdin)
            self._house.tell(self, "start")
            self._house.spawn(self._until_it_ends(running))
            self._wake()

    async def _not_started(self, error: BuildError) -> None:
        code = error.exit_status if isinstance(error, StepFailedError) else None
        self.state = State("created", exit_code=code or _FAILED, error=str(error))
        self.exits += 1
        await self._quiet()
        if self.spec.removes_itself:
            await self._vanish()
        self._wake()

    async def _until_it_ends(self, running: Running) -> None:
        error = ""
        try:
            code = (await asyncio.wrap_future(running.outcome)).status
        except StepFailedError as failure:
            code, error = failure.exit_status or _FAILED, str(failure)
        except Exception as failure:
            code, error = _FAILED, str(failure)
        if error:
            await self._printed(ERR, f"{error}\n".encode())
        for execution in self.executions.values():
            if execution.process is not None and execution.exit_code is None:
                execution.process.signal(signal.SIGKILL)
        async with self._changing:
            self._running = None
            self.state = State("exited", code, error, self.state.started_ns, self._house.now_ns())
            self.exits += 1
            self.feed = Feed(ends_with_client=self.spec.input_ends_with_client)
            await self._quiet()
            self._house.tell(self, "die", exitCode=str(code))
            if self.spec.removes_itself:
                await self._vanish()
            self._wake()

    async def signal(self, number: int) -> None:
        """Send its command a signal. Conflict if none runs; one that starts is waited for."""
        async with self._changing:
            if self._running is None:
                raise Conflict(f"Container {self.id} is not running")
            self._running.process.signal(number)
            self._house.tell(self, "kill", signal=str(number))

    async def stop(self, seconds: int | None, number: int | None) -> None:
        """End its command: by its signal, and for sure after some seconds. ApiError 304 if none runs."""
        async with self._changing:
            running, before = self._running, self.exits
            if running is None:
                raise ApiError(304, "")
            running.process.signal(number or self.spec.stop_signal)
        patience = self.spec.stop_seconds if seconds is None else seconds
        try:
            async with asyncio.timeout(None if patience < 0 else patience):
                await self._exited(before)
        except TimeoutError:
            running.process.signal(signal.SIGKILL)
            await self._exited(before)
        self._house.tell(self, "stop")

    async def _exited(self, before: int) -> None:
        while self.exits == before:
            await self._changed.wait()

    async def wait(self, condition: str) -> tuple[int, str]:
        """Its exit status and what went wrong, once ``condition`` holds (Engine API, "ContainerWait")."""
        before = self.exits
        match condition:
            case "" | "not-running":
                while self.state.is_running:
                    await self._changed.wait()
            case "next-exit":
                await self._exited(before)
            case "removed":
                while not self.is_removed:
                    await self._changed.wait()
            case _:
                raise BadRequest(f"invalid condition: {condition!r:.50}")
        return self.state.exit_code, self.state.error

    async def remove(self, *, force: bool) -> None:
        """Take it away with its files. Conflict if it runs and ``force`` is not given."""
        if self.state.is_running and not force:
            raise Conflict(
                f"cannot remove container {self.name!r}: container is running: stop the container before "
                "removing or force remove"
            )
        await asyncio.shield(self._house.spawn(self._remove()))

    async def _remove(self) -> None:
        while not self.is_removed:
            async with self._changing:
                running, before = self._running, self.exits
                if running is None:
                    if not self.is_removed:
                        await self._vanish()
                        self._wake()
                    return
                running.process.signal(signal.SIGKILL)
            await self._exited(before)

    async def _vanish(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            try:
                await aside(lambda: self._house.machinery.discard(work))
            except (BuildError, OSError) as error:
                self.state.error = str(error)
        self.is_removed = True
        self.feed.abandon()
        self._house.forget(self)
        self._house.tell(self, "destroy")

    # ---- what it prints and reads ----

    def _sink(self, stream: int) -> Sink:
        def take(data: bytes) -> None:
            from_thread(self._loop, self._printed(stream, data))

        return take

    async def _printed(self, stream: int, data: bytes) -> None:
        self.log.add(stream, data, self._house.now_ns())
        for attachment in tuple(self._attachments):
            await attachment.put(stream, data)
            if attachment.is_left:
                self._attachments.remove(attachment)

    async def _quiet(self) -> None:
        self.log.end()
        attachments, self._attachments = self._attachments, []
        for attachment in attachments:
            await attachment.end()

    @asynccontextmanager
    async def attached(self, streams: frozenset[int]) -> AsyncIterator[Attachment]:
        """A look at what it prints from now on, until it ends."""
        attachment = Attachment(streams, is_raw=self.spec.has_terminal)
        self._attachments.append(attachment)
        self._house.tell(self, "attach")
        try:
            yield attachment
        finally:
            attachment.is_left = True
            if attachment in self._attachments:
                self._attachments.remove(attachment)

    def resize(self, size: TerminalSize) -> None:
        """Tell its terminal a new size, now or when it starts."""
        self._size = size
        if self._running is not None:
            self._running.process.resize(size)

    # ---- more commands in it ----

    def execution(self, id_: str, command: Command, shown: Mapping[str, Any], *, ends: bool) -> Execution:
        """A further command, not yet begun. Conflict if the container does not run."""
        if self._running is None:
            raise Conflict(f"container {self.id} is not running")
        while len(self.executions) >= _EXECUTIONS:
            ended = next((each for each in self.executions.values() if each.exit_code is not None), None)
            if ended is None:
                raise Conflict(f"container {self.id} runs {_EXECUTIONS} commands already")
            del self.executions[ended.id]
        made = self.executions[id_] = Execution(id_, command, shown, Feed(ends_with_client=ends))
        return made

    async def execute(self, execution: Execution, attachment: Attachment | None) -> None:
        """Let a further command begin, and return when it has ended; ``attachment`` sees what it prints."""
        running = self._running
        if running is None:
            raise Conflict(f"container {self.id} is not running")
        if execution.is_started:
            raise Conflict(f"exec command {execution.id} has already run")
        execution.is_started = True
        await asyncio.shield(self._house.spawn(self._execute(execution, attachment, running.process)))

    async def _execute(self, execution: Execution, attachment: Attachment | None, process: Process) -> None:
        def sink(stream: int) -> Sink:
            def take(data: bytes) -> None:
                if attachment is not None:
                    from_thread(self._loop, attachment.put(stream, data))

            return take

        has_terminal = execution.command.terminal is not None
        errors = None if has_terminal else sink(ERR)
        try:
            beside = await aside(lambda: process.exec(execution.command, output=sink(OUT), errors=errors))
            execution.process = beside
            execution.feed.lead_to(beside.stdin)
            execution.exit_code = (await aside(beside.wait)).status
        except (BuildError, OSError) as error:
            status = error.exit_status if isinstance(error, StepFailedError) else None
            execution.exit_code = status or _FAILED - 2
            if attachment is not None:
                await attachment.put(ERR, f"{error}\r\n".encode())
        finally:
            execution.feed.abandon()
            if attachment is not None:
                await attachment.end()

    # ---- how it is shown ----

    @property
    def ports(self) -> tuple[Published, ...]:
        """Where its ports are reached while it runs."""
        return () if self._running is None else self._running.ports

    @property
    def work(self) -> Workspace[Any] | None:
        """Its root, once it was started."""
        return self._work

    @property
    def running(self) -> Running | None:
        """Its command, while it runs."""
        return self._running

    async def prepared(self) -> Workspace[Any]:
        """Its root, made if it was not started yet."""
        async with self._changing:
            if self._work is None:
                self._work = await aside(lambda: self._house.machinery.prepare(self.kept.manifest))
            return self._work

    def _command(self) -> Command:
        spec = self.spec
        return Command(
            argv=spec.argv,
            env={"HOSTNAME": self.id[:12], **spec.env},
            cwd=spec.cwd,
            user=spec.user,
            stdin=None if spec.takes_input else b"",
            network=spec.network,
            terminal=self._size if spec.has_terminal else None,
        )

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _start_error(error: BuildError) -> tuple[int, str]:
    """Status and message of a start that failed; the client finds its own exit status in the words."""
    status = 400 if isinstance(error, StepFailedError) else 500
    return status, f"failed to start the container: {error}"


def moment(time_ns: int) -> str:
    """A time as the API writes it."""
    if not time_ns:
        return _NEVER
    seconds, rest = divmod(time_ns, _SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC).strftime('%Y-%m-%dT%H:%M:%S')}.{rest:09}Z"


def _ago(time_ns: int) -> str:
    """How long ago something was, in the largest unit that fits.

    >>> _ago(5 * 10**9), _ago(3600 * 10**9)
    ('5 seconds', '1 hour')
    """
    seconds = max(time_ns // _SECOND_NS, 0)
    if seconds < 1:
        return "Less than a second"
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    raise AssertionError(seconds)
