"""Mounts what a FUSE server serves: for everybody to see, or for one command in namespaces of its own."""

from __future__ import annotations

import array
import enum
import errno
import os
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Final

from builder.errors import BuildError
from builder.namespace import syscalls

DEVICE: Final = "/dev/fuse"


class Access(enum.Enum):
    """Whether the kernel lets anybody write; a union without an upper is read-only."""

    READ_WRITE = 0
    READ_ONLY = syscalls.MS_RDONLY


def mounted_for_all(
    directory: str, serve: Callable[[int], None], *, ready: Callable[[], None], access: Access
) -> None:
    """Mount at ``directory`` and serve until somebody unmounts it or a KeyboardInterrupt; then it is gone.

    Needs root (CAP_SYS_ADMIN). BuildError says what is missing.
    """
    descriptor = _device()
    try:
        _mount(descriptor, directory, access)
        try:
            ready()
            serve(descriptor)
        finally:
            _unmount(directory)
    finally:
        os.close(descriptor)


def _unmount(directory: str) -> None:
    try:
        syscalls.unmount(directory)
    except OSError as error:
        if error.errno != errno.EINVAL:  # somebody else unmounted it
            raise


def mounted_for(
    command: Sequence[str], directory: str, serve: Callable[[int], None], *, access: Access
) -> int:
    """The exit status of ``command``, run in ``directory`` where only it sees what is served.

    Without root it gets a user namespace of its own, in which it is root.
    """
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _become(command, directory, theirs, access)
    theirs.close()
    with ours:
        descriptor = _received(ours)
    if descriptor is not None:
        try:
            serve(descriptor)
        finally:
            # If the server ends first, whoever still asks gets ENOTCONN instead of waiting for ever.
            os.close(descriptor)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _become(command: Sequence[str], directory: str, parent: socket.socket, access: Access) -> None:
    """In the child: namespaces, mount, hand the descriptor over, become the command."""
    status = 126
    try:
        _own_namespaces()
        descriptor = _device()
        _mount(descriptor, directory, access)
        parent.sendmsg([b"m"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))])
        os.close(descriptor)
        parent.close()
        os.chdir(directory)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp(command[0], list(command))
    except (BuildError, OSError) as error:
        status = 127 if isinstance(error, FileNotFoundError) else 126
        os.write(2, f"layerlab: {command[0]}: {error}\n".encode())
    finally:
        os._exit(status)


def _own_namespaces() -> None:
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
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _device() -> int:
    try:
        return os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        fix = (
            "it needs mode 0666, or root" if error.errno == errno.EACCES else "load the kernel's fuse module"
        )
        raise BuildError(f"cannot open it: {error.strerror}", where=DEVICE, fix=fix) from None


def _mount(descriptor: int, directory: str, access: Access) -> None:
    options = f"fd={descriptor},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | access.value
    try:
        syscalls.mount("layerlab", directory, "fuse.layerlab", flags, options)
    except OSError as error:
        fix = "mounting for all to see needs root; give a command, and it gets a namespace of its own"
        raise BuildError(f"{error.strerror}", where=directory, fix=fix) from None


def _received(parent: socket.socket) -> int | None:
    """The descriptor that the child sends; None if it died before."""
    _, ancillary, _, _ = parent.recvmsg(1, socket.CMSG_SPACE(4))
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            return array.array("i", data[:4])[0]
    return None
