"""Simple commands: assignments, redirections, and the search for what a name means (POSIX XCU 2.9.1)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.executable import DEFAULT_PATH, ELSEWHERE, ExecError, NotSimulated
from builder.world.machine.process import execute, file_of
from builder.world.shell.builtins import BUILTINS
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import CommandFailed, ExitShell, ReturnFromFunction, ShellError
from builder.world.shell.execution.redirection import Saved, redirect
from builder.world.shell.execution.texts import expanded_text
from builder.world.shell.language.syntax import Assignment, Literal, SimpleCommand, Word
from builder.world.shell.language.words import NAME
from builder.world.shell.state import Builtin, Shell

_DEEPEST_FUNCTION: Final = 1000
_OFTEN_ASKED_FOR: Final = frozenset(
    [
        "bundle",
        "cargo",
        "composer",
        "dotnet",
        "gem",
        "git",
        "go",
        "java",
        "javac",
        "mvn",
        "node",
        "npm",
        "npx",
        "perl",
        "php",
        "pip",
        "pip3",
        "pnpm",
        "python",
        "python3",
        "ruby",
        "rustc",
        "yarn",
    ]
)
"""Programs of Dockerfiles that nothing here simulates."""
_MANAGERS: Final = (
    ("/etc/apk/repositories", "alpine", "apk add --no-cache"),
    ("/etc/apt", "debian", "apt-get install -y"),
)
"""A file by which an image is known, the repositories it uses, and how a package is installed there."""


def run_simple(shell: Shell, node: SimpleCommand, flags: int) -> int:
    """Run a simple command."""
    shell.process.machine.scheduler.check()
    shell.line = node.line
    shell.substitution_status = None
    words = _expanded(shell, node.words) if node.words else []
    if not node.redirections:
        return shell.finish(_assign_and_run(shell, node.assignments, words, flags, None), flags)
    saved = Saved(shell.fds)
    try:
        try:
            redirect(shell, node.redirections, saved)
        except CommandFailed as failure:
            shell.complain(failure.message)
            builtin = shell.builtin(words[0]) if words else None
            if builtin is not None and builtin.special:
                raise ExitShell(failure.status) from None
            return shell.finish(failure.status, flags)
        status = _assign_and_run(shell, node.assignments, words, flags, saved)
        if words == ["exec"]:
            saved.keep()
    finally:
        saved.restore()
    return shell.finish(status, flags)


def _expanded(shell: Shell, words: tuple[Word, ...]) -> list[str]:
    """The fields; an argument like ``name=value`` of export and its kin is not split."""
    parts = words[0].parts
    if len(words) > 1 and len(parts) == 1 and isinstance(parts[0], Literal):
        builtin = BUILTINS.get(parts[0].text)
        if builtin is not None and builtin.assigns:
            fields = [parts[0].text]
            for word in words[1:]:
                fields.extend(
                    [shell.expander.assigned(word)] if _assigns(word) else shell.expander.fields((word,))
                )
            return fields
    return shell.expander.fields(words)


def _value(shell: Shell, assignment: Assignment) -> str:
    value = shell.expander.assigned(assignment.value)
    return (shell.variables.get(assignment.name) or "") + value if assignment.append else value


def _assign_and_run(
    shell: Shell, assignments: tuple[Assignment, ...], words: list[str], flags: int, saved: Saved | None
) -> int:
    builtin = shell.builtin(words[0]) if words else None
    if not assignments or not words or (builtin is not None and builtin.special):
        made: list[tuple[str, str]] = []
        for assignment in assignments:
            value = _value(shell, assignment)
            shell.variables.set(assignment.name, value)
            made.append((assignment.name, value))
        if "x" in shell.options:
            _trace(shell, made, words, saved)
        if not words:
            return shell.substitution_status or 0
        return run_words(shell, words, flags, builtin)
    shell.variables.begin_scope()
    try:
        made = []
        for assignment in assignments:
            value = _value(shell, assignment)
            shell.variables.assign_in_scope([(assignment.name, value)])
            made.append((assignment.name, value))
        if "x" in shell.options:
            _trace(shell, made, words, saved)
        return run_words(shell, words, flags, builtin)
    finally:
        shell.variables.end_scope()


def _trace(shell: Shell, assignments: list[tuple[str, str]], words: list[str], saved: Saved | None) -> None:
    """``set -x``: on the standard error that was there before the command's own redirections."""
    stream: Stream | None = saved.original(2) if saved is not None else shell.fds.get(2)
    if stream is not None:
        shell.options.discard("x")  # what PS4 runs is not traced itself
        try:
            prompt = expanded_text(shell, shell.variables.get("PS4") or "")
        finally:
            shell.options.add("x")
        quote = _quoted if shell.dialect is not Dialect.DASH else str
        text = " ".join([*(f"{name}={quote(value)}" for name, value in assignments), *map(quote, words)])
        stream.write(f"{prompt}{text}\n".encode("utf-8", "surrogateescape"))


def builtin(shell: Shell, name: str) -> Builtin | None:
    """The builtin of that name that this dialect has, or None."""
    found = BUILTINS.get(name)
    if found is not None and found.dialects is not None and shell.dialect not in found.dialects:
        return None
    return found


def run_words(
    shell: Shell, words: list[str], flags: int, builtin: Builtin | None, *, functions: bool = True
) -> int:
    """Run what ``words`` name: special builtin, function, builtin, or a file found in PATH."""
    name = words[0]
    if functions and name in shell.functions and not (builtin is not None and builtin.special):
        return call_function(shell, name, words, flags)
    if builtin is None:
        return run_file(shell, words)
    shell.builtin_flags = flags
    try:
        return builtin.run(shell, words)
    except CommandFailed as failure:
        shell.complain(failure.message, command=name)
        if builtin.special and functions:
            raise ExitShell(failure.status) from None
        return failure.status
    except BrokenPipeError:
        raise
    except OSError as error:
        shell.complain(error.strerror or "I/O error", command=name)
        return 1


def call_function(shell: Shell, name: str, words: Sequence[str], flags: int) -> int:
    """Run a function; ``words[1:]`` are its positional parameters."""
    if shell.function_depth >= _DEEPEST_FUNCTION:
        raise ShellError(f"Maximum function recursion depth ({_DEEPEST_FUNCTION}) reached")
    before = (shell.positional, shell.loop_depth, shell.option_offset)
    shell.positional, shell.loop_depth, shell.option_offset = words[1:], 0, 0
    shell.function_depth += 1
    shell.variables.begin_scope()
    try:
        return shell.execute(shell.functions[name], flags)
    except ReturnFromFunction as returned:
        return returned.status
    finally:
        shell.variables.end_scope()
        shell.function_depth -= 1
        shell.positional, shell.loop_depth, shell.option_offset = before


def run_file(shell: Shell, words: Sequence[str]) -> int:
    """Run an executable file as a child process; 127 or 126 if it cannot be."""
    try:
        return shell.execute_file(words)
    except ExecError as error:
        message = error.message
        if shell.dialect is Dialect.BASH and error.status == 127:
            message = "No such file or directory" if "/" in words[0] else "command not found"
        shell.complain(f"{words[0]}: {message}")
        is_absent = error.status == 127 and not isinstance(error, NotSimulated)
        if is_absent and "/" not in words[0] and (advice := hint(shell, words[0])):
            shell.complain(f"{words[0]}: {advice}")
        return error.status


def execute_file(shell: Shell, words: Sequence[str]) -> int:
    """Run an executable file as a child process; raises ExecError if it cannot be."""
    env = shell.variables.environment()
    path = file_of(shell.process, words[0], shell.variables.get("PATH") or DEFAULT_PATH)
    return execute(shell.process, path, words, env=env)


def hint(shell: Shell, name: str) -> str:
    """What to try instead of a command that does not exist, or "": a name like it that does exist."""
    package = _bringing(shell, name)
    if name in shell.process.programs:
        return package or "it is simulated, but not installed in this image"
    if package or name in _OFTEN_ASKED_FOR:
        return f"it is not simulated: {ELSEWHERE}"
    known = {name for name in BUILTINS if shell.builtin(name)} | set(shell.functions)
    for directory in (shell.variables.get("PATH") or DEFAULT_PATH).split(":"):
        try:
            known.update(shell.fs.listdir(directory))
        except OSError:
            continue
    similar = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f"did you mean {similar[0]}?" if similar else ""


def _bringing(shell: Shell, name: str) -> str:
    """What installs a program here, or "" where no package of this image's repositories brings it."""
    for marker, repository, command in _MANAGERS:
        if shell.fs.exists(marker):
            from builder.world.supplies.packages.repositories import bringing  # only where a name is wrong

            packages = bringing(repository, name)
            return f"{command} {packages[0]} brings it" if packages else ""
    return ""


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
