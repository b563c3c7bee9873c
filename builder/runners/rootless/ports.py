"""``run -p``: ports of this machine that lead to ports of a sandbox's own network.

The sandbox's network has no cable: a task of the helper joins it, connects inside, and hands each connected
socket out (SCM_RIGHTS). So neither a bridge nor root is needed, and a port below 1024 inside is free.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
from typing import Final

from builder.errors import BuildError
from builder.namespace.channel import Channel
from builder.namespace.userns import UserNamespace
from builder.runners.rootless.relay import relay

_BACKLOG: Final = 512


class Inside:
    """The network of a running sandbox, from outside. Safe for threads. ``pidfd``: of its first process."""

    def __init__(self, namespace: UserNamespace, pidfd: int) -> None:
        self._channel: Channel = namespace.request({"verb": "forward"}, [pidfd])
        self._lock = threading.Lock()

    def connect(self, port: int) -> socket.socket:
        """A connection to the port; OSError as the kernel has it, ECONNREFUSED if nobody listens."""
        with self._lock:
            try:
                self._channel.send({"port": port})
                received = self._channel.receive()
            except BrokenPipeError:
                received = None
        if received is None:
            raise OSError(errno.ENETDOWN, os.strerror(errno.ENETDOWN))
        message, descriptors = received
        if not descriptors:
            number = message.get("refused", errno.ENETDOWN)
            raise OSError(number, os.strerror(number))
        return socket.socket(fileno=descriptors[0])

    def close(self) -> None:
        """End the task; connections that are open stay."""
        with self._lock:
            self._channel.close()


class Published:
    """A port of this machine that leads inside, until it is closed. ``outer``: (address, port; 0: any)."""

    def __init__(self, inside: Inside, outer: tuple[str, int], inner: int) -> None:
        self._inside = inside
        self._inner = inner
        try:
            self._listening = socket.create_server(outer, backlog=_BACKLOG)
        except PermissionError:
            raise BuildError(
                f"port {outer[1]} of this machine is root's (below net.ipv4.ip_unprivileged_port_start)",
                fix=f"take another one: -p {outer[1] + 8000}:{inner}",
            ) from None
        except OSError as error:
            raise BuildError(
                f"cannot listen on {outer[0]}:{outer[1]}: {error.strerror}", fix="is it in use?"
            ) from None
        self.address: tuple[str, int] = self._listening.getsockname()[:2]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Listen no longer."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                outer, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(outer,), daemon=True).start()

    def _lead(self, outer: socket.socket) -> None:
        try:
            inner = self._inside.connect(self._inner)
        except OSError:
            outer.close()  # nobody listens (yet): the caller sees its connection closed
            return
        relay(inner, outer)
