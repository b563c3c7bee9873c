"""Which file a command is, and what kind of executable (execve(2), execvp(3))."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Final

from unionfs_sim.nodes.caller import ROOT
from unionfs_sim.vfs.posix import Posix

PROGRAM_MAGIC: Final = b"\x7fSIM "
"""First bytes of an executable of the simulated world; the program's name and a newline follow."""
DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ELSEWHERE: Final = "a real build can run it (--strategy rootless)"
"""What to do about a program that nothing here simulates."""
_HEAD: Final = 4096
_MOST_INTERPRETERS: Final = 4


class ExecError(Exception):
    """A command that cannot be executed; ``status`` is what a shell makes of it (127 or 126)."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class NotSimulated(ExecError):
    """A program of the image that nothing here can run; 127, as if it were not there."""

    def __init__(self, resembling: str) -> None:
        super().__init__(f"not simulated{resembling}: {ELSEWHERE}", 127)


class RealProgram(ExecError):
    """ENOEXEC: a file that a processor would run, and nothing here can."""


class NotExecutable(ExecError):
    """ENOEXEC: a file without a magic that is text, which a shell would read as a script."""


@dataclass(frozen=True, slots=True)
class Executable:
    """The program that runs, the file that holds it, and the words put before the arguments by ``#!``."""

    program: str
    path: str
    prefix: tuple[str, ...] = ()


def locate(fs: Posix, name: str, path: str) -> str:
    """The path of the command ``name``: as it is if it has a slash, else the first fit in ``path``."""
    if "/" in name:
        return name
    refused = False
    for directory in path.split(":"):
        candidate = f"{directory}/{name}" if directory else name
        try:
            mode = fs.stat(candidate).st_mode
        except (OSError, ValueError):
            continue
        if not stat.S_ISREG(mode):
            continue
        if mode & 0o111 and fs.access(candidate, os.X_OK):
            return candidate
        refused = True
    if refused:
        raise ExecError("Permission denied", 126)
    raise ExecError("not found", 127)


def recognise(fs: Posix, cwd: str, path: str, *, depth: int = 0) -> Executable:
    """What the file at ``path`` is; raises ExecError as execve(2) fails.

    The kernel reads it, so the caller needs permission to execute, and none to read.
    """
    try:
        mode = fs.stat(path).st_mode
        if not stat.S_ISREG(mode) or not mode & 0o111 or not fs.access(path, os.X_OK):
            raise ExecError("Permission denied", 126)
        absolute = path if path.startswith("/") else f"{cwd.rstrip('/')}/{path}"
        with fs.acting_as(ROOT).open(absolute) as file:
            head = file.read(_HEAD)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise ExecError("not found", 127) from None
    except OSError as error:
        raise ExecError(error.strerror or str(error), 126) from None
    if head.startswith(PROGRAM_MAGIC):
        name = head[len(PROGRAM_MAGIC) :].partition(b"\n")[0].split(b"\0")[0].strip()
        return Executable(name.decode("utf-8", "replace"), path)
    if head.startswith(b"#!"):
        return _interpreted(fs, cwd, path, head, depth)
    if b"\0" in head.partition(b"\n")[0]:
        raise RealProgram("Exec format error", 126)
    raise NotExecutable("Exec format error", 126)


def _interpreted(fs: Posix, cwd: str, path: str, head: bytes, depth: int) -> Executable:
    """``#!interpreter [one argument]``: the interpreter runs, and is told the path (execve(2))."""
    words = head[2:].partition(b"\n")[0].strip(b" \t").decode("utf-8", "surrogateescape").split(None, 1)
    if not words:
        raise NotExecutable("Exec format error", 126)
    if depth >= _MOST_INTERPRETERS:
        raise ExecError("Too many levels of symbolic links", 126)
    inner = recognise(fs, cwd, words[0], depth=depth + 1)
    argument = (words[1].rstrip(),) if len(words) > 1 else ()
    return Executable(inner.program, inner.path, (*(inner.prefix or (words[0],)), *argument, path))
