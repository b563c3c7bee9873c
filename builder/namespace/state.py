"""The directory where layers lie unpacked, with the ids of one map, and what every sandbox needs beside them.

``layers/`` is shared by all builders; each has a session with its workspaces: a directory that it holds
locked (flock(2)) as long as it lives. A builder that was killed, however early, leaves a session that nobody
holds: the next one removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import tempfile
import threading
from collections.abc import Callable
from typing import Final

from builder.errors import BuildError
from builder.namespace import skeleton
from builder.namespace.idmap import Caller, IdMap, Machine, choose
from builder.namespace.skeleton import LAYERS, SESSIONS
from builder.namespace.stack import Ownership
from builder.namespace.userns import UserNamespace

ONE_ID: Final = (
    "there is one user id for this build: files that commands make belong to root, chown answers success and "
    "does nothing, and USER stays root; owners of base images and of COPY --chown are exact"
)
"""What to expect without subordinate ids."""

IN_MEMORY: Final = (
    "the state directory takes no upper layer of an overlay, so layers are unpacked into memory, for this "
    "build alone"
)
"""What to expect where the state lies on overlayfs."""


OWNERSHIPS: Final = {Caller.SINGLE: Ownership.KEPT, Caller.MACHINE: Ownership.MACHINE}
"""Where files have owners otherwise than by the ids of a user namespace."""


class State:
    """One builder's part of the state directory at ``path``, and the user namespace that can use it.

    Nothing is made before ``namespace`` is first asked for. ``warn`` is told once what a better id map would
    give, and how to get it; with ``strict_owner`` that is a BuildError.
    """

    def __init__(
        self,
        path: str,
        ids: IdMap | None = None,
        *,
        warn: Callable[[str, str], None] | None = None,
        strict_owner: bool = False,
    ) -> None:
        self._top = path
        self._warn = warn
        self._strict_owner = strict_owner
        self._ids = ids or choose(Machine.here())
        self._starting = threading.Lock()
        self._namespace: UserNamespace | None = None
        self._session = ""
        self._lock = -1
        self._layers = -1
        self._numbers = itertools.count(1)

    @property
    def path(self) -> str:
        """The directory for these ids: owners on disk mean nothing to others."""
        return os.path.join(self._top, self._ids.name)

    @property
    def processes(self) -> int:
        """At most how many processes were started for it, commands among them."""
        return 0 if self._namespace is None else self._namespace.processes

    @property
    def ownership(self) -> Ownership:
        """Whether files can have their owners."""
        _ = self.namespace  # only then is it known which ids there are
        return OWNERSHIPS.get(self._ids.caller, Ownership.REAL)

    @property
    def ids(self) -> IdMap:
        """The ids inside."""
        return self._ids

    @property
    def namespace(self) -> UserNamespace:
        """The user namespace; its helper's working directory is this state's."""
        with self._starting:
            if self._namespace is None:
                self._namespace = self._started()
            return self._namespace

    def _started(self) -> UserNamespace:
        self._make()
        namespace = UserNamespace(self.path, self._ids, session=self._session)
        try:
            namespace.start()
        except BaseException:
            self._unmake()
            raise
        if namespace.ids.name != self._ids.name:
            # The kernel gave fewer ids than we asked for: everything has another place then.
            namespace.close()
            self._unmake()
            self._ids = namespace.ids
            return self._started()
        if self._ids.caller is Caller.SINGLE:
            if self._strict_owner:
                namespace.close()
                self._unmake()
                raise BuildError("there is one user id for this build", fix=namespace.ids.note)
            self._tell(ONE_ID, namespace.ids.note)
        if namespace.in_memory:
            self._tell(
                IN_MEMORY, f"{namespace.in_memory}; give --state a directory on a volume, or on a tmpfs"
            )
        return namespace

    def workspace(self) -> str:
        """A new directory for one workspace, relative to the state's."""
        namespace = self.namespace
        name = f"{self._session}/{next(self._numbers)}"
        if namespace.in_memory:
            namespace.ask({"verb": "make", "path": name})
        else:
            self._directory(name)
        return name

    def has_layer(self, name: str) -> bool:
        """Whether the layer lies here, whole."""
        namespace = self.namespace
        if namespace.in_memory:
            return bool(namespace.ask({"verb": "exists", "path": f"{LAYERS}/{name}"})["exists"])
        return os.path.isdir(os.path.join(self.path, LAYERS, name))

    def is_alone(self) -> bool:
        """Whether no other builder works here; none begins then before this state is closed.

        If there is one, this state holds no layer any more, and is good for nothing but to be closed.
        """
        _ = self.namespace
        try:
            fcntl.flock(self._layers, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """End the helper with everything in it, after it has removed this builder's session. Idempotent."""
        if self._namespace is not None:
            namespace, self._namespace = self._namespace, None
            try:
                namespace.ask({"verb": "remove", "paths": [self._session]})
            finally:
                namespace.close()
                self._unmake()

    def _tell(self, text: str, fix: str) -> None:
        if self._warn is not None:
            self._warn(text, fix)

    def _unmake(self) -> None:
        """Let go of the session, and remove what is left of it: nothing, or an empty directory."""
        with contextlib.suppress(OSError):  # where there is more, the next builder removes it
            os.rmdir(os.path.join(self.path, self._session))
        os.close(self._lock)
        os.close(self._layers)
        self._lock = self._layers = -1

    def _make(self) -> None:
        """The directories, where they are missing, and a session of our own in them."""
        os.makedirs(self.path, mode=0o755, exist_ok=True)
        self._own(self.path)
        for name in skeleton.DIRECTORIES:
            self._directory(name)
        for name, content in skeleton.FILES.items():
            self._file(name, content)
        # Whoever makes room here waits for us, and we for them.
        self._layers = os.open(
            os.path.join(self.path, skeleton.LAYERS), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        )
        fcntl.flock(self._layers, fcntl.LOCK_SH)
        while not self._has_session():
            pass

    def _has_session(self) -> bool:
        """Whether a new directory is our session; another builder may have swept it before it was held."""
        place = tempfile.mkdtemp(prefix="", dir=os.path.join(self.path, SESSIONS))
        lock = -1
        try:
            os.chmod(place, 0o755)
            self._own(place)
            lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.lstat(place)
        except (FileNotFoundError, BlockingIOError):
            if lock >= 0:
                os.close(lock)
            return False
        self._session, self._lock = f"{SESSIONS}/{os.path.basename(place)}", lock
        return True

    def _directory(self, name: str) -> None:
        path = os.path.join(self.path, name)
        try:
            os.mkdir(path, 0o755)
        except FileExistsError:
            return
        os.chmod(path, 0o755)  # whatever the umask is
        self._own(path)

    def _file(self, name: str, content: bytes) -> None:
        path = os.path.join(self.path, name)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            return
        with open(descriptor, "wb") as file:
            file.write(content)
        os.chmod(path, 0o644)
        self._own(path)

    def _own(self, path: str) -> None:
        """Root inside must own what it works in; only the machine's root can and need give it away."""
        if os.geteuid() == 0:
            os.chown(path, *self._ids.root)
