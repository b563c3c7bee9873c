"""A simulated process: what a program of the simulated world sees and can do.

A *program* is a Python function from a process to its exit status. Which program a file is, the
file says itself: it begins with ``PROGRAM_MAGIC`` and the program's name, as an ELF file begins with
its magic. Remove the file from the image, and the command is gone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from builder.world.machine.devices import open_path
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.vfs.posix import Posix

if TYPE_CHECKING:
    from builder.world.machine.world import World

PROGRAM_MAGIC: Final = b"\x7fSIM "
"""First bytes of an executable of the simulated world; the program's name and a newline follow."""


class Stream(Protocol):
    """What a descriptor refers to: an open file, one end of a pipe, or the caller's sink."""

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes (-1: all that will ever come); b"" at the end."""
        ...

    def write(self, data: bytes, /) -> int:
        """Write all of ``data``; BrokenPipeError when nobody will read it."""
        ...

    def close(self) -> None:
        """Release it; a second close does nothing."""
        ...


Program: TypeAlias = Callable[["Process"], int]


@dataclass(slots=True)
class Process:
    """One running command. ``fs`` acts as the process's caller and starts relative paths at ``cwd``."""

    world: World
    fs: Posix
    argv: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    fds: dict[int, Stream] = field(default_factory=dict)
    executable: str = ""
    """Path of the file that is being executed (proc(5), /proc/pid/exe); spawn fills it in."""
    pid: int = 0
    """Its number in this world; 1 is the command of the RUN instruction, as in a container."""

    @property
    def name(self) -> str:
        """The last component of argv[0], as programs print it before an error."""
        return self.argv[0].rpartition("/")[2]

    @property
    def stdin(self) -> Stream:
        """Descriptor 0."""
        return self.fds[0]

    @property
    def stdout(self) -> Stream:
        """Descriptor 1."""
        return self.fds[1]

    @property
    def stderr(self) -> Stream:
        """Descriptor 2."""
        return self.fds[2]

    def out(self, text: str) -> None:
        """Print ``text`` on descriptor 1."""
        self.fds[1].write(text.encode("utf-8", "surrogateescape"))

    def complain(self, text: str) -> None:
        """Print ``name: text`` and a newline on descriptor 2."""
        self.fds[2].write(f"{self.name}: {text}\n".encode("utf-8", "surrogateescape"))

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
        return self.world.spawn(self, argv, env=env, cwd=cwd, fds=fds, caller=caller)

    def open(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> Stream:
        """What ``path`` names, opened: as ``fs.open``, and /dev/null, /dev/stdin and their kin besides."""
        return open_path(self.fs, self.fds, path, flags, mode, check=self.world.check)
