"""A root file system in a user namespace, seen from outside: each verb asks a process in there.

Owners, capabilities and closed directories are then as they are inside. What is opened comes out as a real
descriptor (SCM_RIGHTS).
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from typing import Any, AnyStr, BinaryIO, Final

from builder.context.edit import Edit, WriteFile
from builder.errors import BuildError
from builder.namespace import wire
from builder.namespace.channel import Channel, Message
from builder.namespace.stack import Stack
from builder.namespace.userns import UserNamespace
from unionfs_sim.filesystem import Attributes, Stat
from unionfs_sim.host.directory import HostFile

_PIECE: Final = 1 << 20


class RootFs:
    """The tree that a stack of layers shows. Implements ``unionfs_sim.filesystem.Filesystem``.

    Safe for threads. The process that answers is started by the first question. ``scratch``: a directory for
    what only one command needs; "" for a committed state, in which nothing runs.
    """

    def __init__(self, namespace: UserNamespace, stack: Stack, *, scratch: str = "") -> None:
        self.namespace = namespace
        self.stack = stack
        self.scratch = scratch
        self._channel: Channel | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process that answers; the next question starts another."""
        with self._lock:
            if self._channel is not None:
                self._channel.close()
                self._channel = None

    def lstat(self, path: str | bytes, /) -> Stat:
        """The attributes of the name itself."""
        return Stat(*self._ask("lstat", path)["stat"])

    def listdir(self, path: AnyStr, /) -> list[AnyStr]:
        """The names in a directory, without ``.`` and ``..``; order is not promised."""
        names: list[str] = self._ask("listdir", path)["names"]
        return [os.fsencode(name) for name in names] if isinstance(path, bytes) else names

    def readlink(self, path: AnyStr, /) -> AnyStr:
        """The target of a symlink, as stored."""
        target: str = self._ask("readlink", path)["target"]
        return os.fsencode(target) if isinstance(path, bytes) else target

    def xattrs(self, path: str | bytes, /) -> dict[str, bytes]:
        """All extended attributes of the file itself, by full name."""
        found = wire.xattrs_of(self._ask("xattrs", path)["xattrs"])
        return {name: value for name, value in found.items() if value is not None}

    def open(self, path: str | bytes, flags: int = 0, mode: int = 0o666, /) -> HostFile:
        """An open file: a real descriptor, opened inside."""
        _, descriptors = self._asked("open", path, [flags, mode])
        return HostFile(descriptors[0])

    def mkdir(self, path: str | bytes, mode: int = 0o777, /) -> None:
        """Make a directory."""
        self._ask("mkdir", path, mode)

    def mknod(self, path: str | bytes, mode: int = 0o600, rdev: int = 0, /) -> None:
        """Make a regular file, fifo, socket or device; the S_IFMT bits of ``mode`` say which."""
        self._ask("mknod", path, mode, rdev)

    def symlink(self, target: str | bytes, path: str | bytes, /) -> None:
        """Make a symlink at ``path``."""
        self._ask("symlink", path, os.fsdecode(target))

    def link(self, source: str | bytes, path: str | bytes, /) -> None:
        """Give the file at ``source`` a second name."""
        self._ask("link", path, os.fsdecode(source))

    def remove(self, path: str | bytes, /) -> None:
        """Take a name away: unlink(2), or rmdir(2) if it is a directory."""
        self._ask("remove", path)

    def setattr(self, path: str | bytes, change: Attributes, /) -> None:
        """Change owner, then mode, xattrs and times, of the name itself."""
        self._ask("setattr", path, wire.attributes_told(change))

    def apply(self, edits: Iterable[Edit]) -> None:
        """Make ``edits``, in order: one stream, however many files. Fails as the file system fails."""
        reads, writes = os.pipe2(os.O_CLOEXEC)
        with self._lock:
            channel = self._opened()
            try:
                channel.send({"do": "apply"}, [reads])
            finally:
                os.close(reads)
            try:
                with open(writes, "wb", buffering=_PIECE) as pipe:
                    _write(pipe, edits)
            except BrokenPipeError:
                pass  # it could not go on, and says why
            _checked(channel.receive(), None)

    def _opened(self) -> Channel:
        if self._channel is None:
            self._channel = self.namespace.request({"verb": "open", "stack": self.stack.told()})
        return self._channel

    def _ask(self, verb: str, path: str | bytes, *more: Any) -> Message:
        return self._asked(verb, path, list(more))[0]

    def _asked(self, verb: str, path: str | bytes, more: list[Any]) -> tuple[Message, list[int]]:
        with self._lock:
            channel = self._opened()
            try:
                channel.send({"do": verb, "path": os.fsdecode(path), "more": more})
            except BrokenPipeError:
                pass  # it could not begin, and has said why
            return _checked(channel.receive(), path)


def _checked(
    received: tuple[Message, list[int]] | None, path: str | bytes | None
) -> tuple[Message, list[int]]:
    """An answer; raises the error that it is, with ``path`` as it was asked about."""
    if received is None:
        raise BuildError("the process that serves a root file system has ended")
    message, descriptors = received
    if "failed" not in message:
        return message, descriptors
    error = wire.error_of(message["failed"])
    if isinstance(error, OSError) and path is not None:
        raise OSError(error.errno, error.strerror, path)
    raise error


def _write(pipe: BinaryIO, edits: Iterable[Edit]) -> None:
    """Each edit as its length, its text, and the bytes that it writes."""
    for edit in edits:
        told = json.dumps(wire.edit_told(edit)).encode()
        pipe.write(len(told).to_bytes(4, "big") + told)
        if isinstance(edit, WriteFile):
            left = edit.content.size
            for piece in edit.content.chunks():
                left -= len(piece)
                pipe.write(piece if left >= 0 else piece[:left])
            if left:
                raise BuildError(f"{edit.path}: the file changed its size while it was copied")
