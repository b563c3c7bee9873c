"""The socket that the daemon listens at: made for its user alone, and gone with the daemon."""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from builder.errors import BuildError

_MAX_PATH: Final = 107
"""What sockaddr_un holds (unix(7)), less its final zero."""


@contextmanager
def listening(path: Path, *, group: str | None = None) -> Iterator[socket.socket]:
    """A socket bound to ``path`` that only its user may open, or also ``group``; removed at the end.

    A socket that nobody serves any more is replaced. BuildError if somebody serves it, or if it is none.
    """
    if len(os.fsencode(path)) > _MAX_PATH:
        raise BuildError(
            f"the path of a socket has at most {_MAX_PATH} bytes", where=str(path), fix="choose a shorter one"
        )
    gid = None if group is None else _gid(group)
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o177)  # nobody else may open it, not even before its mode is set
        try:
            listener.bind(str(path))
        except OSError as error:
            raise BuildError(f"cannot listen there: {error.strerror}", where=str(path)) from None
        finally:
            os.umask(before)
        mine = os.lstat(path)
        try:
            if gid is not None:
                _give(path, gid)
            yield listener
        finally:
            _remove(path, mine)
    finally:
        listener.close()


def _give(path: Path, gid: int) -> None:
    try:
        os.chown(path, -1, gid)
        os.chmod(path, 0o660)
    except OSError as error:
        raise BuildError(
            f"the socket cannot be given to group {gid}: {error.strerror}",
            where=str(path),
            fix="its user must belong to the group",
        ) from None


def _gid(group: str) -> int:
    if group.isascii() and group.isdigit():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise BuildError(
            f"there is no group {group!r}", fix="name one of /etc/group, or give a number"
        ) from None


def _clear(path: Path) -> None:
    """Take away a socket whose daemon has died."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BuildError(f"cannot listen there: {error.strerror}", where=str(path)) from None
    if not stat.S_ISSOCK(found.st_mode):
        raise BuildError("something else is there", where=str(path), fix="choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(1.0)
        try:
            asking.connect(str(path))
        except OSError as error:
            if error.errno != errno.ECONNREFUSED:
                raise BuildError(f"somebody's socket is there: {error.strerror}", where=str(path)) from None
        else:
            raise BuildError("another daemon serves this socket", where=str(path), fix="choose another path")
    _remove(path, found)


def _remove(path: Path, known: os.stat_result) -> None:
    """Remove the socket, unless another one has taken its place."""
    with contextlib.suppress(OSError):
        found = os.lstat(path)
        if (found.st_dev, found.st_ino) == (known.st_dev, known.st_ino):
            os.unlink(path)
