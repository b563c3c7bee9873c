"""A simulated process: what a program of the simulated world sees and can do.

A *program* is a Python function from a process to its exit status. Which program a file is, the
file says itself: it begins with ``PROGRAM_MAGIC`` and the program's name, as an ELF file begins with
its magic. Remove the file from the image, and the command is gone.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from builder.world.machine.descriptor import CLOSED, UNHEARD, Stream, close_all, inherited
from builder.world.machine.devices import open_path
from builder.world.machine.executable import (
    DEFAULT_PATH,
    ExecError,
    Executable,
    NotExecutable,
    NotSimulated,
    locate,
    recognise,
)
from builder.world.machine.machine import Holder, Machine
from builder.world.machine.scheduler import Killed
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.vfs.posix import Posix

SIGPIPE: Final = 13
_NS_PER_PROCESS: Final = 1_000_000
"""What starting a process takes: enough that files of two commands have different times."""

Program: TypeAlias = Callable[["Process"], int]


@dataclass(slots=True)
class Process:
    """One running command. ``fs`` acts as the process's caller and starts relative paths at ``cwd``."""

    machine: Machine
    programs: Mapping[str, Program]
    fs: Posix
    argv: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    fds: dict[int, Stream] = field(default_factory=dict)
    executable: str = ""
    """Path of the file that is being executed (proc(5), /proc/pid/exe); spawn fills it in."""
    pid: int = 0
    """Its number in this world; 1 is the command of the RUN instruction, as in a container."""
    _holder: Holder | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The last component of argv[0], as programs print it before an error."""
        return self.argv[0].rpartition("/")[2]

    @property
    def stdin(self) -> Stream:
        """Descriptor 0."""
        return self.fds.get(0, CLOSED)

    @property
    def stdout(self) -> Stream:
        """Descriptor 1."""
        return self.fds.get(1, CLOSED)

    @property
    def stderr(self) -> Stream:
        """Descriptor 2."""
        return self.fds.get(2, UNHEARD)

    def out(self, text: str) -> None:
        """Print ``text`` on descriptor 1."""
        self.stdout.write(text.encode("utf-8", "surrogateescape"))

    def complain(self, text: str) -> None:
        """Print ``name: text`` and a newline on descriptor 2; nobody hears it where that is closed."""
        self.stderr.write(f"{self.name}: {text}\n".encode("utf-8", "surrogateescape"))

    def holds(self, size: int) -> None:
        """Be told how much of what the process reads it keeps as a whole; LimitError if that is too much."""
        if self._holder is None:
            if not size:
                return
            self._holder = self.machine.account_memory
        self._holder(size)

    def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        fds: Mapping[int, Stream] | None = None,
        caller: Caller | None = None,
    ) -> int:
        """Run another command to its end, by PATH as execvp(3) finds it; its exit status.

        127 if there is no such command, 126 if it cannot be executed; both are said on descriptor 2. What is
        not given is inherited.
        """
        return spawn(self, argv, env=env, cwd=cwd, fds=fds, caller=caller)

    def nearest(self, name: str) -> str:
        """`` (nearest: …)`` with the program whose name resembles ``name``, or nothing."""
        return nearest(self.programs, name)

    def open(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> Stream:
        """What ``path`` names, opened: as ``fs.open``, and /dev/null, /dev/stdin and their kin besides."""
        return open_path(self.fs, self.fds, path, flags, mode, check=self.machine.check)


def file_of(parent: Process, name: str, path: str) -> str:
    """The file that the command ``name`` is, or the bare name of a program that needs none; ExecError."""
    try:
        return locate(parent.fs, name, path)
    except ExecError:
        if parent.machine.standalone and name in parent.programs:
            return name
        raise


def spawn(
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
        path = file_of(parent, argv[0], variables.get("PATH", DEFAULT_PATH))
        return execute(parent, path, argv, env=variables, cwd=cwd, fds=fds, caller=caller)
    except ExecError as error:
        reason = "No such file or directory" if error.status == 127 else error.message
        parent.complain(f"{argv[0]}: {reason}")
        return error.status


def execute(
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
        applet = parent.machine.standalone and path in parent.programs and not fs.exists(path)
        found = Executable(path, path) if applet else recognise(fs, where, path)
    except NotExecutable:
        if not scripts:
            raise
        found = Executable("sh", path, (argv[0], path))
    program = parent.programs.get(found.program)
    if program is None:
        raise NotSimulated(nearest(parent.programs, found.program))
    parent.machine.advance(_NS_PER_PROCESS)
    words = (*found.prefix, *argv[1:]) if found.prefix else tuple(argv)
    table = inherited(parent.fds if fds is None else fds)
    pid = parent.machine.scheduler.new_pid()
    return live(
        program, Process(parent.machine, parent.programs, fs, words, dict(env), where, table, found.path, pid)
    )


def live(program: Program, process: Process) -> int:
    """Run ``program`` as ``process`` to its end; its status. Its descriptors are closed then."""
    try:
        with process.machine.scheduler.enrolled(process.pid):
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
        process.holds(0)
        close_all(process.fds)


def nearest(programs: Mapping[str, Program], name: str) -> str:
    """`` (nearest: …)`` with what resembles ``name``, or nothing."""
    similar = difflib.get_close_matches(name, sorted(programs), n=2, cutoff=0.7)
    return f" (nearest: {', '.join(similar)})" if similar else ""
