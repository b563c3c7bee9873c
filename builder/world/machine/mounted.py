"""Other trees attached to a root for one command: /dev, and what RUN --mount asks for.

Nothing is written into the root for it: no mount point is made, so none is left in a layer. Paths are
resolved component by component over all trees; a path that cannot meet a mount goes straight to the root.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, AnyStr, Final

from builder.world.machine.attachments import Attachment, MountTable
from builder.world.machine.routing import RoutedPosix
from unionfs_sim.filesystem import Attributes, Stat
from unionfs_sim.nodes.content import Content
from unionfs_sim.vfs.looking import StatVfs
from unionfs_sim.vfs.openfile import File
from unionfs_sim.vfs.posix import Posix
from unionfs_sim.vfs.walk import PathLike, as_text

_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class MountedPosix(RoutedPosix):
    """The verbs of ``Posix`` on a root with other trees attached."""

    __slots__ = ()

    # ---- looking ---------------------------------------------------------------------------------

    def stat(self, path: PathLike, /, *, follow_symlinks: bool = True) -> Stat:
        """The attributes of what is at ``path``."""
        found: Stat = self.call("stat", path, follow=follow_symlinks, follow_symlinks=follow_symlinks)
        return found

    def lstat(self, path: PathLike, /) -> Stat:
        """The attributes of the name itself."""
        found: Stat = self.call("lstat", path, follow=False)
        return found

    def content(self, path: PathLike, /) -> Content:
        """The bytes of a regular file."""
        found: Content = self.call("content", path)
        return found

    def exists(self, path: PathLike, /) -> bool:
        """Whether ``path`` leads to something that the caller can reach."""
        try:
            self.stat(path)
        except (OSError, ValueError):
            return False
        return True

    def access(self, path: PathLike, mode: int, /, *, follow_symlinks: bool = True) -> bool:
        """Whether the caller may read, write or execute."""
        try:
            view, inner = self.route(path, follow=follow_symlinks, writes=bool(mode & os.W_OK))
        except (OSError, ValueError):
            return False
        if view.access(inner, mode, follow_symlinks=follow_symlinks):
            return True
        return view is self._base and not view.exists(inner) and self._elsewhere(inner, mode)

    def _elsewhere(self, path: str, mode: int) -> bool:
        try:
            view, inner, _ = self.resolve_fully(posixpath.join(self._cwd_path, path), follow=True)
        except OSError:
            return False
        return view.access(inner, mode)

    def listdir(self, path: AnyStr | os.PathLike[AnyStr] = "/", /) -> list[AnyStr]:  # type: ignore[assignment]
        """The names in a directory, those of attached trees among them."""
        names: list[str] = self.call("listdir", as_text(path))
        absolute = posixpath.normpath(posixpath.join(self._cwd_path, as_text(path)))
        names += [name for name in self._table.names_in(absolute) if name not in names]
        if isinstance(os.fspath(path), bytes):
            return [name.encode("utf-8", "surrogateescape") for name in names]  # type: ignore[misc]
        return names  # type: ignore[return-value]

    def readlink(self, path: AnyStr | os.PathLike[AnyStr], /) -> AnyStr:
        """The target of a symlink, as stored."""
        target: str = self.call("readlink", path, follow=False)
        return target.encode("utf-8", "surrogateescape") if isinstance(os.fspath(path), bytes) else target  # type: ignore[return-value]

    def walk(self, top: str = "/") -> Iterator[tuple[str, list[str], list[str]]]:
        """As ``os.walk``: (path, directories, other names), parents first; unreadable ones are left out."""
        todo = [top]
        while todo:
            path = todo.pop()
            stem = path if path.endswith("/") else path + "/"
            try:
                names = self.listdir(path)
            except OSError:
                continue
            directories = [name for name in names if stat.S_ISDIR(self.lstat(stem + name).st_mode)]
            yield path, directories, [name for name in names if name not in directories]
            todo += [stem + name for name in reversed(directories)]

    def statvfs(self, path: PathLike = "/", /) -> StatVfs:
        """The limits of the file system."""
        found: StatVfs = self.call("statvfs", path)
        return found

    @contextmanager
    def executing(self, path: PathLike, /) -> Iterator[None]:
        """While the ``with`` lasts, the file that ``path`` leads to is a running program."""
        absolute = posixpath.join(self._cwd_path, as_text(path))
        view, inner, _ = self.resolve_fully(absolute, follow=True)
        with view.executing(inner):
            yield

    # ---- changing --------------------------------------------------------------------------------

    def open(self, path: PathLike, flags: int = os.O_RDONLY, mode: int = 0o666, /) -> File:
        """An open file of the tree that ``path`` leads to."""
        if flags & os.O_CREAT and self.is_plain(as_text(path)) and self._is_link(path):
            path = posixpath.join(self._cwd_path, as_text(path))
            view, inner, _ = self.resolve_fully(path, follow=not flags & os.O_NOFOLLOW)
            return view.open(inner, flags, mode)
        follow = not flags & os.O_NOFOLLOW
        file: File = self.call("open", path, flags, mode, follow=follow, writes=bool(flags & _WRITES))
        return file

    def _is_link(self, path: PathLike) -> bool:
        try:
            return stat.S_ISLNK(self._base.lstat(path).st_mode)
        except (OSError, ValueError):
            return False

    def mkdir(self, path: PathLike, mode: int = 0o777, /) -> None:
        """Make a directory."""
        self.call("mkdir", path, mode, follow=False, writes=True)

    def mknod(self, path: PathLike, mode: int = 0o600, rdev: int = 0, /) -> None:
        """Make a regular file, fifo, socket or device."""
        self.call("mknod", path, mode, rdev, follow=False, writes=True)

    def symlink(self, target: str | bytes, path: PathLike, /) -> None:
        """Make a symlink at ``path``."""
        view, inner = self.route(path, follow=False, writes=True)
        try:
            view.symlink(target, inner)
        except OSError as error:
            error.filename, error.filename2 = target, path
            raise

    def _both(self, verb: str, source: PathLike, path: PathLike, *args: Any, **more: Any) -> None:
        try:
            follow = bool(more.get("follow_symlinks", False))
            view, inner = self.route(source, follow=follow, writes=True)
            other, place = self.route(path, follow=False, writes=True)
            if {view, other} <= {self._base, self._view(self._root_fs)}:
                view = self._base
                inner = posixpath.join(self._cwd_path, inner) if self._in_base else inner
                place = posixpath.join(self._cwd_path, place) if self._in_base else place
            elif view is not other:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            getattr(view, verb)(inner, place, *args, **more)
        except OSError as error:
            error.filename, error.filename2 = source, path
            raise

    def link(self, source: PathLike, path: PathLike, /, *, follow_symlinks: bool = False) -> None:
        """Give the file at ``source`` a second name, in the same tree."""
        self._both("link", source, path, follow_symlinks=follow_symlinks)

    def renameat2(self, source: PathLike, path: PathLike, flags: int, /) -> None:
        """Move a name within its tree; EXDEV to another."""
        self.busy(source)
        self.busy(path)
        self._both("renameat2", source, path, flags)

    def unlink(self, path: PathLike, /) -> None:
        """Take away a name that is not a directory."""
        self.busy(path)
        self.call("unlink", path, follow=False, writes=True)

    def rmdir(self, path: PathLike, /) -> None:
        """Take away an empty directory."""
        self.busy(path)
        self.call("rmdir", path, follow=False, writes=True)

    def remove(self, path: PathLike, /) -> None:
        """Take a name away: unlink(2), or rmdir(2) if it is a directory."""
        self.busy(path)
        self.call("remove", path, follow=False, writes=True)

    def chmod(self, path: PathLike, mode: int, /, *, follow_symlinks: bool = True) -> None:
        """Set the permission bits."""
        self.call("chmod", path, mode, follow=follow_symlinks, writes=True, follow_symlinks=follow_symlinks)

    def chown(self, path: PathLike, uid: int, gid: int, /, *, follow_symlinks: bool = True) -> None:
        """Set the owner; -1 keeps."""
        self.call(
            "chown", path, uid, gid, follow=follow_symlinks, writes=True, follow_symlinks=follow_symlinks
        )

    def utime(
        self, path: PathLike, /, ns: tuple[int, int] | None = None, *, follow_symlinks: bool = True
    ) -> None:
        """Set (atime, mtime) in nanoseconds; None: now."""
        self.call("utime", path, ns, follow=follow_symlinks, writes=True, follow_symlinks=follow_symlinks)

    def truncate(self, path: PathLike, size: int, /) -> None:
        """Cut or extend (with a hole) to ``size`` bytes."""
        self.call("truncate", path, size, writes=True)

    def setattr(self, path: PathLike, change: Attributes, /) -> None:
        """Change owner, then mode, xattrs and times, of the name itself."""
        self.call("setattr", path, change, follow=False, writes=True)

    def getxattr(self, path: PathLike, name: str | bytes, /, *, follow_symlinks: bool = True) -> bytes:
        """The value of an extended attribute; ENODATA if there is none."""
        value: bytes = self.call(
            "getxattr", path, name, follow=follow_symlinks, follow_symlinks=follow_symlinks
        )
        return value

    def setxattr(
        self,
        path: PathLike,
        name: str | bytes,
        value: bytes,
        flags: int = 0,
        /,
        *,
        follow_symlinks: bool = True,
    ) -> None:
        """Set an extended attribute."""
        follow = follow_symlinks
        self.call("setxattr", path, name, value, flags, follow=follow, writes=True, follow_symlinks=follow)

    def removexattr(self, path: PathLike, name: str | bytes, /, *, follow_symlinks: bool = True) -> None:
        """Take an extended attribute away."""
        follow = follow_symlinks
        self.call("removexattr", path, name, follow=follow, writes=True, follow_symlinks=follow)

    def listxattr(self, path: PathLike = "/", /, *, follow_symlinks: bool = True) -> list[str]:
        """The names of the extended attributes, sorted."""
        names: list[str] = self.call(
            "listxattr", path, follow=follow_symlinks, follow_symlinks=follow_symlinks
        )
        return names


def attached(root: Posix, attachments: Iterable[Attachment]) -> MountedPosix:
    """``root`` with the trees attached; the last one for a target counts."""
    return MountedPosix(root, MountTable(attachments), root.caller)
