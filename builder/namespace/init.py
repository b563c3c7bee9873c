"""What the first process of a sandbox does until it is the command, and what is done beside it.

``become`` runs in a child that the helper cloned into new mount, pid, ipc and uts namespaces (and a network
namespace, if asked for).
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import termios
from collections.abc import Sequence
from typing import Final, NoReturn

from builder.errors import BuildError
from builder.namespace import mounts, pivot, syscalls
from builder.namespace.channel import Channel, Message
from builder.namespace.command import execute
from builder.namespace.sandbox import Sandbox
from builder.namespace.stack import Ownership
from builder.namespace.wire import error_told

_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP_RUNNING: Final = 0x41
_TIOCGPTPEER: Final = 0x5441


def flags(message: Message) -> int:
    """The namespaces that the sandbox of a request gets."""
    own = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
    return own if message["network"] else own | syscalls.CLONE_NEWNET


def become(channel: Channel, message: Message, descriptors: list[int]) -> NoReturn:
    """Make the sandbox and become its command; raises what hinders that. A good execve closes the channel."""
    sandbox = Sandbox.of(message)
    ownership = Ownership(sandbox.stack["ownership"])
    os.setsid()
    count = 3 if sandbox.terminal is None else 0
    streams(descriptors[:count])
    socket.sethostname(sandbox.hostname)
    if not sandbox.network:
        loopback_up()
    pivot.enter(sandbox, descriptors[count:])
    if sandbox.counts_mounts:
        channel.send({"mounts": mounts.count()})
    if sandbox.terminal is not None:
        terminal(channel, sandbox.terminal)
    execute(sandbox, ownership)


def streams(descriptors: Sequence[int]) -> None:
    """stdin, stdout, stderr: what came along, in this order."""
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)


def terminal(channel: Channel, size: tuple[int, int]) -> None:
    """A terminal made in the sandbox, so that it has a name there; its master end goes out."""
    master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    fcntl.ioctl(master, getattr(termios, "TIOCSPTLCK", 0x40045431), struct.pack("i", 0))
    slave = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for standard in range(3):
        os.dup2(slave, standard)
    channel.send({"terminal": True}, [master])
    os.close(master)
    if slave > 2:
        os.close(slave)


def loopback_up() -> None:
    """Let a new network namespace have its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP_RUNNING))


# ---- beside a command that runs ----


def join(channel: Channel, message: Message, descriptors: list[int]) -> None:
    """One more command in a sandbox that runs: the first descriptor is a pidfd of its first process.

    The command is a child of this process, because a pid namespace is only entered by children; this one
    reports how it ended.
    """
    sandbox = Sandbox.of({**message, "verb": "run"})
    ownership = Ownership(sandbox.stack["ownership"])
    namespaces = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
    syscalls.join(descriptors[0], namespaces | (0 if sandbox.network else syscalls.CLONE_NEWNET))
    os.close(descriptors[0])
    child = os.fork()
    if child == 0:
        _join_as_child(channel, sandbox, ownership, descriptors[1:])
    pidfd = os.pidfd_open(child)
    channel.send({"started": True}, [pidfd])
    os.close(pidfd)
    _, status = os.waitpid(child, 0)
    channel.send({"exited": os.waitstatus_to_exitcode(status)})


def _join_as_child(
    channel: Channel, sandbox: Sandbox, ownership: Ownership, descriptors: Sequence[int]
) -> NoReturn:
    try:
        os.setsid()
        streams(descriptors)
        if sandbox.terminal is not None:
            terminal(channel, sandbox.terminal)
        execute(sandbox, ownership)
    except (BuildError, OSError) as error:
        channel.send({"failed": error_told(error)})
    finally:
        os._exit(127)


def forward(channel: Channel, _: Message, descriptors: list[int]) -> None:
    """Hand out connections to ports of a sandbox's own network, whose pidfd came along.

    For each ``{"port": N}`` a connected socket goes out, or an error.
    """
    syscalls.join(descriptors[0], syscalls.CLONE_NEWNET)
    os.close(descriptors[0])
    while (received := channel.receive()) is not None:
        question = received[0]
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with connection:
            number = connection.connect_ex(("127.0.0.1", question["port"]))
            if number:
                channel.send({"refused": number})
            else:
                channel.send({"connected": True}, [connection.fileno()])
