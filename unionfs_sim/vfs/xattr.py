"""Extended attributes: which names exist, who may touch them, in which order the kernel refuses."""

from __future__ import annotations

import errno
import os
import stat
from typing import Any, Final

from unionfs_sim.vfs.openfile import as_bytes
from unionfs_sim.vfs.opening import Opener
from unionfs_sim.vfs.permission import READ, WRITE, fail, owns, require
from unionfs_sim.vfs.walk import PathLike

MAX_NAME: Final = 255
MAX_VALUE: Final = 65536
NAMESPACES: Final = ("user.", "trusted.", "security.")


def check_namespace(name: str) -> None:
    """Raise EOPNOTSUPP for a name outside of the namespaces of tmpfs, EINVAL for one with nothing behind."""
    if not name.startswith(NAMESPACES):
        fail(errno.EOPNOTSUPP)
    if name in NAMESPACES:
        fail(errno.EINVAL)


class XattrVerbs(Opener):
    """getxattr(2) and its kin, for one caller."""

    __slots__ = ()

    def _xattr_permission(self, node: Any, name: str, wanted: int) -> None:
        """xattr_permission of fs/xattr.c."""
        tree, caller = self._tree, self.caller
        if wanted & WRITE and tree.read_only:
            fail(errno.EROFS)
        if name.startswith(("security.", "system.")):
            return
        if name.startswith("trusted."):
            if caller.uid:
                fail(errno.EPERM if wanted & WRITE else errno.ENODATA)
            return
        if name.startswith("user."):
            if node.mode & 0o170000 not in (0o100000, 0o040000):
                fail(errno.EPERM if wanted & WRITE else errno.ENODATA)
            if node.is_dir and node.mode & stat.S_ISVTX and wanted & WRITE and not owns(node, caller):
                fail(errno.EPERM)
        require(node, caller, wanted)

    @staticmethod
    def _xattr_name(name: str | bytes) -> str:
        text = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
        if "\0" in text:
            raise ValueError("embedded null byte")
        if not text or len(text.encode("utf-8", "surrogateescape")) > MAX_NAME:
            fail(errno.ERANGE)
        return text

    def getxattr(self, path: PathLike, name: str | bytes, /, *, follow_symlinks: bool = True) -> bytes:
        """The value of an extended attribute; ENODATA if there is none."""
        try:
            text = self._xattr_name(name)
            node = self._find_usable(path, follow=follow_symlinks)
            self._xattr_permission(node, text, READ)
            value = self._tree.getxattr(node, text)
            if value is None:
                fail(errno.ENODATA)
        except OSError as error:
            error.filename = path
            raise
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
        """Set an extended attribute; ``flags``: os.XATTR_CREATE or os.XATTR_REPLACE."""
        self._change_xattr(path, name, as_bytes(value), flags, follow=follow_symlinks)

    def removexattr(self, path: PathLike, name: str | bytes, /, *, follow_symlinks: bool = True) -> None:
        """Take an extended attribute away; ENODATA if there is none."""
        self._change_xattr(path, name, None, os.XATTR_REPLACE, follow=follow_symlinks)

    def _change_xattr(
        self, path: PathLike, name: str | bytes, value: bytes | None, flags: int, *, follow: bool
    ) -> None:
        self._begin()
        try:
            if flags & ~3:
                fail(errno.EINVAL)
            text = self._xattr_name(name)
            if value is not None and len(value) > MAX_VALUE:
                fail(errno.E2BIG)
            node = self._find_usable(path, follow=follow)
            if self._tree.read_only:
                fail(errno.EROFS)
            self._xattr_permission(node, text, WRITE)
            if text.startswith("security.") and self.caller.uid:
                fail(errno.EPERM)
            self._tree.setxattr(node, text, value, flags)
        except OSError as error:
            error.filename = path
            raise

    def listxattr(self, path: PathLike = "/", /, *, follow_symlinks: bool = True) -> list[str]:
        """The names of the extended attributes that the caller may know of, sorted."""
        try:
            names = self._tree.listxattr(self._find_usable(path, follow=follow_symlinks))
        except OSError as error:
            error.filename = path
            raise
        return sorted(name for name in names if self.caller.uid == 0 or not name.startswith("trusted."))

    def xattrs(self, path: PathLike, /) -> dict[str, bytes]:
        """All extended attributes of the name itself that the caller may read, by full name."""
        found = {}
        for name in self.listxattr(path, follow_symlinks=False):
            try:
                found[name] = self.getxattr(path, name, follow_symlinks=False)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.ENODATA):
                    raise
        return found
