"""The functions of ``os`` that change attributes, by path or by descriptor."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final, TypeVar

from unionfs_sim.fakefs.session import Session
from unionfs_sim.fakefs.spelling import named, nameless, nanoseconds, spelt, spelt_or_number
from unionfs_sim.vfs.openfile import as_bytes
from unionfs_sim.vfs.posix import Posix
from unionfs_sim.vfs.walk import PathLike

AnswerT = TypeVar("AnswerT")

_LIMITS: Final = {
    "PC_NAME_MAX": 255,
    "PC_PATH_MAX": 4096,
    "PC_LINK_MAX": 127,
    "PC_PIPE_BUF": 4096,
    "PC_SYMLINK_MAX": None,
}
"""What pathconf(3) answers on overlayfs over tmpfs."""


def _on(
    session: Session,
    verb: str,
    path: object,
    call: Callable[[Posix, PathLike], AnswerT],
    dir_fd: int | None = None,
) -> AnswerT:
    """Call with what ``path`` is, a path or an open file; an error tells it as it was given."""
    place = spelt_or_number(verb, path)
    if isinstance(place, int):
        return named(place, lambda: call(session.view, session.descriptors.get(place)))
    return call(session.at(place, dir_fd), place)


def chmod(
    session: Session, path: object, mode: int, *, dir_fd: int | None = None, follow_symlinks: bool = True
) -> None:
    if not follow_symlinks:
        raise NotImplementedError("chmod: follow_symlinks unavailable on this platform")
    _on(session, "chmod", path, lambda view, it: view.chmod(it, mode), dir_fd)


def fchmod(session: Session, fd: int, mode: int) -> None:
    nameless(lambda: session.view.chmod(session.descriptors.get(fd), mode))


def chown(
    session: Session,
    path: object,
    uid: int,
    gid: int,
    *,
    dir_fd: int | None = None,
    follow_symlinks: bool = True,
) -> None:
    _on(
        session,
        "chown",
        path,
        lambda view, it: view.chown(it, uid, gid, follow_symlinks=follow_symlinks),
        dir_fd,
    )


def fchown(session: Session, fd: int, uid: int, gid: int) -> None:
    nameless(lambda: session.view.chown(session.descriptors.get(fd), uid, gid))


def lchown(session: Session, path: object, uid: int, gid: int) -> None:
    session.view.chown(spelt("lchown", path), uid, gid, follow_symlinks=False)


def utime(
    session: Session,
    path: object,
    times: tuple[float, float] | None = None,
    *,
    ns: tuple[int, int] | None = None,
    dir_fd: int | None = None,
    follow_symlinks: bool = True,
) -> None:
    wanted = nanoseconds(times, ns)

    def change(view: Posix, it: PathLike) -> None:
        view.utime(it, wanted, follow_symlinks=follow_symlinks)

    if sys.version_info >= (3, 13):
        _on(session, "utime", path, change, dir_fd)
    else:
        nameless(lambda: _on(session, "utime", path, change, dir_fd))


def truncate(session: Session, path: object, length: int) -> None:
    place = spelt_or_number("truncate", path)
    if isinstance(place, int):
        named(place, lambda: session.descriptors.get(place).truncate(length))
    else:
        session.view.truncate(place, length)


def getxattr(
    session: Session, path: object, attribute: str | bytes, *, follow_symlinks: bool = True
) -> bytes:
    name = os.fsdecode(attribute)
    return _on(
        session, "getxattr", path, lambda view, it: view.getxattr(it, name, follow_symlinks=follow_symlinks)
    )


def setxattr(
    session: Session,
    path: object,
    attribute: str | bytes,
    value: object,
    flags: int = 0,
    *,
    follow_symlinks: bool = True,
) -> None:
    name, piece = os.fsdecode(attribute), as_bytes(value)

    def change(view: Posix, it: PathLike) -> None:
        view.setxattr(it, name, piece, flags, follow_symlinks=follow_symlinks)

    _on(session, "setxattr", path, change)


def removexattr(
    session: Session, path: object, attribute: str | bytes, *, follow_symlinks: bool = True
) -> None:
    name = os.fsdecode(attribute)
    _on(
        session,
        "removexattr",
        path,
        lambda view, it: view.removexattr(it, name, follow_symlinks=follow_symlinks),
    )


def listxattr(session: Session, path: object = None, *, follow_symlinks: bool = True) -> list[str]:
    path = "." if path is None else path
    return _on(
        session, "listxattr", path, lambda view, it: view.listxattr(it, follow_symlinks=follow_symlinks)
    )


def statvfs(session: Session, path: object) -> os.statvfs_result:
    told = _on(session, "statvfs", path, lambda view, it: view.statvfs(it))
    return os.statvfs_result((told.f_bsize, told.f_frsize, 0, 0, 0, 0, 0, 0, told.f_flag, told.f_namemax))


def pathconf(session: Session, path: object, name: str | int) -> int | None:
    limit = _limit(name)
    _on(session, "pathconf", path, lambda view, it: view.statvfs(it))
    return limit


def fpathconf(session: Session, fd: int, name: str | int, /) -> int | None:
    session.descriptors.get(fd)
    return _limit(name)


def _limit(name: str | int) -> int | None:
    known = {os.pathconf_names[key]: value for key, value in _LIMITS.items()}
    if isinstance(name, str):
        if name not in os.pathconf_names:
            raise ValueError("unrecognized configuration name")
        name = os.pathconf_names[name]
    return known.get(name)
