"""Builtins about the process and its children: cd, pwd, umask, wait, kill; and those that print."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Sequence
from dataclasses import replace

from builder.world.shell.builtins.arguments import letters, operands
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import CommandFailed
from builder.world.shell.signals import NAMES, signal_number
from builder.world.shell.state import Shell
from builder.world.utilities.escapes import unescape
from builder.world.utilities.words.echo import echoed
from builder.world.utilities.words.printf import formatted
from builder.world.utilities.words.test import Expression, TestError
from unionfs_sim.vfs.posix import Posix

# ---- where -----------------------------------------------------------------------------------


def cd(shell: Shell, words: Sequence[str]) -> int:
    """``cd [-LP] [directory]``: ``-`` is the one before; CDPATH is looked through (POSIX XCU, cd)."""
    given, arguments = letters(words, "LPe")
    variables = shell.variables
    show = False
    if not arguments:
        target = variables.get("HOME") or ""
        if not target:
            return 0 if shell.dialect is Dialect.DASH else _cannot("HOME not set", 1)
    else:
        target = arguments[0]
    if target == "-":
        target, show = variables.get("OLDPWD") or shell.process.cwd, True
    candidates = [target]
    if target and target[0] != "/" and target.split("/")[0] not in (".", ".."):
        directories = (variables.get("CDPATH") or "").split(":")
        candidates = [f"{directory}/{target}" if directory else target for directory in directories]
        candidates += [target] if target not in candidates else []
    for candidate in candidates:
        if _go(shell, candidate, physical="P" in given):
            if show or candidate != target:
                shell.say(shell.process.cwd + "\n")
            return 0
    if shell.dialect is Dialect.DASH:
        return _cannot(f"can't cd to {target}", 2)
    reason = "Not a directory" if shell.fs.exists(target) else "No such file or directory"
    return _cannot(f"can't cd to {target}: {reason}", 1 if shell.dialect is Dialect.BASH else 2)


def _cannot(message: str, status: int) -> int:
    raise CommandFailed(message, status)


def _go(shell: Shell, target: str, *, physical: bool) -> bool:
    process = shell.process
    path = posixpath.join(process.cwd, target) if target else process.cwd
    path = real_path(process.fs, path) if physical else posixpath.normpath(path)
    path = "/" + path.lstrip("/")
    try:
        fs = process.fs.acting_as(process.fs.caller, cwd=path)
        if not stat.S_ISDIR(fs.stat(path).st_mode) or not fs.access(path, os.X_OK):
            return False
    except (OSError, ValueError):
        return False
    shell.variables.set("OLDPWD", process.cwd)
    shell.variables.set("PWD", path)
    process.fs, process.cwd = fs, path
    return True


def real_path(fs: Posix, path: str) -> str:
    """``path`` with its symbolic links resolved, as far as it exists."""
    done, links = "/", 0
    todo = [part for part in path.split("/") if part][::-1]
    while todo:
        part = todo.pop()
        if part in (".", ".."):
            done = posixpath.dirname(done) if part == ".." else done
            continue
        step = posixpath.join(done, part)
        try:
            if links < 40 and stat.S_ISLNK(fs.lstat(step).st_mode):
                links += 1
                target = fs.readlink(step)
                done = "/" if target.startswith("/") else done
                todo += [piece for piece in target.split("/") if piece][::-1]
                continue
        except OSError:
            pass
        done = step
    return done


def pwd(shell: Shell, words: Sequence[str]) -> int:
    """``pwd [-LP]``."""
    given, _ = letters(words, "LP")
    path = shell.process.cwd
    shell.say((real_path(shell.fs, path) if given.endswith("P") else path) + "\n")
    return 0


def umask(shell: Shell, words: Sequence[str]) -> int:
    """``umask [-S] [mask]``: show or set which permissions new files lack."""
    given, arguments = letters(words, "S")
    process = shell.process
    mask = process.fs.caller.umask
    if not arguments:
        if "S" in given:
            granted = (
                "".join(c for c, bit in zip("rwx", (4, 2, 1), strict=True) if ~mask >> s & bit)
                for s in (6, 3, 0)
            )
            shell.say(",".join(f"{who}={bits}" for who, bits in zip("ugo", granted, strict=True)) + "\n")
        else:
            shell.say(f"{mask:04o}\n")
        return 0
    text = arguments[0]
    if text.isascii() and text.isdigit() and not set(text) & {"8", "9"} and int(text, 8) <= 0o777:
        mask = int(text, 8)
    elif text.isdigit():
        raise CommandFailed(f"Illegal number: {text}", 2)
    else:
        mask = _symbolic(mask, text)
    process.fs = process.fs.acting_as(replace(process.fs.caller, umask=mask), cwd=process.cwd)
    return 0


_PLACES = {"u": (6,), "g": (3,), "o": (0,), "a": (6, 3, 0)}


def _symbolic(mask: int, text: str) -> int:
    """``mask`` after a symbolic mode such as ``u=rwx,g-w``, which says what is granted."""
    granted = ~mask & 0o777
    for clause in text.split(","):
        at = next((index for index, c in enumerate(clause) if c in "+-="), -1)
        who, operator, permissions = clause[:at] or "a", clause[at : at + 1], clause[at + 1 :]
        if at < 0 or set(who) - set("ugoa") or set(permissions) - set("rwx"):
            raise CommandFailed(f"Illegal mode: {text}", 2)
        bits = sum({"r": 4, "w": 2, "x": 1}[letter] for letter in set(permissions))
        for shift in (place for letter in who for place in _PLACES[letter]):
            old = granted >> shift & 7
            new = old | bits if operator == "+" else old & ~bits if operator == "-" else bits
            granted = granted & ~(7 << shift) | new << shift
    return ~granted & 0o777


def ulimit(shell: Shell, words: Sequence[str]) -> int:
    """``ulimit``: nothing is limited here; a limit cannot be set."""
    _given, arguments = letters(words, "HSacdefilmnpqrstuvwx")
    if arguments and arguments[0] != "unlimited":
        raise CommandFailed("limits are not simulated: leave it out, or write ulimit … || :", 2)
    if not arguments:
        shell.say("unlimited\n")
    return 0


# ---- children ----------------------------------------------------------------------------------


def wait(shell: Shell, words: Sequence[str]) -> int:
    """``wait [pid…]``: until the processes in the background have ended; the status of the last."""
    scheduler = shell.machine.scheduler
    pids = operands(words)
    if not pids:
        scheduler.block(lambda: all(task.done for task in shell.jobs) or bool(shell.signals))
        if shell.signals:
            return 128 + shell.signals[0]
        shell.jobs.clear()
        return 0
    status = 0
    for text in pids:
        task = next((job for job in shell.jobs if str(job.pid) == text.lstrip("%")), None)
        if task is None:
            if not text.lstrip("%").isdigit():
                raise CommandFailed(f"Illegal number: {text}", 2)
            status = 127
            continue
        scheduler.block(lambda job=task: job.done or bool(shell.signals))  # type: ignore[misc]
        if shell.signals and not task.done:
            return 128 + shell.signals[0]
        status = task.status
        shell.jobs.remove(task)
    return status


def jobs(shell: Shell, words: Sequence[str]) -> int:
    """``jobs [-p]``: the processes in the background that have not ended."""
    given, _ = letters(words, "lp")
    for number, task in enumerate(shell.jobs, 1):
        if not task.done:
            shell.say(f"{task.pid}\n" if "p" in given else f"[{number}] + {task.pid} Running\n")
    return 0


def kill(shell: Shell, words: Sequence[str]) -> int:
    """``kill [-s name | -name] pid…``: send a signal; ``-l`` lists them."""
    arguments = list(words[1:])
    signal = 15
    if arguments[:1] == ["-l"]:
        shell.say("\n".join(NAMES[1:]) + "\n")
        return 0
    if arguments and arguments[0].startswith("-") and arguments[0] != "--":
        option = arguments.pop(0)
        name = (arguments.pop(0) if arguments else "") if option in ("-s", "-n") else option[1:]
        found = signal_number(name)
        if found is None:
            raise CommandFailed(
                f"bad signal {name}" if option in ("-s", "-n") else f"Illegal option -{name[:1]}", 2
            )
        signal = found
    arguments = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not arguments:
        raise CommandFailed("Usage: kill [-s sigspec | -signum | -sigspec] pid...", 2)
    status = 0
    for text in arguments:
        if not text.isdigit():
            raise CommandFailed(f"Illegal number: {text}", 2)
        if not shell.machine.scheduler.signal(int(text), signal):
            shell.complain("No such process", command="kill")
            status = 1
    return status


# ---- printing -----------------------------------------------------------------------------------


def echo(shell: Shell, words: Sequence[str]) -> int:
    """``echo``: dash's understands escapes and only -n; busybox's and bash's understand -e."""
    if shell.dialect is not Dialect.DASH:
        data = echoed(words[1:])
    else:
        given = words[1:]
        newline = given[:1] != ["-n"]
        text = " ".join(given if newline else given[1:]).encode("utf-8", "surrogateescape")
        data, stopped = unescape(text) if b"\\" in text else (text, False)
        if newline and not stopped:
            data += b"\n"
    stream = shell.fds.get(1)
    if stream is None:
        raise OSError(9, "I/O error")
    stream.write(data)
    return 0


def printf(shell: Shell, words: Sequence[str]) -> int:
    """``printf format [argument…]``; ``-v name`` sets a variable (bash)."""
    arguments = list(operands(words))
    name = None
    if arguments[:1] == ["-v"] and shell.dialect is Dialect.BASH and len(arguments) > 2:
        name, arguments = arguments[1], arguments[2:]
    if not arguments:
        raise CommandFailed("usage: printf format [arg ...]", 2)
    result = formatted(arguments[0], arguments[1:], shell.machine.account_memory)
    if name is not None:
        shell.variables.set(name, bytes(result.output).decode("utf-8", "surrogateescape"))
    elif result.output:
        stream = shell.fds.get(1)
        if stream is None:
            raise OSError(9, "I/O error")
        stream.write(bytes(result.output))
    for complaint in result.complaints:
        shell.complain(complaint, command="printf")
    return result.status


def test(shell: Shell, words: Sequence[str]) -> int:
    """``test`` and ``[``."""
    expression = list(words[1:])
    if words[0] == "[":
        if expression[-1:] != ["]"]:
            raise CommandFailed("missing ]", 2)
        expression.pop()
    try:
        return int(not Expression(expression, shell.fs, lambda _: False).value())
    except TestError as error:
        text = str(error)
        if text.endswith(": bad number") and shell.dialect is Dialect.DASH:
            text = f"Illegal number: {text.removesuffix(': bad number')}"
        raise CommandFailed(text, 2) from None
