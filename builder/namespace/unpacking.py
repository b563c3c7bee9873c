"""A layer's tar becomes a directory, from inside the user namespace.

A task of the helper: one stream, however many files. Paths in requests are relative to the helper's working
directory.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from builder.errors import BuildError
from builder.namespace.channel import Channel, Message
from builder.namespace.directories import publish
from builder.namespace.owned import OWNER, is_files_own, name_for, opened
from builder.namespace.stack import Ownership, Stack
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import ESCAPED, PRIVATE
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.tar.unpack import read_layer

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_INLINE_BYTES: Final = 1024


def unpack(channel: Channel, message: Message, descriptors: list[int]) -> None:
    """Unpack the layer tar that came along into a new directory, and give it its name when it is whole.

    ``stack``: what lies below; ``new``, ``name``: the directory while it is not whole, and afterwards.
    """
    below = Stack.of(message["stack"])
    with open(descriptors[0], "rb", buffering=0) as stream:
        if below.lowers:
            with opened(below) as view:
                layer = read_layer(stream, below=view)
        else:
            layer = read_layer(stream)
    new, name = message["new"], message["name"]
    os.mkdir(new, 0o755)
    write(layer, new, below.ownership)
    publish(new, name)
    channel.send({"unpacked": name})


def write(layer: Layer, directory: str, ownership: Ownership) -> None:
    """Put the files of a raw layer into a directory that has none of their names, but for directories."""
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.chdir(directory)
        _Writer(ownership).write(layer)
    finally:
        os.fchdir(here)
        os.close(here)


class _Writer:
    """Writes a raw layer into the working directory, as an overlay with such owners has it."""

    def __init__(self, ownership: Ownership) -> None:
        self._is_kept = ownership is Ownership.KEPT
        self._unions = ownership.unions
        self._names: dict[int, str] = {}

    def write(self, layer: Layer) -> None:
        """All of it; directories get their attributes last, because filling them changes their times."""
        before = os.umask(0)
        directories = [(".", layer.root)]
        waiting = [("", layer.root)]
        while waiting:
            prefix, directory = waiting.pop()
            for name, node in directory.children.items():
                path = prefix + name
                if node.is_dir:
                    _make_directory(path)
                    waiting.append((path + "/", node))
                    directories.append((path, node))
                else:
                    self._file(path, node)
        for path, node in reversed(directories):
            self._finish(path, node, self._links(node) if self._is_kept else {})
        os.umask(before)

    def _file(self, path: str, node: Inode) -> None:
        if node.nlink > 1:
            first = self._names.setdefault(id(node), path)
            if first != path:
                os.link(first, path, follow_symlinks=False)
                return
        match stat.S_IFMT(node.mode):
            case stat.S_IFREG:
                self._regular(path, node)
                return
            case stat.S_IFLNK:
                os.symlink(node.target, path)
                if not self._is_kept and (node.uid or node.gid):
                    _own(path, node.uid, node.gid)
                os.utime(path, ns=(node.mtime_ns, node.mtime_ns), follow_symlinks=False)
                return
            case stat.S_IFCHR if node.rdev == 0:
                os.mknod(path, stat.S_IFCHR, 0)
                return
            case stat.S_IFIFO:
                os.mknod(path, stat.S_IFIFO | 0o600)
            case _:
                return  # a device may not be made here; /dev of a command has those that it may use
        self._finish(path, node, {})

    def _regular(self, path: str, node: Inode) -> None:
        plain = not (node.uid or node.gid or node.mode & 0o7000)
        descriptor = os.open(path, _CREATE, stat.S_IMODE(node.mode) if plain else 0o600)
        try:
            content = node.content
            for piece in content.chunks() if content.size > _INLINE_BYTES else (content.read(),):
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
            if not plain or node.xattrs:
                self._attributes(descriptor, node, {})
            os.utime(descriptor, ns=(node.mtime_ns, node.mtime_ns))
        finally:
            os.close(descriptor)

    def _finish(self, path: str, node: Inode, more: dict[str, bytes]) -> None:
        self._attributes(path, node, more)
        os.utime(path, ns=(node.mtime_ns, node.mtime_ns), follow_symlinks=False)

    def _attributes(self, where: int | str, node: Inode, more: dict[str, bytes]) -> None:
        """Owner, mode, attributes, in this order: chown(2) takes setuid bits and capabilities away."""
        if node.uid or node.gid:
            if self._is_kept:
                more = {**more, OWNER: f"{node.uid}:{node.gid}".encode()}
            else:
                _own(where, node.uid, node.gid)
        os.chmod(where, stat.S_IMODE(node.mode))
        for name, value in {**self._spelt(node), **more}.items():
            try:
                os.setxattr(where, name, value)
            except OSError as error:
                # What this file system has no room for, or no such thing as.
                if error.errno not in (errno.ENOTSUP, errno.ENOSPC, errno.E2BIG, errno.EPERM):
                    raise

    def _spelt(self, node: Inode) -> dict[str, bytes]:
        """The attributes of a raw layer's inode as they are written on disk."""
        found = {}
        for name, value in node.xattrs.items():
            if name.startswith(PRIVATE) and not name.startswith(ESCAPED):
                found[self._unions + name.removeprefix(PRIVATE)] = value
            elif is_files_own(name):
                found[name] = value
        return found

    @staticmethod
    def _links(directory: Inode) -> dict[str, bytes]:
        """Owners of what can bear no attribute, for their directory to bear."""
        return {
            name_for(name): f"{node.uid}:{node.gid}".encode()
            for name, node in directory.children.items()
            if (node.uid or node.gid) and not node.is_dir and not stat.S_ISREG(node.mode)
        }


def _make_directory(path: str) -> None:
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise


def _own(where: int | str, uid: int, gid: int) -> None:
    try:
        if isinstance(where, int):
            os.chown(where, uid, gid)
        else:
            os.lchown(where, uid, gid)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise BuildError(
            f"a file of the image belongs to {uid}:{gid}, which is not among the ids of this user namespace",
            fix="give this user a wider range in /etc/subuid and /etc/subgid",
        ) from None
