"""Layers on disk, from inside the user namespace: a tar is unpacked, an upper directory becomes a tar.

Each is a task of the helper: one stream, however many files. Paths in requests are relative to the helper's
working directory. Nobody else changes the directories meanwhile: a command's processes are gone when its
changes are looked at.
"""

from __future__ import annotations

import enum
import errno
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import BinaryIO, Final

from builder.context.edit import Edit
from builder.context.subtree import Subtree
from builder.errors import BuildError
from builder.namespace import wire
from builder.namespace.channel import Channel, Message
from builder.namespace.owned import OWNER, UNIONS, OwnedDirectory, is_files_own, name_for, owner_of
from builder.namespace.stack import NOTHING, Ownership, Stack
from unionfs_sim.filesystem import Attributes
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import ESCAPED, PRIVATE
from unionfs_sim.nodes.content import EMPTY, Content
from unionfs_sim.nodes.inode import NO_XATTRS, Inode
from unionfs_sim.tar.header import END_OF_ARCHIVE
from unionfs_sim.tar.pack import pack
from unionfs_sim.tar.unpack import read_layer
from unionfs_sim.trees import copy_tree

_PIECE: Final = 1 << 20
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_INLINE_BYTES: Final = 1024
_LITTLE_NAMES: Final = 16
_LITTLE_BYTES: Final = 16 << 10
"""With a few KB of headers for each name, what fits into a pipe that is as small as pipes are (64 KiB)."""


# ---- a tar → a directory ----


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
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    os.chdir(new)
    _Writer(below.ownership).write(layer)
    os.fchdir(here)
    publish(new, name)
    channel.send({"unpacked": name})


def publish(new: str, name: str) -> None:
    """Let the directory ``new`` be called ``name``; another builder may have been first."""
    try:
        os.rename(new, name)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        clear(new)


class _Writer:
    """Writes a raw layer into the working directory, in the spelling of an overlay with ``userxattr``."""

    def __init__(self, ownership: Ownership) -> None:
        self._is_kept = ownership is Ownership.KEPT
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
                    os.mkdir(path, 0o700)
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
        for name, value in {**_spelt(node), **more}.items():
            try:
                os.setxattr(where, name, value)
            except OSError as error:
                # What this file system has no room for, or no such thing as.
                if error.errno not in (errno.ENOTSUP, errno.ENOSPC, errno.E2BIG, errno.EPERM):
                    raise

    @staticmethod
    def _links(directory: Inode) -> dict[str, bytes]:
        """Owners of what can bear no attribute, for their directory to bear."""
        return {
            name_for(name): f"{node.uid}:{node.gid}".encode()
            for name, node in directory.children.items()
            if (node.uid or node.gid) and not node.is_dir and not stat.S_ISREG(node.mode)
        }


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


def _spelt(node: Inode) -> dict[str, bytes]:
    """The attributes of a raw layer's inode as they are written on disk."""
    found = {}
    for name, value in node.xattrs.items():
        if name.startswith(PRIVATE) and not name.startswith(ESCAPED):
            found[UNIONS + name.removeprefix(PRIVATE)] = value
        elif is_files_own(name):
            found[name] = value
    return found


# ---- a directory → a tar ----


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
        kept = {
            name.replace(UNIONS, PRIVATE, 1) if name.startswith(UNIONS) else name: value
            for name, value in raw.items()
            if name.startswith(UNIONS) or is_files_own(name)
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


# ---- edits ----


def edits_from(descriptor: int) -> Iterator[Edit]:
    """The edits that come through a pipe, each followed by the bytes that it writes; closes it at the end."""
    with open(descriptor, "rb", buffering=_PIECE) as pipe:
        yield from _edits(pipe)


def _edits(pipe: BinaryIO) -> Iterator[Edit]:
    while head := pipe.read(4):
        told = json.loads(pipe.read(int.from_bytes(head, "big")))
        if told[0] != "file":
            yield wire.edit_of(told, EMPTY)
            continue
        content = Arriving(pipe, told[3])
        yield wire.edit_of(told, content)
        content.skip()


class Arriving(Content):
    """The bytes of a file as they come through a pipe: to be read once, from the beginning on."""

    __slots__ = ("_left", "_pipe", "_size")

    def __init__(self, pipe: BinaryIO, size: int) -> None:
        super().__init__()
        self._pipe = pipe
        self._size = self._left = size

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        """The next bytes; ``offset`` must be where the last ones ended."""
        if offset != self._size - self._left:
            raise BuildError("the bytes of a file come in order and once")
        piece = self._pipe.read(self._left if size < 0 else min(size, self._left))
        if not piece and self._left and size:
            raise BuildError("the builder ended amid a file")
        self._left -= len(piece)
        return piece

    def skip(self) -> None:
        """Read what is left, and forget it."""
        while self._left:
            self.read(self._size - self._left, _PIECE)


@contextmanager
def opened(stack: Stack) -> Iterator[OwnedDirectory]:
    """The root that ``stack`` describes, to be read and changed by this process."""
    mounted = stack.mount()
    try:
        directory = OwnedDirectory(f"/proc/self/fd/{mounted}", stack.ownership)
    finally:
        os.close(mounted)
    with directory:
        yield directory


# ---- directories of the state ----


def make_cache(channel: Channel, message: Message, _: list[int]) -> None:
    """A new directory ``name`` for a cache mount, with a mode and an owner, or the files of ``initial``."""
    new, name, ownership = message["new"], message["name"], Ownership(message["ownership"])
    os.mkdir(new, 0o755)
    with OwnedDirectory(new, ownership) as directory:
        initial = message["initial"]
        if initial is not None:
            with opened(Stack.of(initial["stack"])) as view:
                copy_tree(Subtree(view, initial["path"]), directory)
        else:
            owner = Attributes(mode=message["mode"], uid=message["uid"], gid=message["gid"])
            directory.setattr("/", owner)
    publish(new, name)
    channel.send({"made": name})


def prepare(message: Message) -> Message:
    """Make ``upper`` and ``work`` in a workspace; the root looks as it does in ``top``, the layer below."""
    upper, top = f"{message['workspace']}/upper", message["top"]
    os.mkdir(upper, 0o755)
    os.mkdir(f"{message['workspace']}/work", 0o755)
    if top is not None:
        status = os.lstat(top)
        os.chown(upper, status.st_uid, status.st_gid)
        os.chmod(upper, stat.S_IMODE(status.st_mode))
        for name in os.listxattr(top):
            if is_files_own(name) or name.startswith(OWNER):
                os.setxattr(upper, name, os.getxattr(top, name))
        os.utime(upper, ns=(status.st_mtime_ns, status.st_mtime_ns))
    return {"prepared": True}


def make_directory(message: Message) -> Message:
    """Make a directory."""
    os.mkdir(message["path"], 0o755)
    return {"made": True}


def exists(message: Message) -> Message:
    """Whether there is a directory."""
    return {"exists": os.path.isdir(message["path"])}


def commit(message: Message) -> Message:
    """Let the upper directory be the layer ``name`` (None: nothing), and remove the rest of the workspace."""
    workspace, name = message["workspace"], message["name"]
    if name is not None:
        publish(f"{workspace}/upper", name)
    clear(workspace)
    return {"committed": name}


def remove(channel: Channel, message: Message, _: list[int]) -> None:
    """Remove directories with everything below them, whoever owns it."""
    for path in message["paths"]:
        clear(path)
    channel.send({"removed": True})


def measure(channel: Channel, message: Message, _: list[int]) -> None:
    """How many bytes the files below a directory take: what they say, or what they occupy if more."""
    total = 0
    waiting = [message["path"]]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        status = entry.stat(follow_symlinks=False)
                        total += max(status.st_size, status.st_blocks * 512)
        except FileNotFoundError:
            continue  # removed by the command that is being measured
    channel.send({"bytes": total})


def sweep(channel: Channel, message: Message, _: list[int]) -> None:
    """Remove what builders left behind that were killed: sessions whose lock nobody holds."""
    swept = []
    for name in os.listdir(message["sessions"]):
        path = f"{message['sessions']}/{name}"
        try:
            lock = os.open(f"{path}/lock", os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            continue  # its builder is about to make it, or has just removed it
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            clear(path)
            swept.append(name)
        finally:
            os.close(lock)
    channel.send({"swept": swept})


def clear(path: str) -> None:
    """Remove ``path`` with everything below it; absent is no error. However deep: nothing recurses.

    A directory below another is moved up before it is emptied, so that no path becomes long.
    """
    try:
        top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        os.unlink(path)
        return
    try:
        number = 0
        while names := os.listdir(top):
            for name in names:
                try:
                    os.unlink(name, dir_fd=top)
                except IsADirectoryError:
                    number = _flatten(top, name, number)
    finally:
        os.close(top)
    os.rmdir(path)


def _flatten(top: int, name: str, number: int) -> int:
    """Empty one directory of ``top`` and remove it; directories in it come to ``top`` under fresh names."""
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
    try:
        for each in os.listdir(inner):
            try:
                os.unlink(each, dir_fd=inner)
            except IsADirectoryError:
                number = _moved_up(top, inner, each, number)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=top)
    return number


def _moved_up(top: int, inner: int, name: str, number: int) -> int:
    while True:
        number += 1
        fresh = f".removed-{number}"
        try:
            os.mkdir(fresh, dir_fd=top)  # taken from now on: a rename would replace what is empty
        except FileExistsError:
            continue
        os.rename(name, fresh, src_dir_fd=inner, dst_dir_fd=top)
        return number
