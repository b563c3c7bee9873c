"""An upper directory becomes a layer's tar, from inside the user namespace.

Nobody else changes the directory meanwhile: a command's processes are gone when its changes are looked at.
Paths in requests are relative to the helper's working directory.
"""

from __future__ import annotations

import enum
import errno
import os
import stat
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from builder.namespace.channel import Channel, Message
from builder.namespace.owned import UNIONS, OwnedDirectory, is_files_own, owner_of
from builder.namespace.stack import NOTHING, Ownership, Stack
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import PRIVATE
from unionfs_sim.nodes.content import EMPTY, Content
from unionfs_sim.nodes.inode import NO_XATTRS, Inode
from unionfs_sim.tar.header import END_OF_ARCHIVE
from unionfs_sim.tar.pack import pack

_PIECE: Final = 1 << 20
_LITTLE_NAMES: Final = 16
_LITTLE_BYTES: Final = 16 << 10
"""With a few KB of headers for each name, what fits into a pipe that is as small as pipes are (64 KiB)."""


def changes(channel: Channel, message: Message, descriptors: list[int]) -> None:
    """Write the layer tar of an upper directory into the pipe that came along; nothing if nothing changed.

    ``upper``; ``stack``: what lies below; ``latest_ns``: no time in the layer is later, nor afterwards in the
    directory, which is going to be a layer itself.
    """
    below = Stack.of(message["stack"])
    latest_ns: int | None = message["latest_ns"]
    upper = message["upper"]
    # Only the root's attributes are asked for, and those of a union are those of its topmost layer.
    top = OwnedDirectory(below.lowers[-1] if below.lowers else NOTHING, below.ownership)
    with open(descriptors[0], "wb", buffering=_PIECE) as pipe, top as view:
        os.chdir(upper)
        layer, entries = read_upper(latest_ns, below.ownership)
        pieces = pack(layer, below=view, latest_ns=latest_ns)
        first = next(pieces)
        if first != END_OF_ARCHIVE:
            pipe.write(first)
            for piece in pieces:
                pipe.write(piece)
    channel.send({"entries": entries})


class Extent(enum.Enum):
    """How much an upper directory holds: NOTHING, so LITTLE that a pipe takes its tar whole, or MUCH."""

    NOTHING = "nothing"
    LITTLE = "little"
    MUCH = "much"


def extent(message: Message) -> Extent:
    """How much ``changes`` of the same request would write; costs next to nothing."""
    upper, lowers = message["upper"], message["stack"]["lowers"]
    names = size = 0
    waiting = [upper]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for entry in found:
                status = entry.stat(follow_symlinks=False)
                names += 1
                size += status.st_size
                if names > _LITTLE_NAMES or size > _LITTLE_BYTES:
                    return Extent.MUCH
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    if names:
        return Extent.LITTLE
    now, before = os.lstat(upper), os.lstat(lowers[-1] if lowers else NOTHING)
    is_same = (now.st_mode, now.st_uid, now.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    if is_same and all(name.startswith(UNIONS) for name in os.listxattr(upper)):
        return Extent.NOTHING
    return Extent.LITTLE


def read_upper(latest_ns: int | None, ownership: Ownership) -> tuple[Layer, int]:
    """The raw layer that lies in the working directory, and how many names it holds; contents stay there.

    Whatever is later than ``latest_ns`` gets that time, on disk too; sockets are removed.
    """
    return _Reader(latest_ns, ownership).read()


class _Reader:
    def __init__(self, latest_ns: int | None, ownership: Ownership) -> None:
        self._latest_ns = latest_ns
        self._is_kept = ownership is Ownership.KEPT
        self._unions = ownership.unions
        self._links: dict[tuple[int, int], Inode] = {}
        self._layer = Layer()
        self._entries = 0

    def read(self) -> tuple[Layer, int]:
        root = self._layer.root
        self._describe(root, ".", os.lstat("."))
        waiting = [("", root)]
        while waiting:
            prefix, directory = waiting.pop()
            with os.scandir(prefix or ".") as found:
                entries = [(entry.name, entry.stat(follow_symlinks=False)) for entry in found]
            raw = self._raw_xattrs(prefix or ".") if self._is_kept else {}
            for name, status in entries:
                node = self._node(prefix + name, status)
                if node is None:
                    continue
                self._entries += 1
                directory.children[name] = node
                if node.is_dir:
                    node.parent = directory
                    directory.nlink += 1
                    waiting.append((prefix + name + "/", node))
                elif raw and not stat.S_ISREG(node.mode):
                    owner = owner_of(raw, name)
                    node.uid, node.gid = owner or (node.uid, node.gid)
            self._clamp(prefix or ".", directory)
        return self._layer, self._entries

    def _node(self, path: str, status: os.stat_result) -> Inode | None:
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFSOCK:
            os.unlink(path)  # it belonged to a process that is gone
            return None
        if kind == stat.S_IFCHR and status.st_rdev == 0:
            # Asked before the links: the kernel gives all its whiteouts one inode.
            return self._layer.tree.new(stat.S_IFCHR, 0, 0, 0)
        if kind != stat.S_IFDIR and status.st_nlink > 1:
            known = self._links.get((status.st_dev, status.st_ino))
            if known is not None:
                known.nlink += 1
                return known
        body: Content | str | int | None = None
        if kind == stat.S_IFREG:
            body = FileHere(path, status.st_size) if status.st_size else EMPTY
        elif kind == stat.S_IFLNK:
            body = os.readlink(path)
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            body = status.st_rdev
        node = self._layer.tree.new(status.st_mode, 0, 0, body)
        self._describe(node, path, status)
        if kind != stat.S_IFDIR:
            self._clamp(path, node)
            if status.st_nlink > 1:
                self._links[(status.st_dev, status.st_ino)] = node
        return node

    def _describe(self, node: Inode, path: str, status: os.stat_result) -> None:
        node.mode, node.uid, node.gid = status.st_mode, status.st_uid, status.st_gid
        node.atime_ns = node.mtime_ns = node.ctime_ns = status.st_mtime_ns
        if stat.S_ISLNK(status.st_mode):
            return
        raw = self._raw_xattrs(path)
        if not raw:
            return
        if self._is_kept and (owner := owner_of(raw)) is not None:
            node.uid, node.gid = owner
        unions = self._unions
        kept = {
            name.replace(unions, PRIVATE, 1) if name.startswith(unions) else name: value
            for name, value in raw.items()
            if name.startswith(unions) or is_files_own(name)
        }
        node.xattrs = MappingProxyType(kept) if kept else NO_XATTRS

    @staticmethod
    def _raw_xattrs(path: str) -> dict[str, bytes]:
        try:
            names = os.listxattr(path, follow_symlinks=False)
            return {name: os.getxattr(path, name, follow_symlinks=False) for name in names} if names else {}
        except OSError as error:
            if error.errno in (errno.ENOTSUP, errno.EPERM, errno.ENODATA):
                return {}
            raise

    def _clamp(self, path: str, node: Inode) -> None:
        if self._latest_ns is not None and node.mtime_ns > self._latest_ns:
            node.mtime_ns = self._latest_ns
            os.utime(path, ns=(node.mtime_ns, node.mtime_ns), follow_symlinks=False)


class FileHere(Content):
    """The bytes of a file below the working directory, read when asked for, never kept."""

    __slots__ = ("_path", "_size")

    def __init__(self, path: str, size: int) -> None:
        super().__init__()
        self._path = path
        self._size = size

    @property
    def size(self) -> int:
        """Length in bytes, when the directory was read."""
        return self._size

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        """At most ``size`` bytes from ``offset`` on; -1: to the end."""
        wanted = max(0, self._size - offset if size < 0 else min(size, self._size - offset))
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, wanted, offset)
        finally:
            os.close(descriptor)

    def chunks(self) -> Iterator[bytes]:
        """All bytes in pieces of at most one mebibyte."""
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while piece := os.read(descriptor, _PIECE):
                yield piece
        finally:
            os.close(descriptor)
