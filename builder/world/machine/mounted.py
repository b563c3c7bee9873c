"""Other trees attached to a root for one command: /dev, and what RUN --mount asks for.

Nothing is written into the root for it: no mount point is made, so none is left in a layer. Paths are
resolved component by component over all trees; a path that cannot meet a mount goes straight to the root.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import AnyStr, Final, TypeAlias

from builder.world.machine.attachments import Attachment, MountTable
from builder.world.machine.routing import Router
from unionfs_sim.filesystem import Attributes, Stat
from unionfs_sim.nodes.caller import ROOT, Caller
from unionfs_sim.nodes.content import Content
from unionfs_sim.vfs import flags as o
from unionfs_sim.vfs.looking import StatVfs
from unionfs_sim.vfs.openfile import File
from unionfs_sim.vfs.posix import Posix
from unionfs_sim.vfs.walk import PathLike, as_text

_WRITES: Final = o.WRONLY | o.RDWR | o.CREAT | o.TRUNC

Account: TypeAlias = Callable[[int], None]
"""Is told how many bytes are about to be written, and may object."""


class CountedFile(File):
    """An open file that tells of the bytes put into it, and of the holes."""

    __slots__ = ("_account", "_hole")

    def __init__(self, file: File, account: Account) -> None:
        for name in File.__slots__:
            setattr(self, name, getattr(file, name))
        file.closed = True  # Its place among the open files of the tree is this one's from now on.
        self._account = account
        self._hole = 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """The new position; what lies between the end and there becomes a hole with the next write."""
        position = super().seek(offset, whence)
        self._hole = 0 if self._flags & o.APPEND else max(position - self.stat().st_size, 0)
        return position

    def write(self, data: bytes, /) -> int:
        """Write at the position."""
        self._account(len(data) + self._hole)
        self._hole = 0
        return super().write(data)

    def pwrite(self, data: bytes, offset: int, /) -> int:
        """Write at ``offset``; the position stays."""
        self._account(len(data) + max(offset - self.stat().st_size, 0))
        return super().pwrite(data, offset)

    def truncate(self, size: int, /) -> None:
        """Cut or extend (with a hole) to ``size`` bytes."""
        self._account(max(size - self.stat().st_size, 0))
        super().truncate(size)


class MountedPosix(Posix):
    """The verbs of ``Posix`` on a root with other trees attached."""

    __slots__ = ("_account", "_attached", "_router", "_whole")

    def __init__(
        self,
        root: Posix,
        table: MountTable,
        caller: Caller,
        cwd: str = "/",
        *,
        account: Account | None = None,
    ) -> None:
        super().__init__(root._tree, caller, root._root)
        self._account = account
        self._whole = root
        self._attached = table
        self._router = Router(root, table, caller, cwd)

    def acting_as(self, caller: Caller, *, cwd: PathLike = "/", root: PathLike = "/") -> Posix:
        """The same trees for another caller; within another root, nothing is attached."""
        if root != "/":
            return self._whole.acting_as(caller, cwd=cwd, root=root)
        inside = type(self)(self._whole, self._attached, ROOT)
        view, path, canonical = inside._router.resolve_fully(posixpath.join("/", as_text(cwd)), follow=True)
        if not stat.S_ISDIR(view.lstat(path).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), cwd)
        return type(self)(self._whole, self._attached, caller, canonical, account=self._account)

    def counted(self, account: Account) -> MountedPosix:
        """The same trees, where ``account`` is told of every byte that is put into a file."""
        return MountedPosix(self._whole, self._attached, self.caller, account=account)

    # ---- looking ---------------------------------------------------------------------------------

    def stat(self, path: PathLike, /, *, follow_symlinks: bool = True) -> Stat:
        """The attributes of what is at ``path``."""
        found: Stat = self._router.call("stat", path, follow=follow_symlinks, follow_symlinks=follow_symlinks)
        return found

    def lstat(self, path: PathLike, /) -> Stat:
        """The attributes of the name itself."""
        found: Stat = self._router.call("lstat", path, follow=False)
        return found

    def content(self, path: PathLike, /) -> Content:
        """The bytes of a regular file."""
        found: Content = self._router.call("content", path)
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
            view, inner = self._router.route(path, follow=follow_symlinks, writes=bool(mode & os.W_OK))
        except (OSError, ValueError):
            return False
        if view.access(inner, mode, follow_symlinks=follow_symlinks):
            return True
        return view is self._router.base and not view.exists(inner) and self._elsewhere(inner, mode)

    def _elsewhere(self, path: str, mode: int) -> bool:
        try:
            view, inner, _ = self._router.resolve_fully(self._router.absolute(path), follow=True)
        except OSError:
            return False
        return view.access(inner, mode)

    def listdir(self, path: AnyStr | os.PathLike[AnyStr] = "/", /) -> list[AnyStr]:  # type: ignore[assignment]
        """The names in a directory, those of attached trees among them."""
        names: list[str] = self._router.call("listdir", as_text(path))
        names += [name for name in self._router.names_in(as_text(path)) if name not in names]
        if isinstance(os.fspath(path), bytes):
            return [name.encode("utf-8", "surrogateescape") for name in names]  # type: ignore[misc]
        return names  # type: ignore[return-value]

    def readlink(self, path: AnyStr | os.PathLike[AnyStr], /) -> AnyStr:
        """The target of a symlink, as stored."""
        target: str = self._router.call("readlink", path, follow=False)
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
        found: StatVfs = self._router.call("statvfs", path)
        return found

    @contextmanager
    def executing(self, path: PathLike, /) -> Iterator[None]:
        """While the ``with`` lasts, the file that ``path`` leads to is a running program."""
        absolute = self._router.absolute(path)
        view, inner, _ = self._router.resolve_fully(absolute, follow=True)
        with view.executing(inner):
            yield

    # ---- changing --------------------------------------------------------------------------------

    def open(self, path: PathLike, flags: int = o.RDONLY, mode: int = 0o666, /) -> File:
        """An open file of the tree that ``path`` leads to."""
        follow = not flags & o.NOFOLLOW
        if flags & o.CREAT and self._router.is_plain(as_text(path)) and self._is_link(path):
            view, inner, _ = self._router.resolve_fully(self._router.absolute(path), follow=follow)
            file = view.open(inner, flags, mode)
        else:
            writes = bool(flags & _WRITES)
            file = self._router.call("open", path, flags, mode, follow=follow, writes=writes)
        if self._account is None or flags & o.ACCESS == o.RDONLY:
            return file
        return CountedFile(file, self._account)

    def _is_link(self, path: PathLike) -> bool:
        try:
            return stat.S_ISLNK(self._router.base.lstat(path).st_mode)
        except (OSError, ValueError):
            return False

    def mkdir(self, path: PathLike, mode: int = 0o777, /) -> None:
        """Make a directory."""
        self._router.call("mkdir", path, mode, follow=False, writes=True)

    def mknod(self, path: PathLike, mode: int = 0o600, rdev: int = 0, /) -> None:
        """Make a regular file, fifo, socket or device."""
        self._router.call("mknod", path, mode, rdev, follow=False, writes=True)

    def symlink(self, target: str | bytes, path: PathLike, /) -> None:
        """Make a symlink at ``path``."""
        view, inner = self._router.route(path, follow=False, writes=True)
        try:
            view.symlink(target, inner)
        except OSError as error:
            error.filename, error.filename2 = target, path
            raise

    def link(self, source: PathLike, path: PathLike, /, *, follow_symlinks: bool = False) -> None:
        """Give the file at ``source`` a second name, in the same tree."""
        self._router.both("link", source, path, follow_symlinks=follow_symlinks)

    def renameat2(self, source: PathLike, path: PathLike, flags: int, /) -> None:
        """Move a name within its tree; EXDEV to another."""
        self._router.busy(source)
        self._router.busy(path)
        self._router.both("renameat2", source, path, flags)

    def unlink(self, path: PathLike, /) -> None:
        """Take away a name that is not a directory."""
        self._router.busy(path)
        self._router.call("unlink", path, follow=False, writes=True)

    def rmdir(self, path: PathLike, /) -> None:
        """Take away an empty directory."""
        self._router.busy(path)
        self._router.call("rmdir", path, follow=False, writes=True)

    def remove(self, path: PathLike, /) -> None:
        """Take a name away: unlink(2), or rmdir(2) if it is a directory."""
        self._router.busy(path)
        self._router.call("remove", path, follow=False, writes=True)

    def chmod(self, path: PathLike, mode: int, /, *, follow_symlinks: bool = True) -> None:
        """Set the permission bits."""
        self._router.call(
            "chmod", path, mode, follow=follow_symlinks, writes=True, follow_symlinks=follow_symlinks
        )

    def chown(self, path: PathLike, uid: int, gid: int, /, *, follow_symlinks: bool = True) -> None:
        """Set the owner; -1 keeps."""
        self._router.call(
            "chown", path, uid, gid, follow=follow_symlinks, writes=True, follow_symlinks=follow_symlinks
        )

    def utime(
        self, path: PathLike, /, ns: tuple[int, int] | None = None, *, follow_symlinks: bool = True
    ) -> None:
        """Set (atime, mtime) in nanoseconds; None: now."""
        self._router.call(
            "utime", path, ns, follow=follow_symlinks, writes=True, follow_symlinks=follow_symlinks
        )

    def truncate(self, path: PathLike, size: int, /) -> None:
        """Cut or extend (with a hole) to ``size`` bytes."""
        if self._account is not None:
            self._account(max(size - self.stat(path).st_size, 0))
        self._router.call("truncate", path, size, writes=True)

    def setattr(self, path: PathLike, change: Attributes, /) -> None:
        """Change owner, then mode, xattrs and times, of the name itself."""
        self._router.call("setattr", path, change, follow=False, writes=True)

    def getxattr(self, path: PathLike, name: str | bytes, /, *, follow_symlinks: bool = True) -> bytes:
        """The value of an extended attribute; ENODATA if there is none."""
        value: bytes = self._router.call(
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
        self._router.call(
            "setxattr", path, name, value, flags, follow=follow, writes=True, follow_symlinks=follow
        )

    def removexattr(self, path: PathLike, name: str | bytes, /, *, follow_symlinks: bool = True) -> None:
        """Take an extended attribute away."""
        follow = follow_symlinks
        self._router.call("removexattr", path, name, follow=follow, writes=True, follow_symlinks=follow)

    def listxattr(self, path: PathLike = "/", /, *, follow_symlinks: bool = True) -> list[str]:
        """The names of the extended attributes, sorted."""
        names: list[str] = self._router.call(
            "listxattr", path, follow=follow_symlinks, follow_symlinks=follow_symlinks
        )
        return names


def attached(root: Posix, attachments: Iterable[Attachment]) -> MountedPosix:
    """``root`` with the trees attached; the last one for a target counts."""
    return MountedPosix(root, MountTable(attachments), root.caller)
