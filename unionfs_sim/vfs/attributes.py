"""Changing owner, mode, times and size; each refuses in the order of fs/open.c and fs/attr.c."""

from __future__ import annotations

import errno
import stat
from contextlib import nullcontext
from typing import Any

from unionfs_sim.filesystem import Attributes
from unionfs_sim.vfs.openfile import truncate
from unionfs_sim.vfs.permission import WRITE, drops_sgid, fail, owns, require, require_owner
from unionfs_sim.vfs.walk import PathLike
from unionfs_sim.vfs.xattr import XattrVerbs


class AttributeVerbs(XattrVerbs):
    """chmod(2), chown(2), utimensat(2), truncate(2), for one caller."""

    __slots__ = ()

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
        """Set the owner; -1 keeps. A file loses setuid, and setgid where a group may execute it."""
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
            dropped = stat.S_ISUID | (stat.S_ISGID if drops_sgid(node, caller) else 0)
        if uid != -1:
            if caller.uid and not (caller.uid == node.uid == uid):
                fail(errno.EPERM)
            values["uid"] = uid
        if gid != -1:
            if caller.uid and not (caller.uid == node.uid and (caller.in_group(gid) or gid == node.gid)):
                fail(errno.EPERM)
            values["gid"] = gid
        if dropped & node.mode:
            require_owner(node, caller)
        if dropped:
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
            if node in self._tree.running:
                fail(errno.ETXTBSY)
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
            if change.mode is not None and not stat.S_ISLNK(self._find(path, follow=False).mode):
                self.chmod(path, change.mode)
            for name, value in (change.xattrs or {}).items():
                if value is not None:
                    self.setxattr(path, name, value, follow_symlinks=False)
                elif name in self.listxattr(path, follow_symlinks=False):
                    self.removexattr(path, name, follow_symlinks=False)
            if change.atime_ns is not None or change.mtime_ns is not None:
                now = self._tree.stat(self._find(path, follow=False))
                atime = now.st_atime_ns if change.atime_ns is None else change.atime_ns
                mtime = now.st_mtime_ns if change.mtime_ns is None else change.mtime_ns
                self.utime(path, (atime, mtime), follow_symlinks=False)
