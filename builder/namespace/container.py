"""A directory of the machine as the root of a container: whose it may be, and who works in it.

``kaniko/`` in it is the builder's. A container shows a part of that at the same place, so that no command
reaches the rest: the marker that says whose the directory is, and the places that a mount needs.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from builder.errors import BuildError
from builder.namespace import executor, pivot
from builder.namespace.channel import Channel, Message
from builder.namespace.idmap import Caller, IdMap, Machine, choose
from builder.namespace.stack import NOTHING, Ownership
from builder.namespace.state import ONE_ID
from builder.namespace.userns import UserNamespace, answer
from builder.namespace.zygote import Task

OWN: Final = "kaniko"
"""The builder's directory in the root."""

MARKER: Final = "layerlab-root"
"""A file in it: the root may be emptied, and who may."""

_FIRST_LINE: Final = "layerlab may empty this directory"
_PLACES: Final = (pivot.AT, pivot.HOLD, pivot.SHARED, NOTHING, executor.SHOWN, executor.CACHES)


class Container:
    """The root at ``directory``, claimed for one build, and the user namespace that works in it.

    Nothing is made or claimed before ``namespace`` is first asked for. ``credentials``: what commands find at
    ``/kaniko/.docker/config.json``. ``tasks``: what else the helper can do. BuildError if the directory is
    not ours, something is mounted in it, or another build has it.
    """

    def __init__(
        self,
        directory: str,
        *,
        credentials: bytes = b"{}",
        tasks: Mapping[str, Task] | None = None,
        warn: Callable[[str, str], None] | None = None,
    ) -> None:
        self.directory = os.path.abspath(directory)
        self._credentials = credentials
        self._tasks = tasks or {}
        self._warn = warn
        self._starting = threading.RLock()
        self._namespace: UserNamespace | None = None
        self._running: Channel | None = None
        self._lock = -1

    @property
    def namespace(self) -> UserNamespace:
        """The user namespace; its helper's working directory is the builder's in the root."""
        with self._starting:
            if self._namespace is None:
                self._namespace = self._started()
            return self._namespace

    @property
    def processes(self) -> int:
        """At most how many processes were started for it, commands among them."""
        return 0 if self._namespace is None else self._namespace.processes

    @property
    def ownership(self) -> Ownership:
        """Whether files can have their owners."""
        return Ownership.KEPT if self.namespace.ids.caller is Caller.SINGLE else Ownership.REAL

    def request(self, message: Message, descriptors: Sequence[int] = ()) -> Channel:
        """Let the container, which is started by the first request, run a command; where it answers."""
        with self._starting:
            if self._running is None:
                self._running = self._run()
            ours, theirs = Channel.pair()
            try:
                self._running.send(message, [theirs.fileno(), *descriptors])
                self.namespace.processes += 1
            except BrokenPipeError:
                ours.close()
                raise BuildError("the container that plays Kaniko's has ended") from None
            finally:
                theirs.close()
            return ours

    def stop(self) -> None:
        """End everything that runs in the container; the next request starts another."""
        with self._starting:
            if self._running is not None:
                running, self._running = self._running, None
                with contextlib.suppress(BrokenPipeError):  # it has ended by itself
                    running.send({"verb": "end"})
                # Not until the end of the stream: other tasks of the helper hold copies of its other end.
                while "exited" not in answer(running):
                    pass
                running.close()

    def close(self) -> None:
        """End the container and the helper, and let others have the directory. Idempotent."""
        with self._starting:
            if self._running is not None:
                self._running.close()
                self._running = None
            if self._namespace is not None:
                self._namespace.close()
                self._namespace = None
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    def _run(self) -> Channel:
        credentials = self._credentials.decode("latin-1")
        channel = self.namespace.request({"verb": "container", "credentials": credentials, "network": True})
        while True:
            if "ready" in answer(channel):
                return channel

    def _started(self) -> UserNamespace:
        ids = choose(Machine.here())
        own, is_new = self._claim(ids)
        namespace = UserNamespace(own, ids, session="", tasks=self._tasks)
        try:
            namespace.start()
            self._sign(namespace.ids, is_new=is_new)
        except BaseException:
            namespace.close()
            self.close()
            raise
        if namespace.ids.caller is Caller.SINGLE and self._warn is not None:
            self._warn(ONE_ID, namespace.ids.note)
        return namespace

    # ---- whose the directory is ----

    def _claim(self, ids: IdMap) -> tuple[str, bool]:
        """The builder's directory in the root, locked, and whether it was made now."""
        own = os.path.join(self.directory, OWN)
        try:
            os.mkdir(self.directory, 0o755)
        except FileExistsError:
            pass
        except OSError as error:
            raise BuildError(f"cannot be made: {error.strerror}", where=self.directory) from None
        self._require_a_directory()
        self._require_no_mounts()
        is_new = _names(self.directory) in ([], [OWN]) and _names(own) in (None, [])
        if not is_new and not _is_marked(own):
            raise BuildError(
                "it is not empty, and not a root of layerlab: building in it would delete what is there",
                where=self.directory,
                fix="give --root a directory that does not exist yet, or an empty one",
            )
        for path in (own, *(os.path.join(own, name) for name in _PLACES)):
            _make(path)
        self._take_lock(os.path.join(own, MARKER))
        if os.geteuid() == 0:
            for path in (self.directory, own, *(os.path.join(own, name) for name in _PLACES)):
                os.chown(path, *ids.root, follow_symlinks=False)
        return own, is_new

    def _require_a_directory(self) -> None:
        try:
            is_directory = stat.S_ISDIR(os.lstat(self.directory).st_mode)
        except OSError as error:
            raise BuildError(f"cannot be used: {error.strerror}", where=self.directory) from None
        if not is_directory:
            raise BuildError(
                "it is no directory", where=self.directory, fix="a symlink is not followed: name its target"
            )

    def _require_no_mounts(self) -> None:
        real = os.path.realpath(self.directory)
        for point in mount_points():
            if point != real and (point.startswith(real.rstrip("/") + "/")):
                raise BuildError(
                    f"something is mounted in it, at {point}, which emptying it would reach",
                    where=self.directory,
                    fix=f"umount {point}, or give another directory",
                )

    def _take_lock(self, path: str) -> None:
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = -1
            raise BuildError(
                "another build is using it",
                where=self.directory,
                fix="a root serves one build at a time: wait, or give another directory",
            ) from None

    def _sign(self, ids: IdMap, *, is_new: bool) -> None:
        """Write into the marker which ids the files have, or compare."""
        signed = f"{_FIRST_LINE}\n{ids.name}\n".encode()
        if is_new:
            os.pwrite(self._lock, signed, 0)
        elif os.pread(self._lock, 1000, 0) != signed:
            raise BuildError(
                "its files have the ids of another user namespace",
                where=self.directory,
                fix="let root remove it (rm -r), or give another directory",
            )


def mount_points() -> list[str]:
    """Where file systems are mounted, as far as this process can see (proc_pid_mountinfo(5))."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return [line.split()[4].encode().decode("unicode_escape") for line in file]
    except OSError:
        return []


def _names(directory: str) -> list[str] | None:
    try:
        return os.listdir(directory)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise BuildError(f"cannot be read: {error.strerror}", where=directory) from None


def _is_marked(own: str) -> bool:
    try:
        descriptor = os.open(os.path.join(own, MARKER), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return is_file and os.read(descriptor, 1000).startswith(_FIRST_LINE.encode())
    finally:
        os.close(descriptor)


def _make(path: str) -> None:
    try:
        os.mkdir(path, 0o755)
        os.chmod(path, 0o755)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise BuildError("it is in the way", where=path, fix="remove the root, and begin anew") from None
