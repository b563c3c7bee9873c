"""Simple commands: assignments, redirections, and the search for what a name means (POSIX XCU 2.9.1)."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from builder.world.machine.executable import DEFAULT_PATH, ExecError, locate
from builder.world.machine.process import Stream
from builder.world.shell.builtins import BUILTINS, Builtin
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import CommandFailed, ExitShell, ReturnFromFunction, ShellError
from builder.world.shell.execution.redirection import Saved, redirect
from builder.world.shell.expansion.expander import Expander
from builder.world.shell.language.substitutions import NAME
from builder.world.shell.language.syntax import Assignment, Literal, Node, SimpleCommand, Word
from builder.world.shell.state import TESTED, ShellState

if TYPE_CHECKING:
    from builder.world.shell.execution.interpreter import Shell

_DEEPEST_FUNCTION: Final = 1000


class SimpleCommands(ShellState):
    """The part of a shell that runs simple commands."""

    expander: Expander

    @abstractmethod
    def execute(self, node: Node, flags: int = 0) -> int:
        """Run a tree; its status."""

    @abstractmethod
    def run_pending_traps(self) -> None:
        """Run the traps of signals that came."""

    def finish(self, status: int, flags: int) -> int:
        """Set ``$?``; under ``set -e`` a failure that nobody looks at ends the shell."""
        self.status = status
        if self.signals:
            self.run_pending_traps()
        if status and not flags & TESTED and "e" in self.options:
            raise ExitShell(status)
        return status

    def run_simple(self, node: SimpleCommand, flags: int) -> int:
        """Run a simple command."""
        self.process.world.scheduler.check()
        self.line = node.line
        self.substitution_status = None
        words = self._expanded(node.words) if node.words else []
        if not node.redirections:
            return self.finish(self._assign_and_run(node.assignments, words, flags, None), flags)
        saved = Saved(self.fds)
        try:
            try:
                redirect(cast("Shell", self), node.redirections, saved)
            except CommandFailed as failure:
                self.complain(failure.message)
                builtin = self.builtin(words[0]) if words else None
                if builtin is not None and builtin.special:
                    raise ExitShell(failure.status) from None
                return self.finish(failure.status, flags)
            status = self._assign_and_run(node.assignments, words, flags, saved)
            if words == ["exec"]:
                saved.keep()
        finally:
            saved.restore()
        return self.finish(status, flags)

    def _expanded(self, words: tuple[Word, ...]) -> list[str]:
        """The fields; an argument like ``name=value`` of export and its kin is not split."""
        parts = words[0].parts
        if len(words) > 1 and len(parts) == 1 and isinstance(parts[0], Literal):
            builtin = BUILTINS.get(parts[0].text)
            if builtin is not None and builtin.assigns:
                fields = [parts[0].text]
                for word in words[1:]:
                    fields.extend(
                        [self.expander.assigned(word)] if _assigns(word) else self.expander.fields((word,))
                    )
                return fields
        return self.expander.fields(words)

    # ---- assignments ----------------------------------------------------------------------------

    def _value(self, assignment: Assignment) -> str:
        value = self.expander.assigned(assignment.value)
        return (self.variables.get(assignment.name) or "") + value if assignment.append else value

    def _assign_and_run(
        self, assignments: tuple[Assignment, ...], words: list[str], flags: int, saved: Saved | None
    ) -> int:
        builtin = self.builtin(words[0]) if words else None
        if not assignments or not words or (builtin is not None and builtin.special):
            made: list[tuple[str, str]] = []
            for assignment in assignments:
                value = self._value(assignment)
                self.variables.set(assignment.name, value)
                made.append((assignment.name, value))
            if "x" in self.options:
                self._trace(made, words, saved)
            if not words:
                return self.substitution_status or 0
            return self.run_words(words, flags, builtin)
        self.variables.begin_scope()
        try:
            made = []
            for assignment in assignments:
                value = self._value(assignment)
                self.variables.assign_in_scope([(assignment.name, value)])
                made.append((assignment.name, value))
            if "x" in self.options:
                self._trace(made, words, saved)
            return self.run_words(words, flags, builtin)
        finally:
            self.variables.end_scope()

    def _trace(self, assignments: list[tuple[str, str]], words: list[str], saved: Saved | None) -> None:
        """``set -x``: on the standard error that was there before the command's own redirections."""
        stream: Stream | None = saved.original(2) if saved is not None else self.fds.get(2)
        if stream is not None:
            self.options.discard("x")  # what PS4 runs is not traced itself
            try:
                prompt = self.expanded_text(self.variables.get("PS4") or "")
            finally:
                self.options.add("x")
            quote = _quoted if self.dialect is not Dialect.DASH else str
            text = " ".join([*(f"{name}={quote(value)}" for name, value in assignments), *map(quote, words)])
            stream.write(f"{prompt}{text}\n".encode("utf-8", "surrogateescape"))

    @abstractmethod
    def expanded_text(self, text: str) -> str:
        """``text`` with its parameters expanded, as in a here-document."""

    # ---- what a name means ----------------------------------------------------------------------

    def builtin(self, name: str) -> Builtin | None:
        """The builtin of that name that this dialect has, or None."""
        found = BUILTINS.get(name)
        if found is not None and found.dialects is not None and self.dialect not in found.dialects:
            return None
        return found

    def run_words(
        self, words: list[str], flags: int, builtin: Builtin | None, *, functions: bool = True
    ) -> int:
        """Run what ``words`` name: special builtin, function, builtin, or a file found in PATH."""
        name = words[0]
        if functions and name in self.functions and not (builtin is not None and builtin.special):
            return self.call_function(name, words, flags)
        if builtin is None:
            return self.run_file(words)
        shell = cast("Shell", self)
        shell.builtin_flags = flags
        try:
            return builtin.run(shell, words)
        except CommandFailed as failure:
            self.complain(failure.message, command=name)
            if builtin.special and functions:
                raise ExitShell(failure.status) from None
            return failure.status
        except BrokenPipeError:
            raise
        except OSError as error:
            self.complain(error.strerror or "I/O error", command=name)
            return 1

    def call_function(self, name: str, words: Sequence[str], flags: int) -> int:
        """Run a function; ``words[1:]`` are its positional parameters."""
        if self.function_depth >= _DEEPEST_FUNCTION:
            raise ShellError(f"Maximum function recursion depth ({_DEEPEST_FUNCTION}) reached")
        before = (self.positional, self.loop_depth, self.option_offset)
        self.positional, self.loop_depth, self.option_offset = words[1:], 0, 0
        self.function_depth += 1
        self.variables.begin_scope()
        try:
            return self.execute(self.functions[name], flags)
        except ReturnFromFunction as returned:
            return returned.status
        finally:
            self.variables.end_scope()
            self.function_depth -= 1
            self.positional, self.loop_depth, self.option_offset = before

    def run_file(self, words: Sequence[str]) -> int:
        """Run an executable file as a child process; 127 or 126 if it cannot be."""
        try:
            return self.execute_file(words)
        except ExecError as error:
            message = error.message
            if self.dialect is Dialect.BASH and error.status == 127:
                message = "No such file or directory" if "/" in words[0] else "command not found"
            self.complain(f"{words[0]}: {message}")
            if error.status == 127 and "/" not in words[0] and (hint := self.hint(words[0])):
                self.complain(f"{words[0]}: {hint}")
            return error.status

    def execute_file(self, words: Sequence[str]) -> int:
        """Run an executable file as a child process; raises ExecError if it cannot be."""
        env = self.variables.environment()
        path = locate(self.fs, words[0], self.variables.get("PATH") or DEFAULT_PATH)
        return self.process.world.execute(self.process, path, words, env=env)

    def where_is(self, name: str) -> str | None:
        """The path of the file that a command name leads to, or None."""
        try:
            path = locate(self.fs, name, self.variables.get("PATH") or DEFAULT_PATH)
        except ExecError:
            return None
        return path if self.fs.exists(path) else None

    def hint(self, name: str) -> str:
        """What to try instead of a command that does not exist, or "": a name like it that does exist."""
        if name in self.world.programs:
            return "it is simulated, but not installed in this image"
        known = {name for name in BUILTINS if self.builtin(name)} | set(self.functions)
        for directory in (self.variables.get("PATH") or DEFAULT_PATH).split(":"):
            try:
                known.update(self.fs.listdir(directory))
            except OSError:
                continue
        similar = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
        return f"did you mean {similar[0]}?" if similar else ""


def _assigns(word: Word) -> bool:
    first = word.parts[0] if word.parts else None
    if not isinstance(first, Literal):
        return False
    name, equals, _ = first.text.partition("=")
    return bool(equals) and NAME.fullmatch(name) is not None


def _quoted(text: str) -> str:
    """``text`` as bash and busybox trace it: in quotes where a shell would need them."""
    if text and not any(c in " \t\n'\"\\$`*?[]{}();&|<>~#!" for c in text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"
