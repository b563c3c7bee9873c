"""Texts that a shell runs: scripts, and the traps of its end and of signals (POSIX XCU 2.14, trap)."""

from __future__ import annotations

from builder.world.shell.errors import ExitShell
from builder.world.shell.language.grammar import Parser
from builder.world.shell.language.words import read_document
from builder.world.shell.signals import IGNORED_BY_DEFAULT
from builder.world.shell.state import Shell

EXIT = 0


def run_text(shell: Shell, text: str, flags: int = 0, *, first_line: int = 1) -> int:
    """Run a text line by line: what stands before a syntax error runs. Raises ShellSyntaxError."""
    parser = Parser(text, 0, shell.dialect, first_line)
    status = 0
    while (node := parser.next_line()) is not None:
        if "n" not in shell.options:
            status = shell.execute(node, flags)
    return status


def expanded_text(shell: Shell, text: str) -> str:
    """``text`` with its parameters expanded, as in a here-document."""
    if "$" not in text and "`" not in text and "\\" not in text:
        return text
    return shell.expander.text(read_document(Parser(text, 0, shell.dialect, shell.line)))


def receive(shell: Shell, signal: int) -> bool:
    """Take a signal if it is trapped or ignored; its trap runs after the command that runs now."""
    action = shell.traps.get(signal)
    if action is None:
        return signal in IGNORED_BY_DEFAULT
    if action:
        shell.signals.append(signal)
    return True


def run_pending_traps(shell: Shell) -> None:
    """Run the traps of the signals that came; ``$?`` stays as it was."""
    while shell.signals:
        action = shell.traps.get(shell.signals.pop(0))
        if action:
            status = shell.status
            shell.run_text(action)
            shell.status = status


def run_exit_trap(shell: Shell, status: int) -> int:
    """Run the trap of EXIT, if there is one; the status that the shell ends with."""
    action = shell.traps.pop(EXIT, "")
    if action:
        shell.status = status
        try:
            shell.run_text(action)
        except ExitShell as ended:
            return ended.status
    return status
