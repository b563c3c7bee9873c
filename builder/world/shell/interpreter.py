"""Runs the trees that the grammar makes: every kind of compound command (POSIX XCU 2.9.2 to 2.9.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from builder.world.descriptor import Collector, close_all, opened
from builder.world.devices import Null
from builder.world.pipe import pipe
from builder.world.process import Process
from builder.world.shell.conditional import condition_holds
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
from builder.world.shell.expansion import Expander
from builder.world.shell.redirection import Saved, redirect
from builder.world.shell.state import TESTED
from builder.world.shell.syntax import (
    AndOr,
    Arithmetic,
    Background,
    Case,
    For,
    Function,
    Group,
    If,
    Loop,
    Node,
    Not,
    Nothing,
    Pipeline,
    Redirected,
    SimpleCommand,
    Subshell,
    Test,
)
from builder.world.shell.syntax import (
    Sequence as Commands,
)
from builder.world.shell.traps import Traps
from builder.world.shell.variables import Variables

_BROKEN_PIPE: Final = 141


class Shell(Traps):
    """One shell environment, and how it runs trees."""

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

    def execute(self, node: Node, flags: int = 0) -> int:
        """Run a tree; its status, which is ``$?`` then."""
        return _RUN[node.__class__](self, node, flags)

    # ---- subshells ------------------------------------------------------------------------------

    def fork(self, *, pid: int | None = None) -> Shell:
        """A subshell: a copy of the environment, with descriptors that it must close at its end."""
        process = self.copied_process(self.process.pid if pid is None else pid)
        twin = Shell(process, self.dialect, self.variables.copy(), name=self.name, positional=self.positional)
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

    # ---- lists ----------------------------------------------------------------------------------

    def _nothing(self, node: Nothing, flags: int) -> int:  # noqa: ARG002
        self.status = 0
        return 0

    def _sequence(self, node: Commands, flags: int) -> int:
        status = 0
        for command in node.commands:
            status = _RUN[command.__class__](self, command, flags)
        return status

    def _and_or(self, node: AndOr, flags: int) -> int:
        last = len(node.rest) - 1
        status = self.execute(node.first, TESTED)
        for index, (operator, command) in enumerate(node.rest):
            if (status == 0) == (operator == "&&"):
                status = self.execute(command, flags if index == last else TESTED)
        return status

    def _not(self, node: Not, flags: int) -> int:  # noqa: ARG002
        self.status = int(self.execute(node.command, TESTED) == 0)
        return self.status

    def _background(self, node: Background, flags: int) -> int:  # noqa: ARG002
        pid = self.world.scheduler.new_pid()
        twin = self.fork(pid=pid)
        twin.replace(0, opened(Null()))
        task = self.world.start(partial(twin.run_child, partial(twin.execute, node.command)), pid=pid)
        self.jobs.append(task)
        self.last_background = pid
        self.status = 0
        return 0

    def replace(self, number: int, stream: Any) -> None:
        """Let a descriptor of this shell refer to ``stream``; what it referred to is closed."""
        old = self.fds.pop(number, None)
        if old is not None:
            old.close()
        self.fds[number] = stream

    def _pipeline(self, node: Pipeline, flags: int) -> int:
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

    # ---- compound commands --------------------------------------------------------------------

    def _redirected(self, node: Redirected, flags: int) -> int:
        self.line = node.line
        saved = Saved(self.fds)
        try:
            try:
                redirect(self, node.redirections, saved)
            except CommandFailed as failure:
                self.complain(failure.message)
                return self.finish(failure.status, flags)
            return self.execute(node.command, flags)
        finally:
            saved.restore()

    def _subshell(self, node: Subshell, flags: int) -> int:
        twin = self.fork()
        return self.finish(twin.run_to_end(partial(twin.execute, node.body, flags)), flags)

    def _group(self, node: Group, flags: int) -> int:
        return self.execute(node.body, flags)

    def _if(self, node: If, flags: int) -> int:
        for condition, body in node.arms:
            if self.execute(condition, TESTED) == 0:
                return self.execute(body, flags)
        if node.otherwise is not None:
            return self.execute(node.otherwise, flags)
        self.status = 0
        return 0

    def _loop(self, node: Loop, flags: int) -> int:
        status = 0
        self.loop_depth += 1
        try:
            while True:
                try:
                    if (self.execute(node.condition, TESTED) == 0) == node.negated:
                        break
                    status = self.execute(node.body, flags)
                except LeaveLoop as leaving:
                    status = self._left(leaving)
                    break
                except NextIteration as following:
                    status = self._left(following)
        finally:
            self.loop_depth -= 1
        self.status = status
        return status

    def _for(self, node: For, flags: int) -> int:
        self.line = node.line
        values = list(self.positional) if node.words is None else self.expander.fields(node.words)
        status = 0
        self.loop_depth += 1
        try:
            for value in values:
                self.world.scheduler.check()
                self.variables.set(node.name, value)
                try:
                    status = self.execute(node.body, flags)
                except LeaveLoop as leaving:
                    status = self._left(leaving)
                    break
                except NextIteration as following:
                    status = self._left(following)
        finally:
            self.loop_depth -= 1
        self.status = status
        return status

    @staticmethod
    def _left(leaving: LeaveLoop | NextIteration) -> int:
        """Status 0 if this is the loop that is meant; else raise it again for the loop around."""
        if leaving.levels > 1:
            leaving.levels -= 1
            raise leaving
        return 0

    def _case(self, node: Case, flags: int) -> int:
        self.line = node.line
        subject = self.expander.text(node.subject)
        status, falls_through = 0, False
        self.substitution_status = None
        for arm in node.arms:
            if not falls_through and not any(self.expander.matches(word, subject) for word in arm.patterns):
                continue
            status = self.execute(arm.body, flags)
            if arm.ending == ";;":
                break
            falls_through = arm.ending == ";&"
        self.status = status
        return status

    def _function(self, node: Function, flags: int) -> int:  # noqa: ARG002
        self.functions[node.name] = node.body
        self.status = 0
        return 0

    # ---- what dash does not have --------------------------------------------------------------

    def _arithmetic(self, node: Arithmetic, flags: int) -> int:
        self.line = node.line
        return self.finish(int(self.expander.arithmetic(node.parts) == 0), flags)

    def _test(self, node: Test, flags: int) -> int:
        self.line = node.line
        try:
            status = int(
                not condition_holds(node.condition, self.expander, self.fs, self.variables, self.dialect)
            )
        except CommandFailed as failure:
            self.complain(failure.message)
            status = failure.status
        return self.finish(status, flags)


def _worded(message: str, dialect: Dialect) -> str:
    """A syntax error as ash and bash word it; the grammar words it as dash does."""
    if dialect is Dialect.DASH:
        return message
    message = message.replace("Syntax error: ", "syntax error: ")
    return re.sub(r"(.*error: )(.*) unexpected", r"\1unexpected \2", message)


_RUN: Final[dict[type, Callable[[Shell, Any, int], int]]] = {
    SimpleCommand: Shell.run_simple,
    Nothing: Shell._nothing,
    Commands: Shell._sequence,
    AndOr: Shell._and_or,
    Not: Shell._not,
    Background: Shell._background,
    Pipeline: Shell._pipeline,
    Redirected: Shell._redirected,
    Subshell: Shell._subshell,
    Group: Shell._group,
    If: Shell._if,
    Loop: Shell._loop,
    For: Shell._for,
    Case: Shell._case,
    Function: Shell._function,
    Arithmetic: Shell._arithmetic,
    Test: Shell._test,
}
