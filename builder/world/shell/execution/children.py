"""Shells within shells: subshells, substitutions, pipelines and what runs in the background."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from builder.world.machine.descriptor import Collector, close_all, opened
from builder.world.machine.devices import Null
from builder.world.machine.pipe import pipe
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
from builder.world.shell.execution.texts import run_exit_trap
from builder.world.shell.language.syntax import Background, Node, Pipeline, Subshell
from builder.world.shell.state import Shell

_BROKEN_PIPE: Final = 141


def fork(shell: Shell, *, pid: int | None = None) -> Shell:
    """A subshell: a copy of the environment, with descriptors that it must close at its end."""
    process = shell.copied_process(shell.process.pid if pid is None else pid)
    twin = type(shell)(
        process, shell.dialect, shell.variables.copy(), name=shell.name, positional=shell.positional
    )
    shell.copy_into(twin)
    return twin


def run_to_end(shell: Shell, body: Callable[[], int]) -> int:
    """Run ``body`` as a whole shell: its errors end it, its EXIT trap runs, its descriptors close."""
    try:
        try:
            return run_exit_trap(shell, _outcome(shell, body))
        except BrokenPipeError:
            return _BROKEN_PIPE
    finally:
        shell.variables.release()
        close_all(shell.fds)


def _outcome(shell: Shell, body: Callable[[], int]) -> int:
    try:
        body()
        return shell.status
    except ExitShell as ended:
        if not ended.run_traps:
            shell.traps.clear()
        return ended.status
    except (LeaveLoop, NextIteration):
        return 0
    except ReturnFromFunction as returned:
        return returned.status
    except ShellSyntaxError as error:
        shell.complain(_worded(error.message, shell.dialect), line=error.line)
        return 2
    except (ShellError, CommandFailed) as error:
        shell.complain(error.message)
        return error.status
    except RecursionError:
        shell.complain("nested too deeply")
        return 2


def run_child(shell: Shell, body: Callable[[], int]) -> int:
    """As ``run_to_end``, for a process of its own that signals can be sent to."""
    with shell.machine.scheduler.enrolled(shell.process.pid, shell.receive):
        return shell.run_to_end(body)


def output_of(shell: Shell, body: Node, /) -> str:
    """What the commands print, without the newlines at its end (command substitution)."""
    twin = shell.fork()
    collector = Collector(shell.machine.account_captured)
    old = twin.fds.pop(1, None)
    if old is not None:
        old.close()
    twin.fds[1] = opened(collector)
    shell.substitution_status = twin.run_to_end(partial(twin.execute, body))
    text = b"".join(collector.pieces).replace(b"\0", b"").rstrip(b"\n")
    return text.decode("utf-8", "surrogateescape")


def _replace(shell: Shell, number: int, stream: Any) -> None:
    """Let a descriptor of this shell refer to ``stream``; what it referred to is closed."""
    old = shell.fds.pop(number, None)
    if old is not None:
        old.close()
    shell.fds[number] = stream


def run_subshell(shell: Shell, node: Subshell, flags: int) -> int:
    """``( … )``: in this thread, as a shell of its own."""
    twin = shell.fork()
    return shell.finish(twin.run_to_end(partial(twin.execute, node.body, flags)), flags)


def run_background(shell: Shell, node: Background, flags: int) -> int:  # noqa: ARG001
    """``command &``: beside this shell; its input is empty."""
    pid = shell.machine.scheduler.new_pid()
    twin = shell.fork(pid=pid)
    _replace(twin, 0, opened(Null()))
    task = shell.machine.start(partial(run_child, twin, partial(twin.execute, node.command)), pid=pid)
    shell.jobs.append(task)
    shell.last_background = pid
    shell.status = 0
    return 0


def run_pipeline(shell: Shell, node: Pipeline, flags: int) -> int:
    """Each command as a process; the status of the last, or (pipefail) of the last that failed."""
    scheduler = shell.machine.scheduler
    tasks = []
    reader = None
    for command in node.commands[:-1]:
        following, writer = pipe(scheduler, shell.machine.account_memory)
        pid = scheduler.new_pid()
        twin = shell.fork(pid=pid)
        if reader is not None:
            _replace(twin, 0, reader)
        _replace(twin, 1, writer)
        reader = following
        tasks.append(
            shell.machine.start(partial(run_child, twin, partial(twin.execute, command, flags)), pid=pid)
        )
    last = shell.fork(pid=scheduler.new_pid())
    _replace(last, 0, reader)
    # In order of their place: what the first prints on standard error comes first.
    scheduler.let_others_run()
    status = run_child(last, partial(last.execute, node.commands[-1], flags))
    scheduler.block(lambda: all(task.done for task in tasks))
    if "pipefail" in shell.options and status == 0:
        status = next((task.status for task in reversed(tasks) if task.status), 0)
    shell.line = node.line
    return shell.finish(status, flags)


def _worded(message: str, dialect: Dialect) -> str:
    """A syntax error as ash and bash word it; the grammar words it as dash does."""
    if dialect is Dialect.DASH:
        return message
    message = message.replace("Syntax error: ", "syntax error: ")
    return re.sub(r"(.*error: )(.*) unexpected", r"\1unexpected \2", message)
