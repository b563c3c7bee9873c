"""Mounts what a FUSE server serves: for everybody to see, or for one command in namespaces of its own."""

from __future__ import annotations

import array
import contextlib
import enum
import errno
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from builder.errors import BuildError
from builder.namespace import private, syscalls

DEVICE: Final = "/dev/fuse"


class Access(enum.Enum):
    """Whether the kernel lets anybody write; a union without an upper is read-only."""

    READ_WRITE = 0
    READ_ONLY = syscalls.MS_RDONLY


@dataclass(frozen=True)
class Place:
    """Where to mount, how, and through which node of the FUSE device."""

    directory: str
    access: Access = Access.READ_WRITE
    device: str = DEVICE


def mounted_for_all(place: Place, serve: Callable[[int], None], *, ready: Callable[[], None]) -> None:
    """Mount and serve until somebody unmounts it, or SIGINT, SIGTERM or SIGHUP; then it is gone.

    It is gone after a SIGKILL too. Needs root (CAP_SYS_ADMIN). BuildError says what is missing.
    """
    with _guarded(place.directory):
        descriptor = _opened(place.device)
        try:
            _mount(descriptor, place)
            try:
                with _ended_by(signal.SIGTERM, signal.SIGHUP):
                    ready()
                    serve(descriptor)
            finally:
                _unmount(place.directory)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _guarded(directory: str) -> Iterator[None]:
    """A process beside this one unmounts ``directory`` if this one is killed inside of the block."""
    listens, speaks = os.pipe()
    guardian = os.fork()
    if guardian == 0:
        os.close(speaks)
        _guard(listens, directory)
    os.close(listens)
    try:
        yield
    finally:
        os.write(speaks, b"d")
        os.close(speaks)
        os.waitpid(guardian, 0)


def _guard(listens: int, directory: str) -> NoReturn:
    try:
        os.setsid()  # a terminal's signals are not for it
        null = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(null, standard)  # else whoever reads the server's output waits for the guardian too
        if os.read(listens, 1) == b"" and _is_dead(directory):
            syscalls.unmount(directory)
    finally:
        os._exit(0)


def _is_dead(directory: str) -> bool:
    """Whether a file system whose server is gone is mounted here; others are not ours to unmount."""
    try:
        os.statvfs(directory)
    except OSError as error:
        return error.errno in (errno.ENOTCONN, errno.ECONNABORTED)
    return False


@contextlib.contextmanager
def _ended_by(*signals: signal.Signals) -> Iterator[None]:
    """These signals end the block as SystemExit does, with a shell's number."""

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = [(each, signal.signal(each, leave)) for each in signals]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)


def _unmount(directory: str) -> None:
    try:
        syscalls.unmount(directory)
    except OSError as error:
        if error.errno != errno.EINVAL:  # somebody else unmounted it
            raise


def mounted_for(place: Place, serve: Callable[[int], None], command: Sequence[str]) -> int:
    """The exit status of ``command``, run in the mounted directory, where only it sees what is served.

    Without root it gets a user namespace of its own, in which it is root. What it leaves running ends with
    it; if this process dies, it dies too. Ctrl-C is the command's to answer.
    """
    ours, theirs = socket.socketpair()
    with _left_to_the_command() as restore:
        child = os.fork()
        if child == 0:
            ours.close()

            def mount() -> None:
                descriptor = _opened(place.device)
                _mount(descriptor, place)
                _hand_over(descriptor, theirs)

            _enclose(mount, command, place.directory, restore)
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
    return private.exit_status(status)


@contextlib.contextmanager
def _left_to_the_command() -> Iterator[Callable[[], None]]:
    """Ignore a terminal's signals inside of the block; gives what undoes that in the command's process."""
    before = {each: signal.signal(each, signal.SIG_IGN) for each in private.TERMINAL_SIGNALS}

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, signal.SIG_IGN if handler is signal.SIG_IGN else signal.SIG_DFL)

    try:
        yield restore
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _enclose(
    mount: Callable[[], None], command: Sequence[str], directory: str, restore: Callable[[], None]
) -> NoReturn:
    """In the child: namespaces, ``mount`` in them, and the command in the midst of it."""
    status = 126
    try:
        private.enter_mounts()
        syscalls.die_with_parent()  # not before: a change of credentials would take it back
        mount()
        status = private.run_enclosed(command, directory, restore)
    except (BuildError, OSError) as error:
        os.write(2, f"layerlab: {error}\n".encode())
    finally:
        os._exit(status)


def _hand_over(descriptor: int, parent: socket.socket) -> None:
    """Send the descriptor to the parent; fails if it died before this process would have died with it."""
    parent.sendmsg([b"m"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))])
    os.close(descriptor)
    parent.close()


def _opened(device: str) -> int:
    try:
        return os.open(device, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        fix = (
            "it needs mode 0666, or root" if error.errno == errno.EACCES else "load the kernel's fuse module"
        )
        raise BuildError(f"cannot open it: {error.strerror}", where=device, fix=fix) from None


def _mount(descriptor: int, place: Place) -> None:
    options = f"fd={descriptor},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | place.access.value
    try:
        syscalls.mount("layerlab", place.directory, "fuse.layerlab", flags, options)
    except OSError as error:
        if error.errno == errno.EPERM:
            fix = "mounting for all to see needs root; give a command, and it gets a namespace of its own"
        else:
            fix = f"is {place.device} the device of FUSE (10:229), and the directory there?"
        raise BuildError(f"{error.strerror}", where=place.directory, fix=fix) from None


def _received(parent: socket.socket) -> int | None:
    """The descriptor that the child sends; None if it died before."""
    _, ancillary, _, _ = parent.recvmsg(1, socket.CMSG_SPACE(4))
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            return array.array("i", data[:4])[0]
    return None
