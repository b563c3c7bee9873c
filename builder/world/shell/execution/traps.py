"""Traps: what a shell does at its end and when signals come (POSIX XCU 2.14, trap)."""

from __future__ import annotations

from builder.world.shell.errors import ExitShell
from builder.world.shell.execution.simple import SimpleCommands
from builder.world.shell.language.grammar import Parser
from builder.world.shell.signals import IGNORED_BY_DEFAULT

EXIT = 0


class Traps(SimpleCommands):
    """The part of a shell that runs texts: traps, eval, and the script itself."""

    def run_text(self, text: str, flags: int = 0, *, first_line: int = 1) -> int:
        """Run a text line by line: what stands before a syntax error runs. Raises ShellSyntaxError."""
        parser = Parser(text, 0, self.dialect, first_line)
        status = 0
        while (node := parser.next_line()) is not None:
            if "n" not in self.options:
                status = self.execute(node, flags)
        return status

    def expanded_text(self, text: str) -> str:
        """``text`` with its parameters expanded, as in a here-document."""
        if "$" not in text and "`" not in text and "\\" not in text:
            return text
        return self.expander.text(Parser(text, 0, self.dialect, self.line).read_document())

    def receive(self, signal: int) -> bool:
        """Take a signal if it is trapped or ignored; its trap runs after the command that runs now."""
        action = self.traps.get(signal)
        if action is None:
            return signal in IGNORED_BY_DEFAULT
        if action:
            self.signals.append(signal)
        return True

    def run_pending_traps(self) -> None:
        """Run the traps of the signals that came; ``$?`` stays as it was."""
        while self.signals:
            action = self.traps.get(self.signals.pop(0))
            if action:
                status = self.status
                self.run_text(action)
                self.status = status

    def run_exit_trap(self, status: int) -> int:
        """Run the trap of EXIT, if there is one; the status that the shell ends with."""
        action = self.traps.pop(EXIT, "")
        if action:
            self.status = status
            try:
                self.run_text(action)
            except ExitShell as ended:
                return ended.status
        return status
