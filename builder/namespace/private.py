"""Namespaces for one command: what is mounted there nobody else sees, and it ends with whoever made them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence

from builder.namespace import syscalls

TERMINAL_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name))
"""What a terminal sends to everybody in the foreground, and what only the command may answer."""


def enter_mounts() -> None:
    """Leave the mounts of others; without root as root of a user namespace of its own."""
    if os.geteuid() == 0:
        syscalls.unshare(syscalls.CLONE_NEWNS)
    else:
        uid, gid = os.geteuid(), os.getegid()
        syscalls.unshare(syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"0 {uid} 1")
        _write("/proc/self/gid_map", f"0 {gid} 1")
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)


def _write(path: str, text: str) -> None:
    # No text file: that may import a codec, and who has just lost an owner's rights may not read it any more.
    descriptor = os.open(path, os.O_WRONLY)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def exit_status(status: int) -> int:
    """A shell's number for a status of waitpid(2): 128 and the signal, if one ended it."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def run_enclosed(command: Sequence[str], directory: str, restore: Callable[[], None]) -> int:
    """The status of ``command``, run in ``directory`` with all its children in a pid namespace of their own.

    Whatever it leaves behind ends with it, and all of it ends if this process does. ``restore`` is called in
    the command's process before it starts.
    """
    syscalls.unshare(syscalls.CLONE_NEWPID)
    first = os.fork()
    if first == 0:
        syscalls.die_with_parent()
        try:
            os._exit(_first_process(command, directory, restore))
        finally:
            os._exit(126)
    _, status = os.waitpid(first, 0)
    return exit_status(status)


def _first_process(command: Sequence[str], directory: str, restore: Callable[[], None]) -> int:
    """Process 1, which no signal but the kernel's own ends: starts the command and buries orphans."""
    try:
        flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
        syscalls.mount("proc", "/proc", "proc", flags)
    except OSError:
        pass  # forbidden where /proc is partly covered (a container); the old one serves, with outer numbers
    child = os.fork()
    if child == 0:
        _become(command, directory, restore)
    while True:
        ended, status = os.wait()
        if ended == child:
            return exit_status(status)


def _become(command: Sequence[str], directory: str, restore: Callable[[], None]) -> None:
    status = 126
    try:
        os.chdir(directory)
        restore()
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp(command[0], list(command))
    except OSError as error:
        status = 127 if isinstance(error, FileNotFoundError) else 126
        os.write(2, f"layerlab: {command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(status)
