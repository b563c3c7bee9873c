"""Making, linking, removing and moving names; each refuses in the order of fs/namei.c."""

from __future__ import annotations

import errno
import stat
from typing import Any, Final

from unionfs_sim.nodes.inode import DEAD
from unionfs_sim.vfs.openfile import File
from unionfs_sim.vfs.opening import Opener
from unionfs_sim.vfs.permission import (
    EXECUTE,
    READ,
    WRITE,
    asked_mode,
    check_sticky,
    fail,
    owns,
    permits,
    require,
)
from unionfs_sim.vfs.walk import PathLike, as_text, check_name

RENAME_NOREPLACE: Final = 1
RENAME_EXCHANGE: Final = 2
RENAME_WHITEOUT: Final = 4


class NameVerbs(Opener):
    """mkdir(2), mknod(2), symlink(2), link(2), unlink(2), rmdir(2), rename(2), for one caller."""

    __slots__ = ()

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


def _is_within(directory: Any, ancestor: Any) -> bool:
    """Whether ``directory`` is ``ancestor`` or lies below it."""
    while directory is not ancestor:
        if directory.parent is directory:
            return False
        directory = directory.parent
    return True
