"""Runs the trees that the grammar makes: every kind of compound command (POSIX XCU 2.9.2 to 2.9.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from builder.world.shell.errors import (
    CommandFailed,
    LeaveLoop,
    NextIteration,
)
from builder.world.shell.execution.children import Children
from builder.world.shell.execution.conditional import condition_holds
from builder.world.shell.execution.redirection import Saved, redirect
from builder.world.shell.language.syntax import (
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
from builder.world.shell.language.syntax import (
    Sequence as Commands,
)
from builder.world.shell.state import TESTED


class Shell(Children):
    """One shell environment, and how it runs trees."""

    def execute(self, node: Node, flags: int = 0) -> int:
        """Run a tree; its status, which is ``$?`` then."""
        return _RUN[node.__class__](self, node, flags)

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


_RUN: Final[dict[type, Callable[[Shell, Any, int], int]]] = {
    SimpleCommand: Shell.run_simple,
    Nothing: Shell._nothing,
    Commands: Shell._sequence,
    AndOr: Shell._and_or,
    Not: Shell._not,
    Background: Shell.run_background,
    Pipeline: Shell.run_pipeline,
    Redirected: Shell._redirected,
    Subshell: Shell.run_subshell,
    Group: Shell._group,
    If: Shell._if,
    Loop: Shell._loop,
    For: Shell._for,
    Case: Shell._case,
    Function: Shell._function,
    Arithmetic: Shell._arithmetic,
    Test: Shell._test,
}
