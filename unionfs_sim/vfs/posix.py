"""The verbs of ``os``, written once for a raw layer and a union alike.

Names and argument order are those of ``os``; failures are ``OSError`` with the errno of Linux and the
path. What is refused first is what the kernel refuses first (fs/namei.c, fs/open.c, fs/attr.c, fs/xattr.c).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from unionfs_sim.nodes.caller import Caller, Clock
from unionfs_sim.vfs import attributes, flags, looking, names, opening, xattr
from unionfs_sim.vfs.openfile import File, as_bytes
from unionfs_sim.vfs.permission import fail
from unionfs_sim.vfs.walk import PathLike, View, find, find_directory


class Posix(View):
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
        top = self._tree.root if root == "/" else find_directory(self, root)
        inside = Posix(self._tree, caller, top)
        if cwd == "/":
            return inside
        return Posix(self._tree, caller, top, find_directory(Posix(self._tree, Caller(), top), cwd))

    def beside(self, directory: File, /) -> Posix:
        """The same view with relative paths starting at an open directory (openat(2))."""
        node = directory.usable()
        if not node.is_dir:
            fail(errno.ENOTDIR)
        return Posix(self._tree, self.caller, self._root, node)

    stat = looking.stat
    lstat = looking.lstat
    content = looking.content
    exists = looking.exists
    access = looking.access
    listdir = looking.listdir
    readlink = looking.readlink
    walk = looking.walk
    statvfs = looking.statvfs

    open = opening.open_file

    mkdir = names.mkdir
    mknod = names.mknod
    symlink = names.symlink
    link = names.link
    unlink = names.unlink
    rmdir = names.rmdir
    remove = names.remove
    renameat2 = names.renameat2

    chmod = attributes.chmod
    chown = attributes.chown
    utime = attributes.utime
    truncate = attributes.truncate
    setattr = attributes.set_attributes

    getxattr = xattr.getxattr
    setxattr = xattr.setxattr
    removexattr = xattr.removexattr
    listxattr = xattr.listxattr

    # What follows is told by the verbs above, also where somebody has put others in their place.

    def rename(self, source: PathLike, path: PathLike, /) -> None:
        """Move a name; what was at ``path`` goes."""
        self.renameat2(source, path, 0)

    def xattrs(self, path: PathLike, /) -> dict[str, bytes]:
        """All extended attributes of the name itself that the caller may read, by full name."""
        found = {}
        for name in self.listxattr(path, follow_symlinks=False):
            try:
                found[name] = self.getxattr(path, name, follow_symlinks=False)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.ENODATA, errno.EINVAL):
                    raise
        return found

    @contextmanager
    def executing(self, path: PathLike, /) -> Iterator[None]:
        """While the ``with`` lasts, the file at ``path`` is a running program: writing it is ETXTBSY."""
        node = find(self, path)
        self._tree.run(node)
        try:
            yield
        finally:
            self._tree.end(node)

    def read_bytes(self, path: PathLike, /) -> bytes:
        """All bytes of a file."""
        return self.open(path).read()

    def write_bytes(self, path: PathLike, data: bytes, mode: int = 0o666, /) -> None:
        """Make ``path`` a file of these bytes; a file that is there keeps its inode and owner."""
        data = as_bytes(data)
        with nullcontext() if self._tree.journal is None else self._tree.journal.operation():
            file = self.open(path, flags.WRONLY | flags.CREAT | flags.TRUNC, mode)
            file.write(data)
