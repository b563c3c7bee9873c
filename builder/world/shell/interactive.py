"""A shell that is typed into: one line after the other, with the variables and the directory of the last."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Final

from builder.world.machine.descriptor import ByteSource, SinkSource, Stream, opened
from builder.world.machine.executable import DEFAULT_PATH
from builder.world.machine.limits import Limits
from builder.world.machine.machine import Machine
from builder.world.machine.network import Serving
from builder.world.machine.process import Process, Program
from builder.world.machine.scheduler import Cancelled, Killed
from builder.world.machine.stopped import StoppedError
from builder.world.shell.builtins import BUILTINS
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import (
    ExitShell,
    LeaveLoop,
    NextIteration,
    ReturnFromFunction,
    ShellError,
    ShellSyntaxError,
)
from builder.world.shell.program import new_shell
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.vfs.posix import Posix

_PYTHON_FRAMES: Final = 20_000
_CTRL_C: Final = 130


class Leave(Exception):
    """``exit``: whoever types wants to leave, with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class InteractiveShell:
    """One shell of busybox's kind on ``root``, whose output goes to ``output``.

    Programs need no file: as in busybox's standalone shell, a name that PATH does not have is an applet.
    """

    def __init__(
        self,
        root: Posix,
        programs: Mapping[str, Program],
        output: Callable[[bytes], None],
        *,
        limits: Limits | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._root = root
        self._programs = programs
        self._machine = Machine(clock=root.clock, limits=limits, is_cancelled=is_cancelled, standalone=True)
        sink = opened(SinkSource(output, self._machine.account_output))
        fds: dict[int, Stream] = {0: opened(ByteSource(b"")), 1: sink, 2: sink.duplicate()}
        env = {"PATH": DEFAULT_PATH, "HOME": "/", "USER": "root"}
        process = Process(self._machine, programs, root, ("sh",), env, "/", fds, pid=1)
        self._shell = new_shell(process, Dialect.ASH)

    @property
    def cwd(self) -> str:
        """The working directory."""
        return self._shell.process.cwd

    @property
    def caller(self) -> Caller:
        """Who acts."""
        return self._shell.fs.caller

    def become(self, caller: Caller) -> None:
        """Let somebody else act from here on; OSError if the working directory is closed to them."""
        self._shell.process.fs = self._root.acting_as(caller, cwd=self.cwd)

    def run(self, line: str) -> int:
        """Run what was typed; the status of its last command. What goes wrong is printed.

        Raises Leave for ``exit``.
        """
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _PYTHON_FRAMES))
        shell = self._shell
        self._machine.begin()
        try:
            with self._machine.scheduler.enrolled(1, shell.receive):
                shell.status = shell.run_text(line)
        except ExitShell as ended:
            raise Leave(ended.status) from None
        except (LeaveLoop, NextIteration, ReturnFromFunction):
            shell.status = 0
        except ShellSyntaxError as error:
            self._complain(f"syntax error: {error.message}", 2)
        except ShellError as error:
            self._complain(error.message, error.status)
        except StoppedError as error:
            self._complain(error.message, 1)
        except Serving as serving:
            self._complain(str(serving), 1)
        except Killed as killed:
            self._complain("terminated", 128 + killed.signal)
        except Cancelled:
            self._complain("interrupted", _CTRL_C)
        finally:
            self._machine.scheduler.shut_down()
        return shell.status

    def words(self) -> list[str]:
        """The names of commands: builtins, functions and programs, sorted."""
        builtins = (name for name in BUILTINS if self._shell.builtin(name))
        return sorted({*builtins, *self._shell.functions, *self._programs})

    def names_in(self, directory: str) -> list[str]:
        """What a directory holds for this shell, directories with a slash; nothing if it cannot be read."""
        fs = self._shell.fs
        try:
            names = fs.listdir(directory or ".")
        except OSError:
            return []
        stem = f"{directory.rstrip('/')}/" if directory else ""
        return sorted(f"{name}/" if fs.exists(f"{stem}{name}/.") else name for name in names)

    def _complain(self, message: str, status: int) -> None:
        self._shell.say(f"sh: {message}\n", 2)
        self._shell.status = status
