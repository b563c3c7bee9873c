"""A command that runs in a sandbox. Implements ``builder.protocols.Process``."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import struct
import termios
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from builder.errors import BuildError, StepFailedError
from builder.namespace import wire
from builder.namespace.channel import Channel, Message
from builder.namespace.confinement import Confinement
from builder.namespace.rootfs import RootFs
from builder.namespace.sandbox import HOSTNAME, Attachment, Sandbox
from builder.namespace.userns import UserNamespace
from builder.protocols import Command, Exit, Network, Sink, TerminalSize

_PIECE: Final = 1 << 16
_LOOK_SECONDS: Final = 0.2
"""How long until the next look at how much a command has written."""

_PATIENCE_SECONDS: Final = 0.1
"""How long a wait lasts before it asks again whether it was cancelled."""


def sandbox_of(
    rootfs: RootFs,
    command: Command,
    attachments: tuple[Attachment, ...],
    confinement: Confinement,
    *,
    scratch: str = "",
    hostname: str = HOSTNAME,
    counts_mounts: bool = False,
) -> Sandbox:
    """The command in its root, as the helper is asked for it; see ``Sandbox``."""
    terminal = command.terminal
    return Sandbox(
        stack=rootfs.stack.told(),
        scratch=scratch,
        argv=command.argv,
        env=dict(command.env),
        cwd=command.cwd,
        user=command.user,
        network=command.network is not Network.NONE,
        hostname=hostname,
        attachments=attachments,
        limits=dict(confinement.limits),
        no_new_privileges=confinement.no_new_privileges,
        terminal=None if terminal is None else (terminal.rows, terminal.columns),
        counts_mounts=counts_mounts,
    )


class PipeInput:
    """The writing end of a command's input. Implements ``builder.protocols.Input``."""

    def __init__(self, descriptor: int = -1) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes, /) -> None:
        """Hand over all of ``data``; waits for room. EPIPE if nobody reads any more."""
        rest = memoryview(data)
        while rest:
            if self._descriptor < 0:
                raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
            rest = rest[os.write(self._descriptor, rest) :]

    def close(self) -> None:
        """The end of the input; a second close does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def become(self, descriptor: int) -> None:
        """From now on write there: a terminal's master end, which only exists once the command does."""
        self.close()
        self._descriptor = descriptor


class Streams:
    """The ends of a command's streams: ``inner`` go to the sandbox, the others stay here.

    ``sinks``: which sink takes what is read from which descriptor.
    """

    def __init__(self, command: Command, output: Sink, errors: Sink | None) -> None:
        self.stdin = PipeInput()
        self.output = output
        self.sinks: dict[int, Sink] = {}
        self.inner: list[int] = []
        if command.terminal is not None:
            return
        self.inner.append(self._stdin(command.stdin))
        first = self._pipe(output)
        self.inner += [first, first if errors is None else self._pipe(errors)]

    def _stdin(self, content: bytes | None) -> int:
        if content is None:
            reads, writes = os.pipe2(os.O_CLOEXEC)
            self.stdin = PipeInput(writes)
            return reads
        if not content:
            return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        descriptor = os.memfd_create("stdin")
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def _pipe(self, sink: Sink) -> int:
        reads, writes = os.pipe2(os.O_CLOEXEC)
        self.sinks[reads] = sink
        return writes

    def terminal(self, master: int) -> None:
        """The command has a terminal, and this is its other end."""
        self.sinks[master] = self.output
        self.stdin.become(os.dup(master))

    def read(self, descriptor: int) -> bool:
        """Give the next piece to its sink; False at the end, when the descriptor is closed."""
        try:
            piece = os.read(descriptor, _PIECE)
        except OSError as error:
            if error.errno != errno.EIO:  # a terminal that nobody has open any more
                raise
            piece = b""
        if piece:
            self.sinks[descriptor](piece)
            return True
        del self.sinks[descriptor]
        os.close(descriptor)
        return False

    def close_inner(self) -> None:
        """Let go of what only the sandbox is to have; idempotent."""
        for descriptor in set(self.inner):
            os.close(descriptor)
        self.inner.clear()

    def close(self) -> None:
        """Let go of everything; idempotent."""
        self.close_inner()
        self.stdin.close()
        for descriptor in self.sinks:
            os.close(descriptor)
        self.sinks.clear()


class Growth:
    """How much a command has added to its root, asked for now and then, because looking takes time."""

    def __init__(
        self, namespace: UserNamespace, upper: str, limit_bytes: int, seconds: Callable[[], float]
    ) -> None:
        self._namespace = namespace
        self._upper = upper
        self._limit = limit_bytes
        self._seconds = seconds
        self._next = seconds()

    def exceeded(self, *, now: bool = False) -> StepFailedError | None:
        """The error if it is too much. ``now``: look, however short ago that was."""
        began = self._seconds()
        if began < self._next and not now:
            return None
        found = self._namespace.ask({"verb": "measure", "path": self._upper})["bytes"]
        # At most a tenth of the time is spent on looking.
        self._next = self._seconds() + max(_LOOK_SECONDS, 9 * (self._seconds() - began))
        if found <= self._limit:
            return None
        return StepFailedError(
            f"the command added more than {self._limit} bytes to its root",
            fix="if it needs them, --limit-upper allows more",
            exit_status=1,
        )


class RootlessProcess:
    """One running command; ``resources``: what is let go of when it has ended."""

    def __init__(
        self,
        namespace: UserNamespace,
        sandbox: Sandbox,
        channel: Channel,
        streams: Streams,
        resources: ExitStack,
        *,
        timeout_seconds: float | None,
        is_cancelled: Callable[[], bool],
        seconds: Callable[[], float],
        growth: Growth | None = None,
        mounted: Callable[[int], None] | None = None,
    ) -> None:
        self._namespace = namespace
        self._growth = growth
        self._mounted = mounted
        self._sandbox = sandbox
        self._channel = channel
        self._streams = streams
        self._resources = resources
        self._timeout = timeout_seconds
        self._is_cancelled = is_cancelled
        self._seconds = seconds
        self._deadline = None if timeout_seconds is None else seconds() + timeout_seconds
        self._terminal = -1
        self._size: tuple[int, int] | None = None
        self._failure: Message | None = None
        self._outcome: Exit | BaseException | None = None
        self._turn = threading.Lock()
        self._early: int | None = None
        received = channel.receive()
        self._pidfd = -1
        if received is not None:
            message, descriptors = received
            if "started" in message:
                self._pidfd = descriptors[0]
                resources.callback(os.close, self._pidfd)
            else:
                self._early = self._take(message, descriptors)

    @property
    def stdin(self) -> PipeInput:
        """Where the input is written to, if the command does not bring it along."""
        return self._streams.stdin

    @property
    def namespace(self) -> UserNamespace:
        """The user namespace that it runs in."""
        return self._namespace

    @property
    def has_terminal(self) -> bool:
        """Whether its streams are a terminal."""
        return self._sandbox.terminal is not None

    @property
    def pidfd(self) -> int:
        """A descriptor that refers to the command's first process (pidfd_open(2))."""
        return self._pidfd

    def signal(self, number: int, /) -> None:
        """Send a signal to the first process; nothing if it has ended.

        A signal other than SIGKILL that it does not handle does nothing: it is process 1 of a pid namespace.
        """
        if self._outcome is None and self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError, OSError):
                signal.pidfd_send_signal(self._pidfd, number)

    def resize(self, size: TerminalSize, /) -> None:
        """Tell the terminal its new size; nothing if there is none."""
        self._size = (size.rows, size.columns)
        if self._terminal >= 0 and self._outcome is None:
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *self._size, 0, 0))

    def wait(self) -> Exit:
        """Pass on what it prints until it has ended, with everything that it started; how it ended."""
        with self._turn:
            if self._outcome is None:
                try:
                    self._outcome = self._run()
                except BaseException as error:
                    self._outcome = error
                finally:
                    self._resources.close()
            if isinstance(self._outcome, Exit):
                return self._outcome
            raise self._outcome

    def exec(self, command: Command, /, *, output: Sink, errors: Sink | None = None) -> RootlessProcess:
        """One more command in the same sandbox."""
        terminal = None if command.terminal is None else (command.terminal.rows, command.terminal.columns)
        sandbox = replace(
            self._sandbox,
            argv=command.argv,
            env=dict(command.env),
            cwd=command.cwd,
            user=command.user,
            attachments=(),
            terminal=terminal,
        )
        with ExitStack() as stack:
            streams = Streams(command, output, errors)
            stack.callback(streams.close)
            message = {**sandbox.told(), "verb": "exec"}
            channel = self._namespace.request(message, [self._pidfd, *streams.inner])
            stack.callback(channel.close)
            streams.close_inner()
            return RootlessProcess(
                self._namespace,
                sandbox,
                channel,
                streams,
                stack.pop_all(),
                timeout_seconds=command.timeout_seconds,
                is_cancelled=self._is_cancelled,
                seconds=self._seconds,
            )

    def _run(self) -> Exit:
        stopped: StepFailedError | None = None
        try:
            status = self._early
            while status is None or self._streams.sinks:
                stopped = stopped or self._stopped()
                status = self._step(status)
        except BaseException:
            self.signal(signal.SIGKILL)
            raise
        if self._failure is not None:
            raise _refused(wire.error_of(self._failure))
        if stopped is None and self._growth is not None:
            stopped = self._growth.exceeded(now=True)
        if stopped is not None:
            raise stopped
        return Exit(status if status >= 0 else 128 - status)

    def _stopped(self) -> StepFailedError | None:
        """Why the command is killed now; None if it may go on."""
        if self._is_cancelled():
            stopped = StepFailedError("the command was cancelled", exit_status=130)
        elif self._deadline is not None and self._seconds() >= self._deadline:
            stopped = StepFailedError(
                f"the command did not end within {self._timeout:g} s",
                fix="does it end? If it only needs longer, give --timeout more seconds",
                exit_status=124,
            )
        else:
            grown = None if self._growth is None else self._growth.exceeded()
            if grown is None:
                return None
            stopped = grown
        self.signal(signal.SIGKILL)
        return stopped

    def _step(self, status: int | None) -> int | None:
        """Wait for the next output or message; the status of the command once it has ended."""
        waiting = [*self._streams.sinks, *([self._channel.fileno()] if status is None else [])]
        patience = _PATIENCE_SECONDS
        if self._deadline is not None:
            patience = min(patience, max(self._deadline - self._seconds(), 0.001))
        poll = select.poll()
        for each in waiting:
            poll.register(each, select.POLLIN)
        for descriptor, _ in poll.poll(patience * 1000):
            if descriptor in self._streams.sinks:
                if not self._streams.read(descriptor) and descriptor == self._terminal:
                    self._terminal = -1
                continue
            received = self._channel.receive()
            if received is None:
                raise BuildError("the helper in the user namespace has ended amid a command")
            status = self._take(*received)
        return status

    def _take(self, message: Message, descriptors: list[int]) -> int | None:
        """Understand a message about the command; its status if it has ended."""
        if "failed" in message:
            self._failure = message["failed"]
            return 127 if self._pidfd < 0 else None
        if "mounts" in message:
            if self._mounted is not None:
                self._mounted(message["mounts"])
            return None
        if "terminal" in message:
            self._terminal = descriptors[0]
            self._streams.terminal(self._terminal)
            if self._size is not None:
                self.resize(TerminalSize(self._size[1], self._size[0]))
            return None
        if "started" in message:
            self._pidfd = descriptors[0]
            self._resources.callback(os.close, self._pidfd)
            return None
        return int(message["exited"])


def _refused(error: Exception) -> Exception:
    """An error of the sandbox itself, told apart from what the command did."""
    if isinstance(error, OSError):
        where = None if error.filename is None else str(error.filename)
        return BuildError(
            f"the sandbox of the command cannot be made: {error.strerror}",
            where=where,
            fix="`layerlab doctor` says what this machine lacks",
        )
    return error
