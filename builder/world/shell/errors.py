"""What goes wrong in a shell, and how its flow of control leaves the ordinary path."""

from __future__ import annotations


class ShellSyntaxError(Exception):
    """The text is no program of the shell language; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class ShellError(Exception):
    """An error that ends a shell that is not interactive (POSIX XCU 2.8.1); the exit status is 2."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class CommandFailed(Exception):
    """A builtin or a redirection that failed: the message is printed, and the shell goes on."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class ExitShell(Exception):
    """The shell ends with ``status``. ``run_traps`` is false after exec: no shell is left to run them."""

    def __init__(self, status: int, *, run_traps: bool = True) -> None:
        super().__init__(status)
        self.status = status
        self.run_traps = run_traps


class ReturnFromFunction(Exception):
    """``return``: leave the function or the script that ``.`` reads."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class LeaveLoop(Exception):
    """``break``: leave ``levels`` loops."""

    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        self.levels = levels


class NextIteration(Exception):
    """``continue``: leave ``levels - 1`` loops and begin the next turn of the one around them."""

    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        self.levels = levels
