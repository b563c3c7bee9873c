"""Shells within shells: subshells, substitutions, pipelines and what runs in the background."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from builder.world.machine.descriptor import Collector, close_all, opened
from builder.world.machine.devices import Null
from builder.world.machine.pipe import pipe
from builder.world.machine.process import Process
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import (
    CommandFailed,
    ExitShell,
    LeaveLoop,
    NextIteration,
    ReturnFromFunction,
    ShellError,
    ShellSyntaxError,
)
from builder.world.shell.execution.traps import Traps
from builder.world.shell.expansion.expander import Expander
from builder.world.shell.expansion.variables import Variables
from builder.world.shell.language.syntax import Background, Node, Pipeline, Subshell

if TYPE_CHECKING:
    from typing import Self

_BROKEN_PIPE: Final = 141


class Children(Traps):
    """The part of a shell that makes other shells."""

    def __init__(
        self,
        process: Process,
        dialect: Dialect,
        variables: Variables,
        *,
        name: str,
        positional: Sequence[str],
    ) -> None:
        super().__init__(process, dialect, variables, name=name, positional=positional)
        self.expander = Expander(self)
        self.builtin_flags = 0
        """The flags of the builtin that runs: eval hands them on."""

    # ---- subshells ------------------------------------------------------------------------------

    def fork(self, *, pid: int | None = None) -> Self:
        """A subshell: a copy of the environment, with descriptors that it must close at its end."""
        process = self.copied_process(self.process.pid if pid is None else pid)
        twin = type(self)(
            process, self.dialect, self.variables.copy(), name=self.name, positional=self.positional
        )
        self.copy_into(twin)
        return twin

    def run_to_end(self, body: Callable[[], int]) -> int:
        """Run ``body`` as a whole shell: its errors end it, its EXIT trap runs, its descriptors close."""
        try:
            try:
                return self.run_exit_trap(self._outcome(body))
            except BrokenPipeError:
                return _BROKEN_PIPE
        finally:
            close_all(self.fds)

    def _outcome(self, body: Callable[[], int]) -> int:
        try:
            body()
            return self.status
        except ExitShell as ended:
            if not ended.run_traps:
                self.traps.clear()
            return ended.status
        except (LeaveLoop, NextIteration):
            return 0
        except ReturnFromFunction as returned:
            return returned.status
        except ShellSyntaxError as error:
            self.complain(_worded(error.message, self.dialect), line=error.line)
            return 2
        except (ShellError, CommandFailed) as error:
            self.complain(error.message)
            return error.status
        except RecursionError:
            self.complain("nested too deeply")
            return 2

    def run_child(self, body: Callable[[], int]) -> int:
        """As ``run_to_end``, for a process of its own that signals can be sent to."""
        with self.world.scheduler.enrolled(self.process.pid, self.receive):
            return self.run_to_end(body)

    def output_of(self, body: Node, /) -> str:
        """What the commands print, without the newlines at its end (command substitution)."""
        twin = self.fork()
        collector = Collector(self.world.account_captured)
        old = twin.fds.pop(1, None)
        if old is not None:
            old.close()
        twin.fds[1] = opened(collector)
        self.substitution_status = twin.run_to_end(partial(twin.execute, body))
        text = b"".join(collector.pieces).replace(b"\0", b"").rstrip(b"\n")
        return text.decode("utf-8", "surrogateescape")

    def replace(self, number: int, stream: Any) -> None:
        """Let a descriptor of this shell refer to ``stream``; what it referred to is closed."""
        old = self.fds.pop(number, None)
        if old is not None:
            old.close()
        self.fds[number] = stream

    # ---- processes beside and below ------------------------------------------------------------

    def run_subshell(self, node: Subshell, flags: int) -> int:
        """``( … )``: in this thread, as a shell of its own."""
        twin = self.fork()
        return self.finish(twin.run_to_end(partial(twin.execute, node.body, flags)), flags)

    def run_background(self, node: Background, flags: int) -> int:  # noqa: ARG002
        """``command &``: beside this shell; its input is empty."""
        pid = self.world.scheduler.new_pid()
        twin = self.fork(pid=pid)
        twin.replace(0, opened(Null()))
        task = self.world.start(partial(twin.run_child, partial(twin.execute, node.command)), pid=pid)
        self.jobs.append(task)
        self.last_background = pid
        self.status = 0
        return 0

    def run_pipeline(self, node: Pipeline, flags: int) -> int:
        """Each command as a process; the status of the last, or (pipefail) of the last that failed."""
        scheduler = self.world.scheduler
        tasks = []
        reader = None
        for command in node.commands[:-1]:
            following, writer = pipe(scheduler)
            pid = scheduler.new_pid()
            twin = self.fork(pid=pid)
            if reader is not None:
                twin.replace(0, reader)
            twin.replace(1, writer)
            reader = following
            tasks.append(
                self.world.start(partial(twin.run_child, partial(twin.execute, command, flags)), pid=pid)
            )
        last = self.fork(pid=scheduler.new_pid())
        last.replace(0, reader)
        # In order of their place: what the first prints on standard error comes first.
        scheduler.let_others_run()
        status = last.run_child(partial(last.execute, node.commands[-1], flags))
        scheduler.block(lambda: all(task.done for task in tasks))
        if "pipefail" in self.options and status == 0:
            status = next((task.status for task in reversed(tasks) if task.status), 0)
        self.line = node.line
        return self.finish(status, flags)


def _worded(message: str, dialect: Dialect) -> str:
    """A syntax error as ash and bash word it; the grammar words it as dash does."""
    if dialect is Dialect.DASH:
        return message
    message = message.replace("Syntax error: ", "syntax error: ")
    return re.sub(r"(.*error: )(.*) unexpected", r"\1unexpected \2", message)
