"""The functions of ``os`` that change attributes, by path or by descriptor."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar

from unionfs_sim.fakefs.session import Session
from unionfs_sim.fakefs.spelling import named, nameless, nanoseconds, spelt
from unionfs_sim.vfs.posix import Posix

AnswerT = TypeVar("AnswerT")

_LIMITS: Final = {
    "PC_NAME_MAX": 255,
    "PC_PATH_MAX": 4096,
    "PC_LINK_MAX": 127,
    "PC_PIPE_BUF": 4096,
    "PC_SYMLINK_MAX": None,
}
"""What pathconf(3) answers on overlayfs over tmpfs."""


class AttributeVerbs:
    """``os.chmod`` to ``os.listxattr``."""

    _session: Session

    def _on(
        self, verb: str, path: Any, call: Callable[[Posix, Any], AnswerT], dir_fd: int | None = None
    ) -> AnswerT:
        """Call with what ``path`` is, a path or an open file; an error tells it as it was given."""
        path = spelt(verb, path, number=True)
        if isinstance(path, int):
            return named(path, lambda: call(self._session.view, self._session.named(path)))
        return call(self._session.at(path, dir_fd), path)

    def chmod(self, path: Any, mode: int, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> None:
        if not follow_symlinks:
            raise NotImplementedError("chmod: follow_symlinks unavailable on this platform")
        self._on("chmod", path, lambda view, it: view.chmod(it, mode), dir_fd)

    def fchmod(self, fd: int, mode: int) -> None:
        nameless(lambda: self._session.view.chmod(self._session.named(fd), mode))

    def chown(
        self, path: Any, uid: int, gid: int, *, dir_fd: int | None = None, follow_symlinks: bool = True
    ) -> None:
        self._on(
            "chown", path, lambda view, it: view.chown(it, uid, gid, follow_symlinks=follow_symlinks), dir_fd
        )

    def fchown(self, fd: int, uid: int, gid: int) -> None:
        nameless(lambda: self._session.view.chown(self._session.named(fd), uid, gid))

    def lchown(self, path: Any, uid: int, gid: int) -> None:
        self._session.view.chown(spelt("lchown", path), uid, gid, follow_symlinks=False)

    def utime(
        self,
        path: Any,
        times: tuple[float, float] | None = None,
        *,
        ns: tuple[int, int] | None = None,
        dir_fd: int | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        wanted = nanoseconds(times, ns)

        def change(view: Posix, it: Any) -> None:
            view.utime(it, wanted, follow_symlinks=follow_symlinks)

        if sys.version_info >= (3, 13):
            self._on("utime", path, change, dir_fd)
        else:
            nameless(lambda: self._on("utime", path, change, dir_fd))

    def truncate(self, path: Any, length: int) -> None:
        path = spelt("truncate", path, number=True)
        if isinstance(path, int):
            named(path, lambda: self._session.descriptors.get(path).truncate(length))
        else:
            self._session.view.truncate(path, length)

    def getxattr(self, path: Any, attribute: Any, *, follow_symlinks: bool = True) -> bytes:
        name = os.fsdecode(attribute)
        return self._on(
            "getxattr", path, lambda view, it: view.getxattr(it, name, follow_symlinks=follow_symlinks)
        )

    def setxattr(
        self, path: Any, attribute: Any, value: Any, flags: int = 0, *, follow_symlinks: bool = True
    ) -> None:
        name, piece = os.fsdecode(attribute), bytes(value)

        def change(view: Posix, it: Any) -> None:
            view.setxattr(it, name, piece, flags, follow_symlinks=follow_symlinks)

        self._on("setxattr", path, change)

    def removexattr(self, path: Any, attribute: Any, *, follow_symlinks: bool = True) -> None:
        name = os.fsdecode(attribute)
        self._on(
            "removexattr", path, lambda view, it: view.removexattr(it, name, follow_symlinks=follow_symlinks)
        )

    def listxattr(self, path: Any = None, *, follow_symlinks: bool = True) -> list[str]:
        path = "." if path is None else path
        return self._on(
            "listxattr", path, lambda view, it: view.listxattr(it, follow_symlinks=follow_symlinks)
        )

    def statvfs(self, path: Any) -> os.statvfs_result:
        told = self._on("statvfs", path, lambda view, it: view.statvfs(it))
        return os.statvfs_result((told.f_bsize, told.f_frsize, 0, 0, 0, 0, 0, 0, told.f_flag, told.f_namemax))

    def pathconf(self, path: Any, name: str | int) -> int | None:
        limit = _limit(name)
        self._on("pathconf", path, lambda view, it: view.statvfs(it))
        return limit

    def fpathconf(self, fd: int, name: str | int, /) -> int | None:
        self._session.descriptors.get(fd)
        return _limit(name)


def _limit(name: str | int) -> int | None:
    known = {os.pathconf_names[key]: value for key, value in _LIMITS.items()}
    if isinstance(name, str):
        if name not in os.pathconf_names:
            raise ValueError("unrecognized configuration name")
        name = os.pathconf_names[name]
    return known.get(name)
