"""Passes on what comes between two connections, until both directions have ended."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Final

_PIECE: Final = 1 << 16


def relay(one: socket.socket, other: socket.socket) -> None:
    """Pass on in both directions; both connections are closed at the end."""
    with one, other:
        back = threading.Thread(target=_pump, args=(other, one), daemon=True)
        back.start()
        _pump(one, other)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until it ends, then the end."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
