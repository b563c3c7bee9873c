"""``run --get`` waits for a server whose network is still being made."""

from __future__ import annotations

import errno
import socket
import threading

import pytest

from builder.cli.container import _connected
from builder.errors import BuildError


class Inside:
    """A namespace that refuses a few times."""

    def __init__(self, *refusals: int) -> None:
        self.refusals = list(refusals)
        self.ours, self.theirs = socket.socketpair()

    def connect(self, port: int) -> socket.socket:
        if self.refusals:
            raise OSError(self.refusals.pop(0), "refused")
        return self.theirs


@pytest.fixture
def waiting() -> threading.Thread:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    return thread


def test_a_loopback_that_is_still_down_is_waited_for(waiting: threading.Thread) -> None:
    inside = Inside(errno.ENETUNREACH, errno.ECONNREFUSED, errno.ENETUNREACH)

    with _connected(inside, 80, waiting, []) as connection:
        assert connection is inside.theirs
    inside.ours.close()


def test_a_namespace_that_is_gone_is_not(waiting: threading.Thread) -> None:
    inside = Inside(errno.ENETDOWN)

    with pytest.raises(BuildError, match="nobody listens"):
        _connected(inside, 80, waiting, [])
    inside.ours.close()
    inside.theirs.close()
