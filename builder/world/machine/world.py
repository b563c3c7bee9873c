"""The simulated world: which programs exist, what can be reached, what time it is, and who runs."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from builder.errors import StepFailedError
from builder.world.machine.attachments import devices
from builder.world.machine.descriptor import ByteSource, SinkSource, close_all, inherited, opened
from builder.world.machine.executable import (
    DEFAULT_PATH,
    ExecError,
    Executable,
    NotExecutable,
    locate,
    recognise,
)
from builder.world.machine.mounted import MountedPosix, attached
from builder.world.machine.network import Network, Serving
from builder.world.machine.process import Process, Program, Stream
from builder.world.machine.scheduler import Killed, Scheduler, Task
from unionfs_sim.nodes.caller import ROOT, Caller, Clock, TickingClock
from unionfs_sim.vfs.posix import Posix

if TYPE_CHECKING:
    from builder.protocols import Command, Sink

SIGPIPE: Final = 13
_NS_PER_PROCESS: Final = 1_000_000
"""What starting a process takes: enough that files of two commands have different times."""
_PYTHON_FRAMES: Final = 20_000
"""A shell function that calls itself a thousand times, as dash allows, takes about ten frames a call."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one command may use up before it is stopped with a clear error."""

    output_bytes: int = 64 * 1024 * 1024
    captured_bytes: int = 256 * 1024 * 1024
    """Of all command substitutions together."""


class World:
    """One machine: a file system is given to each process; all else that a program can see is here.

    ``internet`` answers requests for URLs; ``network`` holds the listeners of this machine. ``clock`` is
    moved by ``sleep`` if it is a TickingClock; else the world keeps its own distance to it.
    """

    def __init__(
        self,
        programs: Mapping[str, Program],
        internet: Any = None,
        clock: Clock | None = None,
        *,
        limits: Limits | None = None,
        network: Network | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.programs = programs
        self.internet = internet
        self._has_clock = clock is not None
        self.clock = clock if clock is not None else TickingClock()
        self.limits = limits if limits is not None else Limits()
        self.network = network if network is not None else Network()
        self._ahead_ns = 0
        self._printed = 0
        self._captured = 0
        self.scheduler = Scheduler(now=self.now_ns, advance=self._advance, is_cancelled=is_cancelled)

    # ---- time -----------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """The time of this world, in nanoseconds since the epoch."""
        return self.clock() + self._ahead_ns

    def _advance(self, nanoseconds: int) -> None:
        if isinstance(self.clock, TickingClock):
            self.clock.now_ns += nanoseconds
        else:
            self._ahead_ns += nanoseconds

    def sleep(self, seconds: float) -> None:
        """Let time pass for the calling process; no real time does."""
        self.scheduler.sleep(int(seconds * 1_000_000_000))

    def check(self) -> None:
        """Give a long computation the chance to be stopped by a signal, Ctrl-C or a timeout."""
        self.scheduler.check()

    # ---- limits ---------------------------------------------------------------------------------

    def account_output(self, size: int) -> None:
        """Count what was printed; StepFailedError over the limit."""
        self.scheduler.check()
        self._printed += size
        if self._printed > self.limits.output_bytes:
            raise StepFailedError(
                f"the command printed more than {self.limits.output_bytes >> 20} MiB",
                fix="does it end? Let it print less, or into a file",
            )

    def account_captured(self, size: int) -> None:
        """Count what command substitutions hold; StepFailedError over the limit."""
        self.scheduler.check()
        self._captured += size
        if self._captured > self.limits.captured_bytes:
            raise StepFailedError(
                f"command substitutions hold more than {self.limits.captured_bytes >> 20} MiB",
                fix="does the command between $( and ) end? Let it write to a file",
            )

    # ---- processes ------------------------------------------------------------------------------

    def spawn(
        self,
        parent: Process,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        fds: Mapping[int, Stream] | None = None,
        caller: Caller | None = None,
    ) -> int:
        """Run a command to its end for ``parent``; its exit status (see Process.spawn)."""
        variables = parent.env if env is None else env
        try:
            path = locate(parent.fs, argv[0], variables.get("PATH", DEFAULT_PATH))
            return self.execute(parent, path, argv, env=variables, cwd=cwd, fds=fds, caller=caller)
        except ExecError as error:
            reason = "No such file or directory" if error.status == 127 else error.message
            parent.complain(f"{argv[0]}: {reason}")
            return error.status

    def execute(
        self,
        parent: Process,
        path: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str | None = None,
        fds: Mapping[int, Stream] | None = None,
        caller: Caller | None = None,
        scripts: bool = True,
    ) -> int:
        """Run the file at ``path`` to its end; raises ExecError if it cannot be executed.

        ``scripts``: a text without ``#!`` is read by the shell, as execvp(3) and shells have it.
        """
        where = parent.cwd if cwd is None else cwd
        fs = parent.fs
        if cwd is not None or caller is not None:
            fs = fs.acting_as(fs.caller if caller is None else caller, cwd=where)
        try:
            found = recognise(fs, where, path)
        except NotExecutable:
            if not scripts:
                raise
            found = Executable("sh", path, (argv[0], path))
        program = self.programs.get(found.program)
        if program is None:
            raise ExecError(
                f"the program {found.program!r} is not simulated{self.nearest(found.program)}", 126
            )
        self._advance(_NS_PER_PROCESS)
        words = (*found.prefix, *argv[1:]) if found.prefix else tuple(argv)
        table = inherited(parent.fds if fds is None else fds)
        pid = self.scheduler.new_pid()
        return self.live(program, Process(self, fs, words, dict(env), where, table, found.path, pid))

    def live(self, program: Program, process: Process) -> int:
        """Run ``program`` as ``process`` to its end; its status. Its descriptors are closed then."""
        try:
            with self.scheduler.enrolled(process.pid):
                return program(process)
        except BrokenPipeError:
            return 128 + SIGPIPE
        except OSError as error:
            reason = error.strerror or str(error)
            where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
            with suppress(OSError):
                process.complain(where + reason)
            return 1
        except Killed as killed:
            if killed.pid != process.pid:
                raise
            return 128 + killed.signal
        finally:
            close_all(process.fds)

    def start(self, body: Callable[[], int], *, pid: int) -> Task:
        """Begin a process beside the others. A server that it becomes goes on until it is killed."""

        def guarded() -> int:
            try:
                return body()
            except Serving as serving:
                try:
                    self.scheduler.block(lambda: False)
                finally:
                    for port in serving.ports:
                        self.network.close(port)
                return 0

        return self.scheduler.start(guarded, pid=pid)

    def nearest(self, name: str) -> str:
        """`` (nearest: …)`` with what resembles ``name``, or nothing."""
        similar = difflib.get_close_matches(name, sorted(self.programs), n=2, cutoff=0.7)
        return f" (nearest: {', '.join(similar)})" if similar else ""

    # ---- the whole --------------------------------------------------------------------------------

    def run(self, root: Posix, command: Command, output: Sink, *, caller: Caller = ROOT) -> int:
        """Run ``command`` in ``root`` to its end; its exit status. One world runs one command at a time.

        The clock is the root's, unless the world was given one. Both descriptors 1 and 2 go to ``output``.
        Raises ExecError if it cannot be executed, StepFailedError over a limit, Serving if it serves and does
        not end, and Cancelled when ``is_cancelled`` says so.
        """
        # Interpreters of trees recurse; Python's 1000 frames would end at some eighty nested functions.
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _PYTHON_FRAMES))
        if not self._has_clock:
            self.clock = root.clock
        if not isinstance(root, MountedPosix):
            root = attached(root, [devices()])
        fs = root.acting_as(caller, cwd=command.cwd)
        sink = opened(SinkSource(output, self.account_output))
        fds: dict[int, Stream] = {0: opened(ByteSource(command.stdin)), 1: sink, 2: sink.duplicate()}
        parent = Process(self, fs, ("container",), dict(command.env), command.cwd, fds)
        try:
            path = locate(fs, command.argv[0], command.env.get("PATH", DEFAULT_PATH))
            status = self.execute(parent, path, command.argv, env=command.env, scripts=False)
            self.scheduler.finish()
            return status
        finally:
            self.scheduler.shut_down()
            close_all(fds)
