"""The verbs of ``os``, written once for a raw layer and a union alike.

Names and argument order are those of ``os``; failures are ``OSError`` with the errno of Linux and the
path. What is refused first is what the kernel refuses first (fs/namei.c, fs/open.c, fs/attr.c, fs/xattr.c).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, AnyStr, Final, NamedTuple

from unionfs_sim.caller import Caller, Clock
from unionfs_sim.content import Content
from unionfs_sim.filesystem import Attributes, Stat
from unionfs_sim.inode import DEAD
from unionfs_sim.opening import File, Opener, truncate
from unionfs_sim.permission import (
    EXECUTE,
    READ,
    WRITE,
    asked_mode,
    check_sticky,
    drops_sgid,
    fail,
    owns,
    permits,
    require,
    require_owner,
)
from unionfs_sim.walk import PathLike, as_text, check_name
from unionfs_sim.xattr import XattrVerbs

RENAME_NOREPLACE: Final = 1
RENAME_EXCHANGE: Final = 2
RENAME_WHITEOUT: Final = 4


class StatVfs(NamedTuple):
    """What statvfs(3) tells, as far as a tree in memory has an answer."""

    f_bsize: int
    f_frsize: int
    f_namemax: int
    f_flag: int


class Posix(XattrVerbs, Opener):
    """A tree as one caller sees it.

    >>> from unionfs_sim import Layer
    >>> fs = Layer()
    >>> fs.write_bytes("/motd", b"hello")
    >>> fs.acting_as(Caller(1000, 1000)).read_bytes("/motd")
    b'hello'
    """

    __slots__ = ()

    @property
    def clock(self) -> Clock:
        """Tells the time that changes are stamped with."""
        return self._tree.clock

    def acting_as(self, caller: Caller, *, cwd: PathLike = "/", root: PathLike = "/") -> Posix:
        """The same tree for another caller; relative paths start at ``cwd``, within ``root`` (chroot)."""
        top = self._tree.root if root == "/" else self._directory(root)
        inside = Posix(self._tree, caller, top)
        if cwd == "/":
            return inside
        return Posix(self._tree, caller, top, Posix(self._tree, Caller(), top)._directory(cwd))

    def beside(self, directory: File, /) -> Posix:
        """The same view with relative paths starting at an open directory (openat(2))."""
        node = directory.usable()
        if not node.is_dir:
            fail(errno.ENOTDIR)
        return Posix(self._tree, self.caller, self._root, node)

    def _directory(self, path: PathLike) -> Any:
        node = self._find(path)
        if not node.is_dir:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return node

    def _begin(self) -> None:
        if self._tree.journal is not None:
            self._tree.journal.begin()

    # -- looking

    def stat(self, path: PathLike, /, *, follow_symlinks: bool = True) -> Stat:
        """The attributes of what is at ``path``."""
        try:
            if isinstance(path, File):
                return path.stat()
            return self._tree.stat(self._find(path, follow=follow_symlinks))
        except OSError as error:
            error.filename = path
            raise

    def lstat(self, path: PathLike, /) -> Stat:
        """The attributes of the name itself."""
        try:
            return self._tree.stat(self._find(path, follow=False))
        except OSError as error:
            error.filename = path
            raise

    def content(self, path: PathLike, /) -> Content:
        """The bytes of the regular file at ``path`` itself, not copied; equal bytes may be one object."""
        try:
            node = self._find(path, follow=False)
            if not stat.S_ISREG(node.mode):
                fail(errno.EINVAL)
            return self._tree.content(node)
        except OSError as error:
            error.filename = path
            raise

    def exists(self, path: PathLike, /) -> bool:
        """Whether ``path`` leads to something that the caller can reach."""
        try:
            self._find(path)
        except (OSError, ValueError):
            return False
        return True

    def access(self, path: PathLike, mode: int, /, *, follow_symlinks: bool = True) -> bool:
        """Whether the caller may read, write or execute (``os.R_OK | os.W_OK | os.X_OK``)."""
        try:
            node = self._find(path, follow=follow_symlinks)
            if (
                mode & WRITE
                and self._tree.read_only
                and node.mode & 0o170000 in (0o100000, 0o040000, 0o120000)
            ):
                return False
            return permits(node, self.caller, mode)
        except OSError:
            return False

    def listdir(self, path: AnyStr | os.PathLike[AnyStr] = "/", /) -> list[AnyStr]:  # type: ignore[assignment]
        """The names in a directory, without ``.`` and ``..``."""
        try:
            node = self._find(path)
            if node.mode & 0o170000 != 0o040000:
                fail(errno.ENOTDIR)
            require(node, self.caller, READ)
            names = self._tree.entries(node)
        except OSError as error:
            error.filename = path
            raise
        if isinstance(os.fspath(path), bytes):
            return [name.encode("utf-8", "surrogateescape") for name in names]  # type: ignore[misc]
        return names  # type: ignore[return-value]

    def readlink(self, path: AnyStr | os.PathLike[AnyStr], /) -> AnyStr:
        """The target of a symlink, as stored."""
        try:
            node = self._find(path, follow=False)
            if node.mode & 0o170000 != 0o120000:
                fail(errno.EINVAL)
            target: str = self._tree.target(node)
            self._tree.accessed(node)
        except OSError as error:
            error.filename = path
            raise
        if isinstance(os.fspath(path), bytes):
            return target.encode("utf-8", "surrogateescape")  # type: ignore[return-value]
        return target  # type: ignore[return-value]

    def walk(self, top: str = "/") -> Iterator[tuple[str, list[str], list[str]]]:
        """As ``os.walk``: (path, directories, other names), parents first; unreadable ones are left out."""
        try:
            todo = [(top, self._directory(top))]
        except OSError:
            return
        tree, caller = self._tree, self.caller
        while todo:
            path, node = todo.pop()
            if not permits(node, caller, READ):
                continue
            directories: list[str] = []
            others: list[str] = []
            for name, is_directory in tree.typed_entries(node):
                (directories if is_directory else others).append(name)
            yield path, directories, others
            if directories and permits(node, caller, EXECUTE):
                stem = path if path[-1] == "/" else path + "/"
                for name in reversed(directories):
                    child = tree.lookup(node, name)
                    if child is not None and child.is_dir:
                        todo.append((stem + name, child))

    def statvfs(self, path: PathLike = "/", /) -> StatVfs:
        """The limits of the file system: names of 255 bytes, pages of 4096."""
        try:
            self._find(path)
        except OSError as error:
            error.filename = path
            raise
        return StatVfs(4096, 4096, 255, os.ST_RDONLY if self._tree.read_only else 0)

    # -- making

    def mkdir(self, path: PathLike, mode: int = 0o777, /) -> None:
        """Make a directory."""
        try:
            self._make(path, stat.S_IFDIR | mode & 0o1777, None)
        except OSError as error:
            error.filename = path
            raise

    def mknod(self, path: PathLike, mode: int = 0o600, rdev: int = 0, /) -> None:
        """Make a regular file, fifo, socket or device; the S_IFMT bits of ``mode`` say which."""
        kind = stat.S_IFMT(mode) or stat.S_IFREG
        try:
            if kind == stat.S_IFDIR:
                fail(errno.EPERM)
            if kind not in (stat.S_IFREG, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK):
                fail(errno.EINVAL)
            body = rdev if kind in (stat.S_IFCHR, stat.S_IFBLK) else None
            self._make(path, kind | mode & 0o7777, body)
        except OSError as error:
            error.filename = path
            raise

    def symlink(self, target: str | bytes, path: PathLike, /) -> None:
        """Make a symlink at ``path``."""
        try:
            self._make(path, stat.S_IFLNK | 0o777, as_text(target))
        except OSError as error:
            error.filename, error.filename2 = target, path
            raise

    def _make(self, path: PathLike, mode: int, body: str | int | None) -> None:
        self._begin()
        tree, caller = self._tree, self.caller
        directory, name = self._vacant(path, directories=mode & 0o170000 == 0o040000)
        if not permits(directory, caller, WRITE | EXECUTE):
            fail(errno.EACCES)
        # Whoever may write a directory of a plain file system may make a whiteout in it (Linux 5.8).
        if (
            mode & 0o170000 in (0o020000, 0o060000)
            and caller.uid
            and not (mode & 0o170000 == 0o020000 and body == 0)
        ):
            fail(errno.EPERM)
        if mode & 0o170000 != 0o120000:
            mode = asked_mode(directory, caller, mode)
        tree.make(directory, name, mode, caller, body)

    def _vacant(self, path: PathLike, *, directories: bool = False) -> tuple[Any, str]:
        """(directory, name) of a path where nothing is yet (filename_create)."""
        directory, name, slashes = self._parent(path)
        if name in ("", ".", ".."):
            fail(errno.EEXIST)
        if directory.children is DEAD:
            fail(errno.ENOENT)
        if directory.children.get(name) is not None:
            fail(errno.EEXIST)
        check_name(name)
        if self._tree.lookup(directory, name) is not None:
            fail(errno.EEXIST)
        if slashes and not directories:
            fail(errno.ENOENT)
        if self._tree.read_only:
            fail(errno.EROFS)
        return directory, name

    def link(self, source: PathLike, path: PathLike, /, *, follow_symlinks: bool = False) -> None:
        """Give the file at ``source`` a second name."""
        self._begin()
        try:
            node = self._source(source, follow=follow_symlinks)
            directory, name = self._vacant(path)
            self._may_link(node)
            require(directory, self.caller, WRITE | EXECUTE)
            if node.is_dir:
                fail(errno.EPERM)
            if isinstance(source, File):
                source.claim_name()
            self._tree.link(node, directory, name)
        except OSError as error:
            error.filename, error.filename2 = source, path
            raise

    def _source(self, source: PathLike, *, follow: bool) -> Any:
        """What a link is made to: a path, or an open file as linkat(2) takes it with AT_EMPTY_PATH."""
        if not isinstance(source, File):
            return self._find(source, follow=follow)
        node = source.usable()
        if self.caller.uid and self.caller is not source.opener:
            fail(errno.ENOENT)
        return node

    def _may_link(self, node: Any) -> None:
        """Raise EPERM where the sysctl fs.protected_hardlinks forbids a link to another's file."""
        if owns(node, self.caller):
            return
        safe = (
            node.mode & 0o170000 == 0o100000
            and not node.mode & stat.S_ISUID
            and node.mode & 0o2010 != 0o2010
            and permits(node, self.caller, READ | WRITE)
        )
        if not safe:
            fail(errno.EPERM)

    # -- taking away and moving

    def unlink(self, path: PathLike, /) -> None:
        """Take away a name that is not a directory."""
        self._begin()
        try:
            directory, name, slashes = self._parent(path)
            if name in ("", ".", ".."):
                fail(errno.EISDIR)
            if self._tree.read_only:
                fail(errno.EROFS)
            node = self._victim(directory, name)
            if slashes:
                fail(errno.EISDIR if node.is_dir else errno.ENOTDIR)
            self._may_remove(directory, node)
            if node.is_dir:
                fail(errno.EISDIR)
            self._tree.unlink(directory, name, node)
        except OSError as error:
            error.filename = path
            raise

    def rmdir(self, path: PathLike, /) -> None:
        """Take away an empty directory."""
        self._begin()
        try:
            directory, name, _ = self._parent(path)
            if name in ("", ".", ".."):
                fail({"": errno.EBUSY, ".": errno.EINVAL, "..": errno.ENOTEMPTY}[name])
            if self._tree.read_only:
                fail(errno.EROFS)
            node = self._victim(directory, name)
            self._may_remove(directory, node)
            if not node.is_dir:
                fail(errno.ENOTDIR)
            self._tree.rmdir(directory, name, node)
        except OSError as error:
            error.filename = path
            raise

    def remove(self, path: PathLike, /) -> None:
        """Take a name away: unlink(2), or rmdir(2) if it is a directory."""
        try:
            directory = self._find(path, follow=False).is_dir
        except OSError as error:
            error.filename = path
            raise
        (self.rmdir if directory else self.unlink)(path)

    def _victim(self, directory: Any, name: str) -> Any:
        node = directory.children.get(name)
        if node is None:
            check_name(name)
            node = self._tree.lookup(directory, name)
            if node is None:
                fail(errno.ENOENT)
        return node

    def _may_remove(self, directory: Any, node: Any) -> None:
        if not permits(directory, self.caller, WRITE | EXECUTE):
            fail(errno.EACCES)
        if directory.mode & stat.S_ISVTX:
            check_sticky(directory, node, self.caller)

    def rename(self, source: PathLike, path: PathLike, /) -> None:
        """Move a name; what was at ``path`` goes."""
        self.renameat2(source, path, 0)

    def renameat2(self, source: PathLike, path: PathLike, flags: int, /) -> None:
        """Move a name with flags: RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT."""
        self._begin()
        try:
            self._rename(source, path, flags)
        except OSError as error:
            error.filename, error.filename2 = source, path
            raise

    def _rename(self, source: PathLike, path: PathLike, flags: int) -> None:
        if flags & ~7 or (flags & RENAME_EXCHANGE and flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)):
            fail(errno.EINVAL)
        old_directory, old_name, old_slashes = self._parent(source)
        new_directory, new_name, new_slashes = self._parent(path)
        if old_name in ("", ".", ".."):
            fail(errno.EBUSY)
        if new_name in ("", ".", ".."):
            fail(errno.EEXIST if flags & RENAME_NOREPLACE else errno.EBUSY)
        if self._tree.read_only:
            fail(errno.EROFS)
        node = self._victim(old_directory, old_name)
        if new_directory.children is DEAD:
            fail(errno.ENOENT)
        check_name(new_name)
        other = self._tree.lookup(new_directory, new_name)
        if other is not None and flags & RENAME_NOREPLACE:
            fail(errno.EEXIST)
        if flags & RENAME_EXCHANGE:
            if other is None:
                fail(errno.ENOENT)
            if not other.is_dir and new_slashes:
                fail(errno.ENOTDIR)
        if not node.is_dir and (old_slashes or (new_slashes and not flags & RENAME_EXCHANGE)):
            fail(errno.ENOTDIR)
        if node.is_dir and _is_within(new_directory, node):
            fail(errno.EINVAL)
        if other is not None and other.is_dir and _is_within(old_directory, other):
            fail(errno.EINVAL if flags & RENAME_EXCHANGE else errno.ENOTEMPTY)
        if node is other:
            return
        self._may_rename((old_directory, node), (new_directory, other), flags)
        self._tree.rename((old_directory, old_name, node), (new_directory, new_name, other), flags)
        if flags & RENAME_WHITEOUT:
            self._tree.make(old_directory, old_name, stat.S_IFCHR, self.caller, 0)

    def _may_rename(self, old: tuple[Any, Any], new: tuple[Any, Any], flags: int) -> None:
        """The checks of vfs_rename, in its order."""
        (old_directory, node), (new_directory, other) = old, new
        self._may_remove(old_directory, node)
        if other is None:
            require(new_directory, self.caller, WRITE | EXECUTE)
        else:
            self._may_remove(new_directory, other)
            if not flags & RENAME_EXCHANGE and node.is_dir != other.is_dir:
                fail(errno.ENOTDIR if node.is_dir else errno.EISDIR)
        if new_directory is not old_directory:
            if node.is_dir:
                require(node, self.caller, WRITE)
            if flags & RENAME_EXCHANGE and other is not None and other.is_dir:
                require(other, self.caller, WRITE)

    # -- attributes

    def _writable(self, path: PathLike, *, follow: bool) -> Any:
        self._begin()
        node = self._find_usable(path, follow=follow)
        if self._tree.read_only:
            fail(errno.EROFS)
        return node

    def chmod(self, path: PathLike, mode: int, /, *, follow_symlinks: bool = True) -> None:
        """Set the permission bits; only the owner may, and setgid only for a group one is in."""
        try:
            node = self._writable(path, follow=follow_symlinks)
            if node.mode & 0o170000 == 0o120000:
                fail(errno.EOPNOTSUPP)
            require_owner(node, self.caller)
            mode &= 0o7777
            if mode & stat.S_ISGID and self.caller.uid and not self.caller.in_group(node.gid):
                mode &= ~stat.S_ISGID
            self._tree.change(node, {"mode": node.mode & 0o170000 | mode})
        except OSError as error:
            error.filename = path
            raise

    def chown(self, path: PathLike, uid: int, gid: int, /, *, follow_symlinks: bool = True) -> None:
        """Set the owner; -1 keeps. Takes setuid (and setgid) away from a file, as chown(2) does."""
        try:
            node = self._writable(path, follow=follow_symlinks)
            self._tree.change(node, self._owner_change(node, uid, gid))
        except OSError as error:
            error.filename = path
            raise

    def _owner_change(self, node: Any, uid: int, gid: int) -> dict[str, int]:
        caller = self.caller
        values = {}
        dropped = 0
        if not node.is_dir:
            dropped = node.mode & (stat.S_ISUID | (stat.S_ISGID if drops_sgid(node, caller) else 0))
        if uid != -1:
            if caller.uid and not (caller.uid == node.uid == uid):
                fail(errno.EPERM)
            values["uid"] = uid
        if gid != -1:
            if caller.uid and not (caller.uid == node.uid and (caller.in_group(gid) or gid == node.gid)):
                fail(errno.EPERM)
            values["gid"] = gid
        if dropped:
            require_owner(node, caller)
            values["dropped"] = dropped
        return values

    def utime(
        self, path: PathLike, /, ns: tuple[int, int] | None = None, *, follow_symlinks: bool = True
    ) -> None:
        """Set (atime, mtime) in nanoseconds; None: now, which a caller who may write may do too."""
        try:
            node = self._writable(path, follow=follow_symlinks)
            if ns is None:
                if not owns(node, self.caller):
                    require(node, self.caller, WRITE)
                now = self._tree.clock()
                ns = now, now
            else:
                require_owner(node, self.caller)
            self._tree.change(node, {"atime_ns": ns[0], "mtime_ns": ns[1]})
        except OSError as error:
            error.filename = path
            raise

    def truncate(self, path: PathLike, size: int, /) -> None:
        """Cut or extend (with a hole) to ``size`` bytes."""
        try:
            if size < 0:
                fail(errno.EINVAL)
            node = self._find(path)
            if node.mode & 0o170000 != 0o100000:
                fail(errno.EISDIR if node.is_dir else errno.EINVAL)
            self._writable(path, follow=True)
            require(node, self.caller, WRITE)
            truncate(self._tree, node, size, self.caller, now=False)
        except OSError as error:
            error.filename = path
            raise

    def setattr(self, path: PathLike, change: Attributes, /) -> None:
        """Change owner, then mode, xattrs and times, of the name itself (as root would restore them)."""
        with nullcontext() if self._tree.journal is None else self._tree.journal.operation():
            if change.uid is not None or change.gid is not None:
                uid = -1 if change.uid is None else change.uid
                gid = -1 if change.gid is None else change.gid
                self.chown(path, uid, gid, follow_symlinks=False)
            if change.mode is not None and not stat.S_ISLNK(self.lstat(path).st_mode):
                self.chmod(path, change.mode)
            for name, value in (change.xattrs or {}).items():
                if value is not None:
                    self.setxattr(path, name, value, follow_symlinks=False)
                elif name in self.listxattr(path, follow_symlinks=False):
                    self.removexattr(path, name, follow_symlinks=False)
            if change.atime_ns is not None or change.mtime_ns is not None:
                now = self.lstat(path)
                atime = now.st_atime_ns if change.atime_ns is None else change.atime_ns
                mtime = now.st_mtime_ns if change.mtime_ns is None else change.mtime_ns
                self.utime(path, (atime, mtime), follow_symlinks=False)

    # -- conveniences

    def read_bytes(self, path: PathLike, /) -> bytes:
        """All bytes of a file."""
        return self.open(path).read()

    def write_bytes(self, path: PathLike, data: bytes, mode: int = 0o666, /) -> None:
        """Make ``path`` a file of these bytes; a file that is there keeps its inode and owner."""
        with nullcontext() if self._tree.journal is None else self._tree.journal.operation():
            file = self.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            file.write(data)


def _is_within(directory: Any, ancestor: Any) -> bool:
    """Whether ``directory`` is ``ancestor`` or lies below it."""
    while directory is not ancestor:
        if directory.parent is directory:
            return False
        directory = directory.parent
    return True
