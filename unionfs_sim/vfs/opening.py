"""open(2): what the flags mean, in the order in which the kernel looks at them (fs/open.c, fs/namei.c)."""

from __future__ import annotations

import errno
import os
import stat
from typing import Any, Final

from unionfs_sim.nodes.inode import DEAD
from unionfs_sim.vfs.openfile import FULL, NULL, ZERO, File, device_of, truncate
from unionfs_sim.vfs.permission import (
    EXECUTE,
    READ,
    WRITE,
    asked_mode,
    check_sticky_creation,
    fail,
    permits,
    require,
    require_owner,
)
from unionfs_sim.vfs.walk import MAX_LINKS, SYMLINK, PathLike, Walker, check_name

UNNAMED: Final = 0o20000000
"""O_TMPFILE without its O_DIRECTORY bit (__O_TMPFILE)."""


class Opener(Walker):
    """Opens files by path, for one caller in one tree."""

    __slots__ = ()

    def open(self, path: PathLike, flags: int = os.O_RDONLY, mode: int = 0o666, /) -> File:
        """An open file; ``flags`` and ``mode`` are those of the system call, ``os.O_*``."""
        try:
            return self._open(path, flags, mode)
        except OSError as error:
            error.filename = path
            raise

    def _open(self, path: PathLike, flags: int, mode: int) -> File:
        self._begin()
        if flags & os.O_PATH:
            flags &= os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        elif flags & (UNNAMED | os.O_CREAT):
            if flags & UNNAMED:
                return self._open_unnamed(path, flags, mode)
            if flags & os.O_DIRECTORY:
                fail(errno.EINVAL)
            return self._open_or_create(path, flags, mode)
        follow = not flags & os.O_NOFOLLOW
        node = self._find(path, follow=follow)
        if flags & os.O_DIRECTORY and node.mode & 0o170000 != 0o040000:
            fail(errno.ENOTDIR)
        if flags & os.O_PATH:
            return File(self._tree, node, flags, self.caller)
        return self._open_node(node, flags)

    def _open_unnamed(self, path: PathLike, flags: int, mode: int) -> File:
        if flags & os.O_TMPFILE != os.O_TMPFILE or flags & os.O_CREAT or flags & 3 not in (1, 2):
            fail(errno.EINVAL)
        directory = self._find(path, follow=not flags & os.O_NOFOLLOW)
        if not directory.is_dir:
            fail(errno.ENOTDIR)
        if self._tree.read_only:
            fail(errno.EROFS)
        require(directory, self.caller, WRITE | EXECUTE)
        wanted = asked_mode(directory, self.caller, stat.S_IFREG | mode & 0o7777)
        node = self._tree.make_unnamed(directory, wanted, self.caller)
        return File(self._tree, node, flags, self.caller)

    def _open_or_create(self, path: PathLike, flags: int, mode: int) -> File:
        """O_CREAT: a symlink in the last place is followed by hand, as its target may be made."""
        tree = self._tree
        directory, name, slashes = self._parent(path)
        links = 0
        while True:
            if name in ("", ".", ".."):
                node = directory if name != ".." or directory is self._root else directory.parent
                break
            if slashes:
                fail(errno.EISDIR)
            node = directory.children.get(name)
            if node is None:
                check_name(name)
                node = tree.lookup(directory, name)
                if node is None:
                    return self._create(directory, name, flags, mode)
            if node.mode & 0o170000 != SYMLINK or flags & os.O_NOFOLLOW or flags & os.O_EXCL:
                break
            links += 1
            if links > MAX_LINKS:
                fail(errno.ELOOP)
            tree.accessed(node)
            # The links on the way are counted by the walk; a chain at the end is counted here.
            directory, name, slashes = self._walk(
                tree.target(node), directory, stop_before_last=True, links=links
            )
        if flags & os.O_EXCL:
            fail(errno.EEXIST)
        if node.mode & 0o170000 == 0o040000:
            fail(errno.EISDIR)
        check_sticky_creation(directory, node, self.caller)
        return self._open_node(node, flags)

    def _create(self, directory: Any, name: str, flags: int, mode: int) -> File:
        tree, caller = self._tree, self.caller
        if directory.children is DEAD:
            fail(errno.ENOENT)  # the directory itself was removed
        if tree.read_only:
            fail(errno.EROFS)
        if not permits(directory, caller, WRITE | EXECUTE):
            fail(errno.EACCES)
        mode = asked_mode(directory, caller, stat.S_IFREG | mode & 0o7777)
        node = tree.make(directory, name, mode, caller, None)
        return File(tree, node, flags, caller)

    def _open_node(self, node: Any, flags: int) -> File:
        """do_open and may_open of fs/namei.c, then the open of the file system."""
        tree, caller = self._tree, self.caller
        wanted = (READ, WRITE, READ | WRITE, READ | WRITE)[flags & 3]
        truncating = flags & os.O_TRUNC
        kind = node.mode & 0o170000
        if truncating:
            wanted |= WRITE
            if kind == 0o100000 and tree.read_only:
                fail(errno.EROFS)
        if kind == SYMLINK:
            fail(errno.ELOOP)
        if kind == 0o040000 and wanted & WRITE:
            fail(errno.EISDIR)
        if wanted & WRITE and tree.read_only and kind == 0o100000:
            fail(errno.EROFS)
        if not permits(node, caller, wanted):
            fail(errno.EACCES)
        if flags & os.O_NOATIME:
            require_owner(node, caller)
        if kind == 0o100000:
            if wanted & WRITE and node in tree.running:
                fail(errno.ETXTBSY)
            tree.before_open(node, writing=wanted & WRITE != 0, truncating=truncating != 0)
            if truncating:
                truncate(tree, node, 0, caller, now=True)
        elif kind != 0o040000:
            self._open_special(node, kind, flags)
        return File(tree, node, flags, caller)

    def _open_special(self, node: Any, kind: int, flags: int) -> None:
        """A fifo without a reader, a socket, a device that no driver serves: ENXIO."""
        if kind == stat.S_IFIFO:
            if flags & 3 == os.O_WRONLY and flags & os.O_NONBLOCK:
                fail(errno.ENXIO)
        elif kind != stat.S_IFCHR or device_of(self._tree, node) not in (NULL, ZERO, FULL):
            fail(errno.ENXIO)
