"""The few system calls that Python 3.11 lacks; the only user of ctypes in the builder.

Each raises OSError that names the call. Paths are ``str`` (surrogateescape); descriptors that come back are
closed on exec. Numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

CLONE_NEWNS: Final = 0x0002_0000
CLONE_NEWUTS: Final = 0x0400_0000
CLONE_NEWIPC: Final = 0x0800_0000
CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWPID: Final = 0x2000_0000
CLONE_NEWNET: Final = 0x4000_0000
MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18
MNT_DETACH: Final = 2
PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
_PR_SET_NAME: Final = 15
PR_CAPBSET_DROP: Final = 24
PR_SET_NO_NEW_PRIVS: Final = 38

MOUNT_ATTR_RDONLY: Final = 1
MOUNT_ATTR_NOSUID: Final = 2
MOUNT_ATTR_NODEV: Final = 4
MOUNT_ATTR_NOEXEC: Final = 8
MOUNT_ATTR_IDMAP: Final = 0x0010_0000

RESOLVE_NO_XDEV: Final = 0x01
RESOLVE_NO_MAGICLINKS: Final = 0x02
RESOLVE_NO_SYMLINKS: Final = 0x04
RESOLVE_BENEATH: Final = 0x08
RESOLVE_IN_ROOT: Final = 0x10

_AT_FDCWD: Final = -100
_AT_EMPTY_PATH: Final = 0x1000
_AT_RECURSIVE: Final = 0x8000
_OPEN_TREE_CLONE: Final = 1
_MOVE_MOUNT_F_EMPTY_PATH: Final = 4
_FSOPEN_CLOEXEC: Final = 1
_FSCONFIG_SET_FLAG: Final = 0
_FSCONFIG_SET_STRING: Final = 1
_FSCONFIG_CMD_CREATE: Final = 6
_FSMOUNT_CLOEXEC: Final = 1
_SECCOMP_SET_MODE_FILTER: Final = 1
_KEYCTL_JOIN_SESSION_KEYRING: Final = 1

NUMBERS: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "x86_64": MappingProxyType(
            {"clone": 56, "pivot_root": 155, "seccomp": 317, "keyctl": 250, "setns": 308}
        ),
        "aarch64": MappingProxyType(
            {"clone": 220, "pivot_root": 41, "seccomp": 277, "keyctl": 219, "setns": 268}
        ),
    }
)
"""Calls whose number depends on the machine (``os.uname().machine``)."""

_EVERYWHERE: Final[Mapping[str, int]] = MappingProxyType(
    {
        "open_tree": 428,
        "move_mount": 429,
        "fsopen": 430,
        "fsconfig": 431,
        "fsmount": 432,
        "close_range": 436,
        "openat2": 437,
        "mount_setattr": 442,
    }
)


@cache
def _libc() -> Any:
    # PyDLL keeps the GIL, so that no other thread runs between a call and its errno, nor around a fork.
    return ctypes.PyDLL(None, use_errno=True)


@cache
def _syscall() -> Any:
    function = _libc().syscall
    function.restype = ctypes.c_long
    return function


@cache
def _number(name: str) -> int:
    known = _EVERYWHERE.get(name)
    if known is None:
        known = NUMBERS.get(os.uname().machine, {}).get(name)
    if known is None:
        raise OSError(38, f"{name}: this machine's system calls are not known: {os.uname().machine}")
    return known


def _checked(name: str, status: int, path: str | None = None) -> int:
    if status < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}", path)
    return status


def _call(
    name: str, *arguments: int | str | bytes | ctypes.Array[Any] | None, path: str | None = None
) -> int:
    """What the system call ``name`` returns."""
    converted = [
        os.fsencode(each) if isinstance(each, str) else ctypes.c_long(each) if isinstance(each, int) else each
        for each in arguments
    ]
    return _checked(name, _syscall()(ctypes.c_long(_number(name)), *converted), path)


# ---- processes and namespaces ----


def unshare(flags: int) -> None:
    """Leave namespaces for new ones (unshare(2))."""
    _checked("unshare", _libc().unshare(ctypes.c_int(flags)))


def join(descriptor: int, flags: int) -> None:
    """Enter namespaces of the process that a pidfd refers to (setns(2))."""
    _checked("setns", _libc().setns(ctypes.c_int(descriptor), ctypes.c_int(flags)))


def clone(flags: int) -> int:
    """A fork whose child is in new namespaces (clone(2)): one process less than unshare and fork.

    Only for a process without other threads: libc is not told of it, and a thread that waits for the
    interpreter's lock would be waited for in the child, where it is not.
    """
    child = _call("clone", flags | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    return child


def die_with_parent() -> None:
    """From now on the kernel kills this process when the thread that forked it ends (prctl(2)).

    A later change of credentials takes it back; a parent that is dead already is not noticed.
    """
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def prctl(operation: int, argument: int = 0) -> None:
    """Change something of this process (prctl(2))."""
    _checked(
        "prctl",
        _libc().prctl(
            ctypes.c_int(operation),
            ctypes.c_ulong(argument),
            ctypes.c_ulong(0),
            ctypes.c_ulong(0),
            ctypes.c_ulong(0),
        ),
    )


def rename_process(name: str) -> None:
    """Be called ``name`` in lists of processes, and show neither arguments nor environment any more.

    Where the kernel keeps both is told by proc_pid_stat(5); nothing of this process may use them afterwards.
    """
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[48])  # arg_start and env_end; the third field is the first here
    written = os.fsencode(name)[: end - start - 1]
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, written, len(written))
    _checked(
        "prctl",
        _libc().prctl(
            ctypes.c_int(_PR_SET_NAME), ctypes.create_string_buffer(os.fsencode(name)[-15:]), 0, 0, 0
        ),
    )


def close_from(lowest: int) -> None:
    """Close every descriptor from ``lowest`` on (close_range(2)); one by one on an old kernel."""
    try:
        _call("close_range", lowest, 0xFFFF_FFFF, 0)
    except OSError:
        os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))


def join_new_keyring() -> None:
    """Give this process a session keyring of its own (keyctl(2)); the caller's is not to be seen."""
    _call("keyctl", _KEYCTL_JOIN_SESSION_KEYRING, None)


def filter_calls(program: bytes) -> None:
    """Install a seccomp filter for this process and all that come from it (seccomp(2)).

    ``program``: classic BPF instructions of eight bytes. Needs no_new_privs or CAP_SYS_ADMIN.
    """
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions, padded, and where they are.
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    _call("seccomp", _SECCOMP_SET_MODE_FILTER, 0, ctypes.create_string_buffer(header, len(header)))


# ---- mounts by path ----


def mount(source: str, target: str, kind: str | None, flags: int = 0, options: str | None = None) -> None:
    """Attach a file system (mount(2))."""
    status = _libc().mount(
        os.fsencode(source),
        os.fsencode(target),
        os.fsencode(kind) if kind is not None else None,
        ctypes.c_ulong(flags),
        os.fsencode(options) if options is not None else None,
    )
    _checked("mount", status, target)


def unmount(target: str, flags: int = MNT_DETACH) -> None:
    """Detach a file system, even one in use (umount2(2))."""
    _checked("umount", _libc().umount2(os.fsencode(target), ctypes.c_int(flags)), target)


def pivot_root(new: str, old: str) -> None:
    """Make ``new`` the root of this mount namespace and put the old one at ``old`` (pivot_root(2))."""
    _call("pivot_root", new, old, path=new)


# ---- mounts by descriptor ----


def fsopen(kind: str) -> int:
    """A file system of this type, not yet configured (fsopen(2))."""
    return _call("fsopen", kind, _FSOPEN_CLOEXEC, path=kind)


def fsconfig_string(descriptor: int, key: str, value: str) -> None:
    """Set an option (fsconfig(2), FSCONFIG_SET_STRING)."""
    _call("fsconfig", descriptor, _FSCONFIG_SET_STRING, key, value, 0, path=f"{key}={value}")


def fsconfig_flag(descriptor: int, key: str) -> None:
    """Set an option without a value (fsconfig(2), FSCONFIG_SET_FLAG)."""
    _call("fsconfig", descriptor, _FSCONFIG_SET_FLAG, key, None, 0, path=key)


def fsconfig_create(descriptor: int) -> None:
    """Make the file system as configured (fsconfig(2), FSCONFIG_CMD_CREATE)."""
    _call("fsconfig", descriptor, _FSCONFIG_CMD_CREATE, None, None, 0)


def fsmount(descriptor: int, attributes: int = 0) -> int:
    """A mount of the file system, attached nowhere (fsmount(2)). ``attributes``: MOUNT_ATTR_*."""
    return _call("fsmount", descriptor, _FSMOUNT_CLOEXEC, attributes)


def open_tree(path: str, *, directory: int = _AT_FDCWD, recursive: bool = False) -> int:
    """A copy of the mount at ``path`` (of a part of it, as a bind mount), attached nowhere (open_tree(2)).

    An empty path means ``directory`` itself.
    """
    flags = _OPEN_TREE_CLONE | os.O_CLOEXEC
    flags |= _AT_RECURSIVE if recursive else 0
    flags |= 0 if path else _AT_EMPTY_PATH
    return _call("open_tree", directory, path, flags, path=path or None)


def move_mount(mounted: int, target: str, *, directory: int = _AT_FDCWD) -> None:
    """Attach a detached mount (move_mount(2)); a symlink at the end of ``target`` is not followed."""
    _call("move_mount", mounted, "", directory, target, _MOVE_MOUNT_F_EMPTY_PATH, path=target)


def mount_setattr(mounted: int, attributes: int, *, recursive: bool = False, user_namespace: int = 0) -> None:
    """Set attributes of a mount, MOUNT_ATTR_* (mount_setattr(2)); IDMAP: as ``user_namespace`` maps ids."""
    structure = (ctypes.c_uint64 * 4)(attributes, 0, 0, user_namespace)
    flags = _AT_EMPTY_PATH | (_AT_RECURSIVE if recursive else 0)
    _call("mount_setattr", mounted, "", flags, structure, 32)


def openat2(directory: int, path: str, flags: int, resolve: int) -> int:
    """Open below ``directory`` with rules for the way there, RESOLVE_* (openat2(2))."""
    how = (ctypes.c_uint64 * 3)(flags | os.O_CLOEXEC, 0, resolve)
    return _call("openat2", directory, path, how, 24, path=path)
