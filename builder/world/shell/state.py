"""What one shell environment holds (POSIX XCU 2.12), and how a subshell gets its copy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from builder.world.machine.descriptor import Stream, inherited
from builder.world.machine.executable import DEFAULT_PATH, ExecError, locate
from builder.world.machine.machine import Machine
from builder.world.machine.process import Process
from builder.world.machine.scheduler import Task
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import ExitShell
from builder.world.shell.expansion.expander import Expander
from builder.world.shell.expansion.variables import Variables
from builder.world.shell.language.syntax import Node
from unionfs_sim.accounts import users
from unionfs_sim.vfs.posix import Posix

TESTED: Final = 1
"""Flag of a command whose failure is looked at (a condition, the left of ``&&``): ``set -e`` lets it pass."""

OPTION_NAMES: Final = {
    "errexit": "e",
    "noglob": "f",
    "noexec": "n",
    "nounset": "u",
    "xtrace": "x",
    "verbose": "v",
    "allexport": "a",
    "noclobber": "C",
    "notify": "b",
    "monitor": "m",
    "ignoreeof": "I",
    "interactive": "i",
    "stdin": "s",
}
_ORDER: Final = "ubaCEVvxsnmiIfe"


Run: TypeAlias = Callable[["Shell", Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class Builtin:
    """``special``: an error in it ends the shell, and assignments before it stay (POSIX XCU 2.14).

    ``assigns``: its arguments may look like assignments, and are not split then. ``dialects``: which shells
    have it; None for all.
    """

    run: Run
    special: bool = False
    assigns: bool = False
    dialects: frozenset[Dialect] | None = None


class Shell(ABC):
    """One shell: everything that commands can see or change, and the names of what it does.

    How it does it is in ``execution/``; builtins and redirections need no more than this.
    """

    def __init__(
        self,
        process: Process,
        dialect: Dialect,
        variables: Variables,
        *,
        name: str,
        positional: Sequence[str],
    ) -> None:
        self.process = process
        self.dialect = dialect
        self.variables = variables
        self.name = name
        """``$0``, which messages begin with."""
        self.positional: Sequence[str] = positional
        self.options: set[str] = set()
        self.functions: dict[str, Node] = {}
        self.traps: dict[int, str] = {}
        self.signals: list[int] = []
        """Signals that came and whose traps have not run yet."""
        self.jobs: list[Task] = []
        self.status = 0
        self.substitution_status: int | None = None
        """The status of the last command substitution, for a command that is nothing but assignments."""
        self.shell_pid = process.pid
        self.last_background: int | None = None
        self.loop_depth = 0
        self.function_depth = 0
        self.option_offset = 0
        """Where getopts stands within one word."""
        self.line = 1
        self.reads_file = False
        """Whether the script is a file, not an argument or the input."""
        self.builtin_flags = 0
        """The flags of the builtin that runs: eval hands them on."""
        self.expander = Expander(self)

    def copy_into(self, twin: Shell) -> None:
        """Give a subshell what it inherits beside its process, variables and positional parameters."""
        twin.options = set(self.options)
        twin.functions = dict(self.functions)
        # Traps are reset in a subshell, but a signal that is ignored stays ignored (XCU 2.12).
        twin.traps = {number: action for number, action in self.traps.items() if action == ""}
        twin.status = self.status
        twin.shell_pid = self.shell_pid
        twin.last_background = self.last_background
        twin.loop_depth, twin.function_depth = self.loop_depth, self.function_depth
        twin.option_offset = self.option_offset
        twin.line = self.line
        twin.reads_file = self.reads_file

    def copied_process(self, pid: int) -> Process:
        """The process of a subshell: the same, with descriptors of its own."""
        own = self.process
        return replace(own, fds=inherited(own.fds), pid=pid)

    # ---- what words are expanded with -----------------------------------------------------------

    @property
    def machine(self) -> Machine:
        """The machine that it runs on."""
        return self.process.machine

    @property
    def fs(self) -> Posix:
        """The tree as this shell sees it, from its working directory."""
        return self.process.fs

    @property
    def fds(self) -> dict[int, Stream]:
        """Its descriptors."""
        return self.process.fds

    def option(self, letter: str, /) -> bool:
        """Whether ``set -letter`` is on."""
        return letter in self.options

    def special(self, name: str, /) -> str | None:
        """The value of a special or positional parameter, or None if it is unset."""
        if name.isdigit():
            number = int(name)
            if number == 0:
                return self.name
            return self.positional[number - 1] if number <= len(self.positional) else None
        match name:
            case "?":
                return str(self.status)
            case "#":
                return str(len(self.positional))
            case "$":
                return str(self.shell_pid)
            case "!":
                return None if self.last_background is None else str(self.last_background)
            case _:
                return "".join(letter for letter in _ORDER if letter in self.options)

    def account_memory(self, size: int, /) -> None:
        """Be told how many characters are about to be held; LimitError when they are too many."""
        self.process.machine.account_memory(size)

    def home_of(self, user: str, /) -> str | None:
        """``$HOME`` for "", else the home directory of ``user`` in the image's /etc/passwd."""
        if not user:
            return self.variables.get("HOME")
        return next((record.home for record in users(self.fs) if record.name == user), None)

    def finish(self, status: int, flags: int) -> int:
        """Set ``$?``; under ``set -e`` a failure that nobody looks at ends the shell."""
        self.status = status
        if self.signals:
            self.run_pending_traps()
        if status and not flags & TESTED and "e" in self.options:
            raise ExitShell(status)
        return status

    def where_is(self, name: str) -> str | None:
        """The path of the file that a command name leads to, or None."""
        try:
            path = locate(self.fs, name, self.variables.get("PATH") or DEFAULT_PATH)
        except ExecError:
            return None
        return path if self.fs.exists(path) else None

    # ---- talking --------------------------------------------------------------------------------

    def say(self, text: str, number: int = 1) -> None:
        """Print ``text`` on a descriptor; OSError as write(2) gives it."""
        stream = self.fds.get(number)
        if stream is None:
            raise OSError(9, "Bad file descriptor")
        stream.write(text.encode("utf-8", "surrogateescape"))

    def complain(self, text: str, *, command: str = "", line: int | None = None) -> None:
        """Print an error of ``command`` (or of the shell) on descriptor 2, as this dialect words it."""
        number = self.line if line is None else line
        about = f"{command}: " if command else ""
        if self.dialect is Dialect.DASH:
            where = f"{number}: {about}"
        elif self.dialect is Dialect.BASH:
            where = f"line {number}: {about}"
        else:
            # busybox tells the line of a script file, and of what a builtin complains about.
            where = about + (f"line {number}: " if command or self.reads_file else "")
        stream = self.fds.get(2)
        if stream is not None:
            stream.write(f"{self.name}: {where}{text}\n".encode("utf-8", "surrogateescape"))

    # ---- what a shell does: execution/ has it -----------------------------------------------------

    @abstractmethod
    def execute(self, node: Node, flags: int = 0) -> int:
        """Run a tree; its status, which is ``$?`` then."""

    @abstractmethod
    def run_text(self, text: str, flags: int = 0, *, first_line: int = 1) -> int:
        """Run a text line by line: what stands before a syntax error runs. Raises ShellSyntaxError."""

    @abstractmethod
    def run_words(
        self, words: list[str], flags: int, builtin: Builtin | None, *, functions: bool = True
    ) -> int:
        """Run what ``words`` name: special builtin, function, builtin, or a file found in PATH."""

    @abstractmethod
    def execute_file(self, words: Sequence[str]) -> int:
        """Run an executable file as a child process; raises ExecError if it cannot be."""

    @abstractmethod
    def builtin(self, name: str) -> Builtin | None:
        """The builtin of that name that this dialect has, or None."""

    @abstractmethod
    def fork(self, *, pid: int | None = None) -> Shell:
        """A subshell: a copy of the environment, with descriptors that it must close at its end."""

    @abstractmethod
    def output_of(self, body: Node, /) -> str:
        """What the commands print, without the newlines at its end (command substitution)."""

    @abstractmethod
    def run_to_end(self, body: Callable[[], int]) -> int:
        """Run ``body`` as a whole shell: its errors end it, its EXIT trap runs, its descriptors close."""

    @abstractmethod
    def receive(self, signal: int) -> bool:
        """Take a signal if it is trapped or ignored; its trap runs after the command that runs now."""

    @abstractmethod
    def run_pending_traps(self) -> None:
        """Run the traps of the signals that came; ``$?`` stays as it was."""
