"""The open file (open file description of open(2)): an inode, how it may be used, and a position.

It holds the inode, not the path: it follows a rename, survives an unlink, and one that was opened for
reading before a copy-up reads the new bytes after it (Linux 4.19 and later).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.content import PAGE, Content
from unionfs_sim.nodes.inode import DEAD, Inode, Node
from unionfs_sim.nodes.kinds import (
    CHARACTER_DEVICE,
    DIRECTORY,
    FIFO,
    REGULAR,
    SET_IDS,
    TYPE,
    major_of,
    minor_of,
)
from unionfs_sim.vfs import flags as o
from unionfs_sim.vfs.permission import dropped_by_write, fail
from unionfs_sim.vfs.tree import Change, Tree

MAX_SIZE: Final = (1 << 63) - 1
MAX_ALLOCATED: Final = 1 << 30
NULL: Final = (1, 3)
ZERO: Final = (1, 5)
FULL: Final = (1, 7)


class File:
    """An open file description: an inode, how it may be used, and a position."""

    __slots__ = (
        "_flags",
        "_is_linkable",
        "_listing",
        "_names",
        "_node",
        "_place",
        "_position",
        "_tree",
        "caller",
        "closed",
        "opener",
    )

    def __init__(self, tree: Tree[Node, Node], node: Node, flags: int, caller: Caller) -> None:
        self._tree = tree
        self._node = node
        self._flags = flags
        self._position = 0
        self._names: list[str] | None = None
        self._listing: object = None
        self._place = tree.opened_by(node)
        # An unnamed file may be given a name once, unless O_EXCL forbade it (I_LINKABLE).
        self._is_linkable = flags & o.TMPFILE == o.TMPFILE and not flags & o.EXCL
        self.caller = self.opener = caller
        self.closed = False
        tree.open_files += 1

    @property
    def flags(self) -> int:
        """The flags it was opened with."""
        return self._flags

    @property
    def node(self) -> Node:
        """The inode that is open."""
        return self._node

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Around a link to this file, which may fail; ENOENT if its last name is gone for good."""
        if self._tree.is_unlinked(self._node) and not self._is_linkable:
            fail(errno.ENOENT)
        yield
        self._is_linkable = False

    def usable(self) -> Node:
        """The inode that is open; EBADF once it is closed."""
        if self.closed:
            fail(errno.EBADF)
        if self._place is not None:
            self._place.use()
        return self._node

    def changeable(self) -> Node:
        """The inode that is open, for fchmod(2) and its kin; EBADF if only the path was opened (O_PATH)."""
        if self._flags & o.PATH:
            fail(errno.EBADF)
        return self.usable()

    def _for_reading(self) -> Node:
        flags = self._flags
        if self.closed or flags & o.ACCESS not in (o.RDONLY, o.RDWR) or flags & o.PATH:
            fail(errno.EBADF)
        return self._node

    def _for_writing(self) -> Node:
        flags = self._flags
        if self.closed or flags & o.ACCESS not in (o.WRONLY, o.RDWR) or flags & o.PATH:
            fail(errno.EBADF)
        if self._tree.read_only:
            fail(errno.EROFS)  # frozen since it was opened
        if self._place is not None:
            self._tree.freshen(self.usable())
        return self._node

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes from the position on (-1: all); b"" at the end."""
        piece = self._read(self._for_reading(), size, self._position)
        self._position += len(piece)
        return piece

    def pread(self, size: int, offset: int, /) -> bytes:
        """At most ``size`` bytes at ``offset``; the position stays."""
        if offset < 0:
            fail(errno.EINVAL)
        node = self._for_reading()
        if node.mode & TYPE == FIFO:
            fail(errno.ESPIPE)
        return self._read(node, size, offset)

    def _read(self, node: Node, size: int, offset: int) -> bytes:
        if offset + max(size, 0) > MAX_SIZE:
            fail(errno.EINVAL)
        if node.mode & TYPE != REGULAR:
            if node.mode & TYPE == DIRECTORY:
                fail(errno.EISDIR)
            return self._read_special(node, size)
        piece = self._tree.content(node).read(offset, size)
        if not self._flags & o.NOATIME and (size or not self._tree.is_union):
            self._tree.accessed(node)
        return piece

    def _read_special(self, node: Node, size: int) -> bytes:
        if node.mode & TYPE == CHARACTER_DEVICE and device_of(self._tree, node) in (ZERO, FULL):
            return bytes(max(size, 0))
        return b""

    def write(self, data: bytes, /) -> int:
        """The number of bytes written at the position (at the end under O_APPEND)."""
        data = as_bytes(data)
        node = self._for_writing()
        written = self._write(node, data, self._position)
        if written and self._flags & o.APPEND and node.mode & TYPE == REGULAR:
            self._position = self._tree.content(node).size
        else:
            self._position += written
        return written

    def pwrite(self, data: bytes, offset: int, /) -> int:
        """Write at ``offset`` (at the end under O_APPEND); the position stays."""
        data = as_bytes(data)
        if offset < 0:
            fail(errno.EINVAL)
        node = self._for_writing()
        if node.mode & TYPE == FIFO:
            fail(errno.ESPIPE)
        return self._write(node, data, offset)

    def _write(self, node: Node, data: bytes, offset: int) -> int:
        tree = self._tree
        if node.mode & TYPE != REGULAR:
            if node.mode & TYPE == CHARACTER_DEVICE and device_of(tree, node) == FULL:
                fail(errno.ENOSPC)
            return len(data)
        if not data:
            return 0
        if offset + len(data) > MAX_SIZE:
            fail(errno.EINVAL)
        if tree.is_watched:
            tree.begin()
        if self._flags & o.APPEND:
            offset = tree.content(node).size
            data = data[: MAX_SIZE - offset]
            if not data:
                fail(errno.EFBIG)
        if node.mode & SET_IDS:
            dropped = dropped_by_write(node, self.caller)
            if dropped:
                tree.change(node, Change(dropped=dropped))
        tree.write(node, offset, data)
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """The new position; SEEK_DATA and SEEK_HOLE find holes in units of pages."""
        node = self.usable()
        if self._flags & o.PATH:
            fail(errno.EBADF)
        if node.mode & TYPE == FIFO:
            fail(errno.ESPIPE)
        if node.is_dir and whence not in (o.SEEK_SET, o.SEEK_CUR):
            fail(errno.EINVAL)
        if whence in (o.SEEK_DATA, o.SEEK_HOLE):
            position = seek_data(self._tree.content(node), offset, whence)
        else:
            size = self._tree.content(node).size if node.mode & TYPE == REGULAR else 0
            if whence not in (o.SEEK_SET, o.SEEK_CUR, o.SEEK_END):
                fail(errno.EINVAL)
            position = offset + (0, self._position, size)[whence]
        if not 0 <= position <= MAX_SIZE:
            fail(errno.EINVAL)
        if position == 0:
            self._names = None
        self._position = position
        return position

    def truncate(self, size: int, /) -> None:
        """Cut or extend (with a hole) to ``size`` bytes; ftruncate(2)."""
        if size < 0:
            fail(errno.EINVAL)
        node = self.usable()
        if self._flags & o.PATH:
            fail(errno.EBADF)
        if self._flags & o.ACCESS not in (o.WRONLY, o.RDWR) or node.mode & TYPE != REGULAR:
            fail(errno.EINVAL)
        if self._tree.read_only:
            fail(errno.EROFS)
        if self._tree.is_watched:
            self._tree.begin()
        truncate_node(self._tree, node, size, self.caller, now=True)

    def allocate(self, offset: int, length: int, /) -> None:
        """Make room for a range, and so extend the file (fallocate(2)); ENOSPC over a gibibyte of holes."""
        if offset < 0 or length <= 0:
            fail(errno.EINVAL)
        node = self._for_writing()
        if node.mode & TYPE != REGULAR:
            fail(errno.ESPIPE if node.mode & TYPE == FIFO else errno.ENODEV)
        if offset + length > MAX_SIZE:
            fail(errno.EFBIG)
        content = self._tree.content(node)
        first, last = offset // PAGE, -(-(offset + length) // PAGE)
        if (last - first) * PAGE > MAX_ALLOCATED:
            fail(errno.ENOSPC)
        size = max(content.size, offset + length)
        if size > content.size:
            self.truncate(size)
        page = first
        while (page := self._tree.content(node).next_hole(page)) < last:
            start = page * PAGE
            self._write(node, bytes(min(PAGE, size - start)), start)

    def map(self) -> Mapping:
        """The bytes as mmap(2) with MAP_SHARED shows them."""
        node = self._for_reading()
        if node.mode & TYPE != REGULAR:
            fail(errno.EISDIR if node.mode & TYPE == DIRECTORY else errno.ENODEV)
        return Mapping(self._tree.real(node))

    def stat(self) -> Stat:
        """What fstat(2) tells."""
        return self._tree.stat(self.usable())

    def listdir(self) -> list[str]:
        """The names in an open directory, as they were at the first call; ``seek(0)`` reads anew.

        The position counts entries, ``.`` and ``..`` among them: behind the last there is nothing.
        """
        node = self.usable()
        if not node.is_dir:
            fail(errno.ENOTDIR)
        if node.children is DEAD:
            return []
        if self._names is None:
            self._listing = self._tree.hold_listing(node)
            self._names = self._tree.entries(node)
            self._tree.listed(node)
        return self._names[max(self._position - 2, 0) :]

    def fsync(self) -> None:
        """Nothing to do in memory; EBADF if closed, EINVAL for what cannot be synchronised."""
        node = self.usable()
        if self._flags & o.PATH:
            fail(errno.EBADF)
        if node.mode & TYPE not in (REGULAR, DIRECTORY):
            fail(errno.EINVAL)

    def close(self) -> None:
        """Release it; a second close does nothing."""
        if not self.closed:
            self.closed = True
            self._listing = None
            self._tree.open_files -= 1

    def __del__(self) -> None:
        if not self.closed:
            self._tree.open_files -= 1

    def __enter__(self) -> File:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Mapping:
    """Bytes of a file, as a shared mapping has them: of the inode that had them when it was made.

    So a mapping of a lower file stays as it was when the file is copied up and written, although the open
    file that it was made from shows the new bytes (overlayfs.rst, "Non-standard behavior").
    """

    __slots__ = ("_inode",)

    def __init__(self, inode: Inode) -> None:
        self._inode = inode

    def __bytes__(self) -> bytes:
        return self._inode.content.read()


def as_bytes(data: object) -> bytes:
    """What is to be written, looked at before anything changes; TypeError for text, numbers and None.

    >>> as_bytes(bytearray(b"ab"))
    b'ab'
    """
    if type(data) is bytes:
        return data
    try:
        return memoryview(data).tobytes()  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"a bytes-like object is required, not {type(data).__name__!r}") from None


def device_of(tree: Tree[Node, Node], node: Node) -> tuple[int, int]:
    """(major, minor) of a device."""
    rdev = tree.stat(node).st_rdev
    return major_of(rdev), minor_of(rdev)


def seek_data(content: Content, offset: int, whence: int) -> int:
    """The next place with data, or the next hole, in units of pages; ENXIO behind the end (lseek(2))."""
    if offset < 0 or offset >= content.size:
        fail(errno.ENXIO)
    page = offset // PAGE
    if whence == o.SEEK_HOLE:
        return min(max(offset, content.next_hole(page) * PAGE), content.size)
    found = content.next_data(page)
    if found is None or found * PAGE >= content.size:
        fail(errno.ENXIO)
    return max(offset, found * PAGE)


def truncate_node(tree: Tree[Node, Node], node: Node, size: int, caller: Caller, *, now: bool) -> None:
    """Set a file's size; setuid goes as after a write; ``now``: the mtime moves even if the size stays."""
    if size > MAX_SIZE:
        fail(errno.EFBIG)
    tree.change(node, Change(size=size, dropped=dropped_by_write(node, caller), is_modification=now))
