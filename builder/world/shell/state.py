"""What one shell environment holds (POSIX XCU 2.12), and how a subshell gets its copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from builder.world.machine.descriptor import inherited
from builder.world.machine.process import Process, Stream
from builder.world.machine.scheduler import Task
from builder.world.shell.dialect import Dialect
from builder.world.shell.expansion.variables import Variables
from builder.world.shell.language.syntax import Node
from builder.world.utilities.accounts import users
from unionfs_sim.vfs.posix import Posix

if TYPE_CHECKING:
    from builder.world.machine.world import World

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


class ShellState:
    """The state of one shell: everything that commands can see or change, and nothing of how they run."""

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

    def copy_into(self, twin: ShellState) -> None:
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
        return Process(own.world, own.fs, own.argv, own.env, own.cwd, inherited(own.fds), own.executable, pid)

    # ---- what words are expanded with -----------------------------------------------------------

    @property
    def world(self) -> World:
        """The machine that it runs on."""
        return self.process.world

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

    def home_of(self, user: str, /) -> str | None:
        """``$HOME`` for "", else the home directory of ``user`` in the image's /etc/passwd."""
        if not user:
            return self.variables.get("HOME")
        return next((record.home for record in users(self.fs) if record.name == user), None)

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
