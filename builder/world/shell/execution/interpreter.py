"""Runs the trees that the grammar makes: every kind of compound command (POSIX XCU 2.9.2 to 2.9.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from builder.world.shell.errors import (
    CommandFailed,
    LeaveLoop,
    NextIteration,
)
from builder.world.shell.execution import children, simple, texts
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
from builder.world.shell.state import TESTED, Shell


def _nothing(shell: Shell, node: Nothing, flags: int) -> int:  # noqa: ARG001
    shell.status = 0
    return 0


def _sequence(shell: Shell, node: Commands, flags: int) -> int:
    status = 0
    for command in node.commands:
        status = _RUN[command.__class__](shell, command, flags)
    return status


def _and_or(shell: Shell, node: AndOr, flags: int) -> int:
    last = len(node.rest) - 1
    status = shell.execute(node.first, TESTED)
    for index, (operator, command) in enumerate(node.rest):
        if (status == 0) == (operator == "&&"):
            status = shell.execute(command, flags if index == last else TESTED)
    return status


def _not(shell: Shell, node: Not, flags: int) -> int:  # noqa: ARG001
    shell.status = int(shell.execute(node.command, TESTED) == 0)
    return shell.status


def _redirected(shell: Shell, node: Redirected, flags: int) -> int:
    shell.line = node.line
    saved = Saved(shell.fds)
    try:
        try:
            redirect(shell, node.redirections, saved)
        except CommandFailed as failure:
            shell.complain(failure.message)
            return shell.finish(failure.status, flags)
        return shell.execute(node.command, flags)
    finally:
        saved.restore()


def _group(shell: Shell, node: Group, flags: int) -> int:
    return shell.execute(node.body, flags)


def _if(shell: Shell, node: If, flags: int) -> int:
    for condition, body in node.arms:
        if shell.execute(condition, TESTED) == 0:
            return shell.execute(body, flags)
    if node.otherwise is not None:
        return shell.execute(node.otherwise, flags)
    shell.status = 0
    return 0


def _loop(shell: Shell, node: Loop, flags: int) -> int:
    status = 0
    shell.loop_depth += 1
    try:
        while True:
            try:
                if (shell.execute(node.condition, TESTED) == 0) == node.negated:
                    break
                status = shell.execute(node.body, flags)
            except LeaveLoop as leaving:
                status = _left(leaving)
                break
            except NextIteration as following:
                status = _left(following)
    finally:
        shell.loop_depth -= 1
    shell.status = status
    return status


def _for(shell: Shell, node: For, flags: int) -> int:
    shell.line = node.line
    values = list(shell.positional) if node.words is None else shell.expander.fields(node.words)
    status = 0
    shell.loop_depth += 1
    try:
        for value in values:
            shell.machine.scheduler.check()
            shell.variables.set(node.name, value)
            try:
                status = shell.execute(node.body, flags)
            except LeaveLoop as leaving:
                status = _left(leaving)
                break
            except NextIteration as following:
                status = _left(following)
    finally:
        shell.loop_depth -= 1
    shell.status = status
    return status


def _left(leaving: LeaveLoop | NextIteration) -> int:
    """Status 0 if this is the loop that is meant; else raise it again for the loop around."""
    if leaving.levels > 1:
        leaving.levels -= 1
        raise leaving
    return 0


def _case(shell: Shell, node: Case, flags: int) -> int:
    shell.line = node.line
    subject = shell.expander.text(node.subject)
    status, falls_through = 0, False
    shell.substitution_status = None
    for arm in node.arms:
        if not falls_through and not any(shell.expander.matches(word, subject) for word in arm.patterns):
            continue
        status = shell.execute(arm.body, flags)
        if arm.ending == ";;":
            break
        falls_through = arm.ending == ";&"
    shell.status = status
    return status


def _function(shell: Shell, node: Function, flags: int) -> int:  # noqa: ARG001
    shell.functions[node.name] = node.body
    shell.status = 0
    return 0


def _arithmetic(shell: Shell, node: Arithmetic, flags: int) -> int:
    shell.line = node.line
    return shell.finish(int(shell.expander.arithmetic(node.parts) == 0), flags)


def _test(shell: Shell, node: Test, flags: int) -> int:
    shell.line = node.line
    try:
        status = int(not condition_holds(node.condition, shell))
    except CommandFailed as failure:
        shell.complain(failure.message)
        status = failure.status
    return shell.finish(status, flags)


_RUN: Final[dict[type, Callable[[Shell, Any, int], int]]] = {
    SimpleCommand: simple.run_simple,
    Nothing: _nothing,
    Commands: _sequence,
    AndOr: _and_or,
    Not: _not,
    Background: children.run_background,
    Pipeline: children.run_pipeline,
    Redirected: _redirected,
    Subshell: children.run_subshell,
    Group: _group,
    If: _if,
    Loop: _loop,
    For: _for,
    Case: _case,
    Function: _function,
    Arithmetic: _arithmetic,
    Test: _test,
}


class Interpreter(Shell):
    """A shell that runs what it is told; each verb is where its subject is."""

    def execute(self, node: Node, flags: int = 0) -> int:
        """Run a tree; its status, which is ``$?`` then."""
        return _RUN[node.__class__](self, node, flags)

    builtin = simple.builtin
    execute_file = simple.execute_file
    fork = children.fork
    output_of = children.output_of
    receive = texts.receive
    run_pending_traps = texts.run_pending_traps
    run_text = texts.run_text
    run_to_end = children.run_to_end
    run_words = simple.run_words
