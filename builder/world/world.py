"""The simulated world: programs, and one machine on which a command runs them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from builder.world.machine.attachments import devices
from builder.world.machine.descriptor import ByteSource, SinkSource, Stream, close_all, opened
from builder.world.machine.executable import DEFAULT_PATH, locate
from builder.world.machine.limits import Limits
from builder.world.machine.machine import Machine
from builder.world.machine.mounted import MountedPosix, attached
from builder.world.machine.network import Network
from builder.world.machine.process import Process, Program, execute, nearest
from unionfs_sim.nodes.caller import ROOT, Caller, Clock
from unionfs_sim.vfs.posix import Posix

_PYTHON_FRAMES: Final = 20_000
"""A shell function that calls itself a thousand times, as dash allows, takes about ten frames a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command as a world runs it: ``cwd`` exists; ``stdin`` is all of its input."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    stdin: bytes = b""


class World:
    """Programs by name, and a machine for one command; a file system is given to each (see Machine)."""

    def __init__(
        self,
        programs: Mapping[str, Program],
        internet: Any = None,
        clock: Clock | None = None,
        *,
        limits: Limits | None = None,
        network: Network | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        pass_time: Callable[[int], int] | None = None,
    ) -> None:
        self.programs = programs
        self._has_clock = clock is not None
        self.machine = Machine(
            internet,
            clock,
            limits=limits,
            network=network,
            is_cancelled=is_cancelled,
            pass_time=pass_time,
        )

    def nearest(self, name: str) -> str:
        """`` (nearest: …)`` with what resembles ``name``, or nothing."""
        return nearest(self.programs, name)

    def run(
        self,
        root: Posix,
        job: Job,
        output: Callable[[bytes], None],
        *,
        caller: Caller = ROOT,
        stdin: Stream | None = None,
        errors: Callable[[bytes], None] | None = None,
    ) -> int:
        """Run ``job`` in ``root`` to its end; its exit status. One world runs one command at a time.

        The clock is the root's, unless the world was given one. Both descriptors 1 and 2 go to ``output``,
        or 2 to ``errors``. ``stdin``: what descriptor 0 reads, in place of the job's bytes.
        Raises ExecError if it cannot be executed, LimitError over a limit, DeadlockError if no process can go
        on, Serving if it serves and does not end, and Cancelled when ``is_cancelled`` says so.
        """
        # Interpreters of trees recurse; Python's 1000 frames would end at some eighty nested functions.
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _PYTHON_FRAMES))
        if not self._has_clock:
            self.machine.clock = root.clock
        whole = root if isinstance(root, MountedPosix) else attached(root, [devices()])
        fs = whole.counted(self.machine.account_written).acting_as(caller, cwd=job.cwd)
        sink = opened(SinkSource(output, self.machine.account_output))
        account = self.machine.account_output
        complaints = sink.duplicate() if errors is None else opened(SinkSource(errors, account))
        given = ByteSource(job.stdin) if stdin is None else stdin
        fds: dict[int, Stream] = {0: opened(given), 1: sink, 2: complaints}
        parent = Process(self.machine, self.programs, fs, ("container",), dict(job.env), job.cwd, fds)
        try:
            path = locate(fs, job.argv[0], job.env.get("PATH", DEFAULT_PATH))
            status = execute(parent, path, job.argv, env=job.env, scripts=False)
            self.machine.scheduler.finish()
            return status
        finally:
            self.machine.scheduler.shut_down()
            close_all(fds)
