"""A Layer ↔ a real directory, as the kernel spells layers: an upper directory of an overlay mount.

``HostDirectory`` (a real directory as a ``Filesystem``) is offered from here as well.
"""

from __future__ import annotations

import os
import stat
from types import MappingProxyType
from typing import Final

from unionfs_sim.filesystem import Stat
from unionfs_sim.host.directory import HostDirectory as HostDirectory
from unionfs_sim.host.walk import NOFOLLOW
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import PRIVATE
from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.trees import copy_tree, walk

USER_PRIVATE: Final = "user.overlay."
"""How the union's attributes are called under the mount option ``userxattr``."""

_INLINE_BYTES: Final = 1024
_PIECE: Final = 1 << 20


class HostContent(Content):
    """The bytes of a file of a real directory, read when asked for, never kept."""

    __slots__ = ("_path", "_size", "_where")

    def __init__(self, where: HostDirectory, path: str, size: int) -> None:
        super().__init__()
        self._where = where
        self._path = path
        self._size = size

    @property
    def size(self) -> int:
        """Length in bytes, when the directory was read."""
        return self._size

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        """At most ``size`` bytes from ``offset`` on; -1: to the end."""
        wanted = max(0, self._size - offset if size < 0 else min(size, self._size - offset))
        with self._where.open(self._path, os.O_RDONLY | NOFOLLOW) as file:
            file.seek(offset)
            pieces = []
            while wanted and (piece := file.read(min(wanted, _PIECE))):
                pieces.append(piece)
                wanted -= len(piece)
        return b"".join(pieces)


def read_directory(path: str | os.PathLike[str], *, private: str = PRIVATE) -> Layer:
    """The layer that lies in a real directory, raw: whiteouts are devices 0:0.

    Contents stay where they are and are read when asked for. ``private``: how the union that wrote the
    directory called its own attributes (``user.overlay.`` under ``userxattr``).
    """
    directory = HostDirectory(path)
    layer = Layer()
    nodes: dict[str, Inode] = {}
    links: dict[tuple[int, int], Inode] = {}
    for place, status in walk(directory):
        xattrs = {_renamed(name, private, PRIVATE): value for name, value in directory.xattrs(place).items()}
        if place == "/":
            node = layer.root
        elif status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            known = links.get((status.st_dev, status.st_ino))
            node = known or _node(layer, directory, place, status)
            node.nlink += known is not None
            links[(status.st_dev, status.st_ino)] = node
        else:
            node = _node(layer, directory, place, status)
        node.mode, node.uid, node.gid = status.st_mode, status.st_uid, status.st_gid
        node.atime_ns, node.mtime_ns, node.ctime_ns = (
            status.st_atime_ns,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )
        if xattrs:
            node.xattrs = MappingProxyType(xattrs)
        nodes[place] = node
        if place != "/":
            above, _, name = place.rpartition("/")
            nodes[above or "/"].adopt(name, node)
    return layer


def write_directory(layer: Layer, path: str | os.PathLike[str], *, private: str = PRIVATE) -> None:
    """Write the raw ``layer`` into the empty directory at ``path``, as an overlay mount would find it.

    Owners, devices and ``trusted.*`` attributes need root.
    """
    with HostDirectory(path) as directory:
        copy_tree(layer, directory, xattr_name=lambda name: _renamed(name, PRIVATE, private))


def _node(layer: Layer, directory: HostDirectory, place: str, status: Stat) -> Inode:
    body: Content | str | int | None = None
    match stat.S_IFMT(status.st_mode):
        case stat.S_IFREG:
            content = HostContent(directory, place, status.st_size)
            small = status.st_size <= _INLINE_BYTES
            body = Content.of(content.read()) if small else content
        case stat.S_IFLNK:
            body = directory.readlink(place)
        case stat.S_IFCHR | stat.S_IFBLK:
            body = status.st_rdev
    return layer.tree.new(status.st_mode, 0, 0, body)


def _renamed(name: str, old: str, new: str) -> str:
    return new + name.removeprefix(old) if name.startswith(old) else name
