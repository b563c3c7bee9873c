"""sh, dash, ash and bash as programs: their command line, and the reading of a script (POSIX XCU, sh)."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence

from builder.world.machine.executable import DEFAULT_PATH
from builder.world.machine.process import Process, Program
from builder.world.shell.builtins.options import apply_options
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import CommandFailed
from builder.world.shell.execution.interpreter import Interpreter
from builder.world.shell.expansion.expander import DEFAULT_IFS
from builder.world.shell.expansion.variables import Variables
from builder.world.shell.state import Shell

_LONG_OPTIONS = frozenset({"--login", "--noprofile", "--norc", "--posix", "--norestrict"})


def shell_program(dialect: Dialect) -> Program:
    """The program that speaks ``dialect``."""

    def run(process: Process) -> int:
        shell = new_shell(process, dialect)
        try:
            body = _prepare(shell, process.argv)
        except CommandFailed as failure:
            shell.say(f"{shell.name}: 0: {failure.message}\n", 2)
            return failure.status
        with process.machine.scheduler.enrolled(process.pid, shell.receive):
            return shell.run_to_end(body)

    return run


def new_shell(process: Process, dialect: Dialect) -> Shell:
    """A shell as it begins: variables from the environment, and those that it sets itself."""
    variables = Variables.from_environment(process.env, dialect, lambda: process.machine.account_memory)
    variables.set("IFS", DEFAULT_IFS)
    variables.mark("IFS", exported=False)
    variables.set("OPTIND", "1")
    variables.set("PS4", variables.get("PS4") or "+ ")
    variables.set("PPID", "0")
    variables.set("PWD", process.cwd)
    if variables.get("PATH") is None:
        variables.set("PATH", DEFAULT_PATH)
    if dialect is Dialect.BASH:
        variables.set("BASH_VERSION", "5.2.15(1)-simulated")
    return Interpreter(process, dialect, variables, name=process.argv[0], positional=[])


def _flags(words: Sequence[str]) -> tuple[list[str], str, int]:
    """The options meant for ``set``, the letters of the command line only (c, s, l), the operands' place."""
    options: list[str] = []
    own, at = "", 1
    while at < len(words) and words[at][:1] in ("-", "+") and words[at] not in ("-", "+", "--"):
        word = words[at]
        at += 1
        if word in _LONG_OPTIONS:
            own += "l" if word == "--login" else ""
            continue
        own += "".join(letter for letter in word[1:] if letter in "csl" and word[0] == "-")
        rest = "".join(letter for letter in word[1:] if letter not in "csl")
        if rest:
            options.append(word[0] + rest)
        for _ in range(rest.count("o")):
            if at < len(words):
                options.append(words[at])
                at += 1
    if at < len(words) and words[at] in ("-", "--"):
        at += 1
    return options, own, at


def _prepare(shell: Shell, words: Sequence[str]) -> Callable[[], int]:
    """What the command line asks the shell to run; CommandFailed if it asks for what there is not."""
    options, own, at = _flags(words)
    apply_options(shell, options, 0)
    operands = list(words[at:])
    if "c" in own:
        if not operands:
            raise CommandFailed("-c requires an argument", 2)
        text = operands[0]
        if len(operands) > 1:
            shell.name = operands[1]
        shell.positional = operands[2:]
    elif operands and "s" not in own:
        shell.name, shell.positional = operands[0], operands[1:]
        text = _file(shell, operands[0])
        shell.reads_file = True
    else:
        shell.positional = operands
        shell.options.add("s")
        text = shell.fds[0].read().decode("utf-8", "surrogateescape") if 0 in shell.fds else ""

    def body() -> int:
        if "l" in own:
            for path in ("/etc/profile", f"{shell.variables.get('HOME') or ''}/.profile"):
                if shell.fs.exists(path):
                    shell.run_text(shell.fs.read_bytes(path).decode("utf-8", "surrogateescape"))
        return shell.run_text(text)

    return body


def _file(shell: Shell, path: str) -> str:
    try:
        if stat.S_ISDIR(shell.fs.stat(path).st_mode):
            raise CommandFailed(f"cannot open {path}: Is a directory", 2)
        return shell.fs.read_bytes(path).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        raise CommandFailed(f"cannot open {path}: No such file", 2) from None
    except (OSError, ValueError) as error:
        raise CommandFailed(f"cannot open {path}: {getattr(error, 'strerror', None) or error}", 2) from None
