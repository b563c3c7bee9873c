"""RUN --mount=type=ssh: a socket of our own in the sandbox, and each connection led to the caller's agent.

The agent's own socket belongs to the caller, whom the sandbox is not; so this process stands between.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from builder.errors import StepFailedError
from builder.namespace.rootfs import RootFs
from builder.namespace.skeleton import CACHES
from builder.protocols import Ssh
from builder.runners.rootless.relay import relay


@contextmanager
def forwarded(mount: Ssh, root: RootFs, name: str) -> Iterator[str]:
    """The socket, relative to the helper's directory; it leads to the agent as long as the block lasts."""
    place = f"{CACHES}/agent-{os.getpid()}-{os.path.basename(root.scratch)}-{name}"
    directory = os.open(os.path.join(root.namespace.directory, CACHES), os.O_PATH | os.O_CLOEXEC)
    listening = socket.socket(socket.AF_UNIX)
    try:
        # By way of the descriptor, because a socket's name has room for 107 bytes only.
        path = f"/proc/self/fd/{directory}/{os.path.basename(place)}"
        listening.bind(path)
        # Root inside may be another user outside; nobody but this command can reach the socket's directory.
        os.chmod(path, 0o666)
        listening.listen()
        threading.Thread(target=_serve, args=(listening, mount), daemon=True).start()
        yield place
    finally:
        # It lets go of a thread that waits for the next connection, which closing alone does not.
        try:
            listening.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        listening.close()
        os.unlink(os.path.basename(place), dir_fd=directory)
        os.close(directory)


def _serve(listening: socket.socket, mount: Ssh) -> None:
    while True:
        try:
            inner, _ = listening.accept()
        except OSError:
            return
        outer = socket.socket(socket.AF_UNIX)
        try:
            outer.connect(os.fspath(mount.agent))
        except OSError:
            inner.close()
            outer.close()
            continue
        threading.Thread(target=relay, args=(inner, outer), daemon=True).start()


def require(mount: Ssh) -> None:
    """Raise StepFailedError if nobody listens where the agent should."""
    if not os.path.exists(mount.agent):
        raise StepFailedError(f"no ssh agent listens at {mount.agent}", fix="start one: eval $(ssh-agent)")
