"""Files and directories that bear a temporary name until they are whole, or leave nothing.

Whoever writes one holds a lock on it. A process that is killed cannot tidy up: the next one that writes into
the same directory removes what nobody holds any more.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from builder.errors import StoreError
from builder.files.lock import Lock, hold, try_alone

PREFIX: Final = ".layerlab-"
_SUFFIX: Final = ".partial"
_OURS: Final = re.compile(r"\.layerlab-[a-z0-9_]{8}\.partial")
_NO_ROOM: Final = frozenset([errno.ENOSPC, errno.EDQUOT, errno.EFBIG])


@contextmanager
def told(what: str, where: str) -> Iterator[None]:
    """Turn an OSError inside into a StoreError that says what could not be done, and what to do."""
    try:
        yield
    except OSError as error:
        fix = "make room there, or choose another place" if error.errno in _NO_ROOM else None
        raise StoreError(f"{what}: {error.strerror}", where=where, fix=fix) from error


@contextmanager
def replacing(path: str, *, scratch: str | None = None) -> Iterator[BinaryIO]:
    """A file to write that becomes ``path`` when all went well, and leaves nothing otherwise.

    ``scratch``: the directory of its temporary name, on the same file system, which somebody else sweeps;
    beside ``path`` if None.
    """
    directory = scratch or os.path.dirname(path) or "."
    with told("cannot write", path):
        if scratch is None:
            sweep(directory)
        descriptor, temporary = _new_file(directory)
        try:
            with open(descriptor, "wb", buffering=1 << 16) as stream:
                yield stream
                stream.flush()
                os.chmod(temporary, 0o644)
                os.replace(temporary, path)
        except BaseException:
            discard(temporary)
            raise


@contextmanager
def replacing_directory(path: str) -> Iterator[str]:
    """A directory to fill that becomes ``path``, which is absent or empty; leaves nothing otherwise."""
    final = os.path.abspath(path)
    parent = os.path.dirname(final)
    with told("cannot write", path):
        os.makedirs(parent, exist_ok=True)
        sweep(parent)
        temporary, descriptor = _new_directory(parent)
    try:
        with told("cannot write", path):
            yield temporary
            os.chmod(temporary, 0o755)
            os.rename(temporary, final)
    finally:
        os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):
            _remove_tree(temporary)


def sweep(directory: str) -> None:
    """Remove what killed writers left in ``directory``, as far as this user may."""
    with contextlib.suppress(OSError), os.scandir(directory) as found:
        for name in [entry.name for entry in found if _OURS.fullmatch(entry.name)]:
            with contextlib.suppress(OSError):
                _remove_if_nobody_writes(os.path.join(directory, name))


def discard(path: str) -> None:
    """Remove a temporary file, also on the way out of Ctrl-C: nothing half-written stays behind."""
    with contextlib.suppress(FileNotFoundError):  # It was renamed already.
        os.unlink(path)


def _remove_if_nobody_writes(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        if try_alone(descriptor):
            if os.path.isdir(path):
                _remove_tree(path)
            else:
                os.unlink(path)
    finally:
        os.close(descriptor)


def _new_file(directory: str) -> tuple[int, str]:
    """A locked file. One that was swept between its making and its locking has no name: then another."""
    while True:
        descriptor, path = new_file(directory, prefix=PREFIX, suffix=_SUFFIX)
        try:
            hold(descriptor, Lock.SHARED)
            if os.fstat(descriptor).st_nlink:
                return descriptor, path
        except BaseException:
            os.close(descriptor)
            discard(path)
            raise
        os.close(descriptor)


def _new_directory(parent: str) -> tuple[str, int]:
    while True:
        path = _make_directory(parent)
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        hold(descriptor, Lock.SHARED)
        if os.path.isdir(path):
            return path, descriptor
        os.close(descriptor)


def new_file(directory: str, *, prefix: str = "", suffix: str = "") -> tuple[int, str]:
    """A new file that only this user may read, open for writing, and its path."""
    # Not tempfile's: that loads shutil, random and all compressors, longer than a known build takes.
    while True:
        path = os.path.join(directory, f"{prefix}{_random_name()}{suffix}")
        with contextlib.suppress(FileExistsError):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
            return os.open(path, flags, 0o600), path


def _make_directory(parent: str) -> str:
    while True:
        path = os.path.join(parent, f"{PREFIX}{_random_name()}{_SUFFIX}")
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
            return path


def _random_name() -> str:
    return os.urandom(4).hex()


def _remove_tree(path: str) -> None:
    import shutil

    shutil.rmtree(path)
