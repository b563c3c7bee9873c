"""Messages between the builder and its helper inside a user namespace: JSON, and descriptors beside it.

A message is four bytes of length and a JSON document; descriptors travel with its first byte (SCM_RIGHTS,
unix(7)).
"""

from __future__ import annotations

import array
import json
import os
import socket
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

Message: TypeAlias = dict[str, Any]

_MAX_DESCRIPTORS: Final = 250
_ROOM: Final = socket.CMSG_SPACE(_MAX_DESCRIPTORS * array.array("i").itemsize)
_PIECE: Final = 1 << 20


class Channel:
    """One end of a connection. Not safe for threads."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Two ends that are connected."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return cls(one), cls(other)

    @classmethod
    def of(cls, descriptor: int) -> Channel:
        """The end that a descriptor is; it belongs to the channel from now on."""
        return cls(socket.socket(fileno=descriptor))

    def fileno(self) -> int:
        """The descriptor, to wait for."""
        return self._connection.fileno()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send a message, and copies of ``descriptors``; BrokenPipeError if nobody listens any more."""
        body = json.dumps(message).encode()
        framed = len(body).to_bytes(4, "big") + body
        sent = socket.send_fds(self._connection, [framed], list(descriptors)) if descriptors else 0
        if sent < len(framed):
            self._connection.sendall(framed[sent:])

    def receive(self) -> tuple[Message, list[int]] | None:
        """The next message and its descriptors; None if the other end is gone, even amid a message."""
        descriptors: list[int] = []
        try:
            # Not socket.recv_fds: it forgets its flags (Python 3.11 to 3.13).
            head, beside, _, _ = self._connection.recvmsg(4, _ROOM, socket.MSG_CMSG_CLOEXEC)
            descriptors = _descriptors(beside)
            if head:
                head += self._exactly(4 - len(head))
                return json.loads(self._exactly(int.from_bytes(head, "big"))), descriptors
        except (ConnectionResetError, EOFError):
            pass
        for each in descriptors:
            os.close(each)
        return None

    def _exactly(self, size: int) -> bytes:
        """The next ``size`` bytes; EOFError if there are fewer."""
        pieces = []
        while size:
            piece = self._connection.recv(min(size, _PIECE))
            if not piece:
                raise EOFError
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Let go of this end; idempotent."""
        self._connection.close()


def _descriptors(beside: Sequence[tuple[int, int, bytes]]) -> list[int]:
    """The descriptors among what came beside a message."""
    found = array.array("i")
    for level, kind, data in beside:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return found.tolist()
