"""The last steps of a sandbox's first process: it gives up what a build needs no power for, and executes."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, NoReturn

from builder.errors import StepFailedError
from builder.namespace import seccomp, syscalls
from builder.namespace.sandbox import Sandbox
from builder.namespace.stack import Ownership
from unionfs_sim.accounts import Identity, IdRangeError, UnknownAccountError, identity
from unionfs_sim.host.directory import HostDirectory, HostFile

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH where the image sets none (BuildKit ``system.DefaultPathEnvUnix``)."""

ONE_ID_APT: Final = "/etc/apt-one-id.conf"
"""Tells apt to stay root: in the stub layer, for sandboxes with a single id."""

KEPT_CAPABILITIES: Final = frozenset([0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31])
"""Docker's fourteen: CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW
SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP (capability.h)."""

TOY: Final = b"\x7fSIM"
"""How programs of the embedded base images begin."""

_LAST_CAPABILITY: Final = 40


def lessen() -> None:
    """Once, in the helper: take capabilities out of the bounding set, and write the filters of system calls.

    The helper keeps the capabilities that it has, because it executes nothing.
    """
    for capability in range(_LAST_CAPABILITY + 1):
        if capability not in KEPT_CAPABILITIES:
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, capability)
    machine = os.uname().machine
    if seccomp.knows(machine):
        for owners in seccomp.Owners:
            _filter(machine, owners)


@cache
def _filter(machine: str, owners: seccomp.Owners) -> bytes:
    return seccomp.to_bytes(seccomp.program(machine, owners))


def execute(sandbox: Sandbox, ownership: Ownership) -> NoReturn:
    """Give up what a build needs no power for, and become the command."""
    user = _user(sandbox.user)
    _make_directory(sandbox.cwd)
    _confine(sandbox, ownership)
    if ownership is not Ownership.KEPT:
        _switch(user)
    try:
        os.chdir(sandbox.cwd)
    except OSError as error:
        raise StepFailedError(
            f"cannot enter the working directory {sandbox.cwd}: {error.strerror}",
            fix="is it closed to the user that USER names?",
            exit_status=126,
        ) from None
    os.umask(0o022)
    env = {"PATH": DEFAULT_PATH, "HOSTNAME": sandbox.hostname, "HOME": user.home, **sandbox.env}
    if ownership is Ownership.KEPT:
        env.setdefault("APT_CONFIG", ONE_ID_APT)
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    _exec(sandbox.argv, env)


class Here(HostDirectory):
    """The root that this process is in: nothing outside can be named any more, so paths need no care."""

    def open(self, path: str | bytes, flags: int = 0, mode: int = 0o666, /) -> HostFile:
        """An open file; whatever it is, opening does not wait for anybody."""
        return HostFile(os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, mode))


def _user(text: str) -> Identity:
    """Who ``USER text`` means in this root. StepFailedError if nobody."""
    try:
        return identity(Here("/"), text)
    except UnknownAccountError as error:
        names = ", ".join(error.known)
        raise StepFailedError(
            f"unable to find user {text}: {error}",
            fix=f"make it first (RUN adduser …), or use a number; there are: {names}",
            exit_status=126,
        ) from None
    except IdRangeError as error:
        raise StepFailedError(f"USER {text}: {error}", exit_status=126) from None


def _make_directory(path: str) -> None:
    """The working directory, made if it does not exist, as runc does."""
    try:
        os.makedirs(path, 0o755, exist_ok=True)
    except OSError as error:
        raise StepFailedError(
            f"the working directory {path} cannot be made: {error.strerror}",
            fix="WORKDIR must name a directory; is something else there?",
            exit_status=126,
        ) from None


def _confine(sandbox: Sandbox, ownership: Ownership) -> None:
    for name, value in sandbox.limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    try:
        syscalls.join_new_keyring()
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EPERM, errno.EDQUOT):
            raise
    if sandbox.no_new_privileges:
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    machine = os.uname().machine
    if seccomp.knows(machine):
        owners = seccomp.Owners.PRETENDED if ownership is Ownership.KEPT else seccomp.Owners.REAL
        syscalls.filter_calls(_filter(machine, owners))


def _switch(user: Identity) -> None:
    try:
        if user.uid or user.gid or user.groups:
            os.setgroups(sorted(user.groups))
            os.setresgid(user.gid, user.gid, user.gid)
            os.setresuid(user.uid, user.uid, user.uid)
    except OSError as error:
        raise StepFailedError(
            f"cannot become user {user.uid}, group {user.gid}: {error.strerror}",
            fix="the range of /etc/subuid and /etc/subgid is too small for these ids",
            exit_status=126,
        ) from None


def _exec(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """execvp(3) with the PATH of ``env``; StepFailedError worded as runc words it."""
    name = argv[0]
    found = [name] if "/" in name else [f"{each or '.'}/{name}" for each in env["PATH"].split(":")]
    denied = None
    for path in found:
        try:
            os.execve(path, list(argv), dict(env))
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR) or "/" in name:
                denied = (path, error)
            if "/" in name:
                break
    raise _not_executed(name, denied)


def _why_no_program(path: str) -> str:
    try:
        with open(path, "rb") as file:
            is_toy = file.read(len(TOY)) == TOY
    except OSError:
        is_toy = False
    if is_toy:
        return (
            "the programs of this base image are toys of the simulated world, which no machine runs: "
            "load or pull a real base image (docker save NAME | layerlab load), or use --strategy simulated"
        )
    return "it is no program of this machine's kind: was the image made for another --platform?"


def _not_executed(name: str, denied: tuple[str, OSError] | None) -> StepFailedError:
    if denied is None:
        what = f'exec: "{name}": executable file not found in $PATH'
        return StepFailedError(what, fix="no such file in the PATH of the image", exit_status=127)
    path, error = denied
    fix: str | None = None
    if error.errno == errno.ENOENT:
        if os.path.exists(path):
            fix = "it is there, but the interpreter that it names, or its loader, is not"
        elif name in ("/bin/sh", "/bin/bash"):
            fix = 'the image has no shell: use the JSON form, RUN ["/path"], or an image that has one'
        else:
            fix = "is the path right?"
    elif error.errno == errno.ENOEXEC:
        fix = _why_no_program(path)
    status = 127 if error.errno == errno.ENOENT else 126
    what = f'exec: "{name}": {(error.strerror or "").lower()}'
    return StepFailedError(what, fix=fix, exit_status=status)
