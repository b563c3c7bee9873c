"""The verbs of ``os``, written once for a raw layer and a union alike.

Names and argument order are those of ``os``; failures are ``OSError`` with the errno of Linux and the
path. What is refused first is what the kernel refuses first (fs/namei.c, fs/open.c, fs/attr.c, fs/xattr.c).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, AnyStr, NamedTuple

from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.caller import Caller, Clock
from unionfs_sim.nodes.content import Content
from unionfs_sim.vfs.attributes import AttributeVerbs
from unionfs_sim.vfs.naming import NameVerbs
from unionfs_sim.vfs.openfile import File, as_bytes
from unionfs_sim.vfs.permission import (
    EXECUTE,
    READ,
    WRITE,
    fail,
    permits,
    require,
)
from unionfs_sim.vfs.walk import PathLike


class StatVfs(NamedTuple):
    """What statvfs(3) tells, as far as a tree in memory has an answer."""

    f_bsize: int
    f_frsize: int
    f_namemax: int
    f_flag: int


class Posix(NameVerbs, AttributeVerbs):
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

    # -- conveniences

    @contextmanager
    def executing(self, path: PathLike, /) -> Iterator[None]:
        """While the ``with`` lasts, the file at ``path`` is a running program: writing it is ETXTBSY."""
        node = self._find(path)
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
            file = self.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            file.write(data)
