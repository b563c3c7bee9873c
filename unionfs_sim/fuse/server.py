"""The server: one request after another, each an operation on inodes of the model."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from unionfs_sim.caller import Caller
from unionfs_sim.fuse import wire
from unionfs_sim.fuse.nodes import Nodes
from unionfs_sim.fuse.wire import Op
from unionfs_sim.layer import Layer
from unionfs_sim.permission import fail
from unionfs_sim.union import Union
from unionfs_sim.walk import check_name

REMEMBER_SECONDS: Final = 1 << 20
"""How long the kernel may trust what it was told: only the kernel changes the tree while it is mounted."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question of the kernel; ``body`` follows the header and is valid until the answer."""

    op: int
    node: int
    caller: Caller
    body: memoryview


Handler: TypeAlias = Callable[["Server", Any, Request], "bytes | memoryview | None"]


@dataclass(slots=True)
class Server:
    """Serves ``fs`` until it is unmounted. ``remember_seconds``: 0 makes the kernel ask every time.

    ``on_bug``: told of an error that no file system has; its asker gets EIO.
    """

    fs: Layer | Union
    remember_seconds: int = REMEMBER_SECONDS
    on_bug: Callable[[Exception], None] = lambda _error: None
    tree: Any = field(init=False)
    nodes: Nodes = field(init=False)
    _listings: dict[int, list[str]] = field(init=False, default_factory=dict)
    _next_handle: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        self.tree = self.fs.tree
        self.nodes = Nodes(self.tree.root)

    def serve(self, descriptor: int) -> None:
        """Answer requests from ``descriptor`` (of /dev/fuse) until the file system is unmounted."""
        buffer = bytearray(wire.MAX_WRITE + 4096)
        view = memoryview(buffer)
        while True:
            try:
                length = os.readv(descriptor, [buffer])
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue  # interrupted before it was read
                if error.errno == errno.ENODEV:
                    return
                raise
            _, op, unique, node, uid, gid, _, _, _ = wire.REQUEST.unpack_from(buffer)
            request = Request(op, node, Caller(uid, gid, umask=0), view[wire.REQUEST.size : length])
            answer = self.answer(request)
            if answer is not None:
                _reply(descriptor, unique, answer)
            # A view of a file's bytes that is still alive would forbid the next write to grow them.
            del answer, request

    def answer(self, request: Request) -> bytes | memoryview | int | None:
        """The body of the answer, an errno, or None where none is due. A bug is EIO, never a hang."""
        handler = _HANDLERS.get(request.op)
        if handler is None:
            return errno.ENOSYS  # "never ask again"
        try:
            node = self.nodes[request.node] if request.op not in _WITHOUT_NODE else None
            return handler(self, node, request)
        except OSError as error:
            return error.errno or errno.EIO
        except Exception as error:
            # Whatever goes wrong here, a process waits for the answer; an unanswered one could not be killed.
            self.on_bug(error)
            return errno.EIO

    def entry(self, node: Any) -> bytes:
        """What the kernel is told of ``node``, which it knows from now on."""
        return wire.entry(self.nodes.tell(node), self.tree.stat(node), self.remember_seconds)

    def attributes(self, node: Any) -> bytes:
        """What stat(2) shall tell of ``node``."""
        return wire.ATTR_OUT.pack(self.remember_seconds, 0, 0) + wire.attributes(self.tree.stat(node))

    def child(self, directory: Any, name: str) -> Any:
        """The inode called ``name``; ENOENT if there is none."""
        found = self.tree.lookup(directory, name)
        if found is None:
            fail(errno.ENOENT)
        return found

    def handle(self) -> int:
        """A new handle of an open file or directory."""
        self._next_handle += 1
        return self._next_handle

    def listing(self, handle: int, directory: Any, *, anew: bool) -> list[str]:
        """The names of an open directory, frozen at the first read; a rewind reads anew."""
        if anew or handle not in self._listings:
            self._listings[handle] = [".", "..", *self.tree.entries(directory)]
        return self._listings[handle]

    def forget_listing(self, handle: int) -> None:
        """An open directory was closed."""
        self._listings.pop(handle, None)


def _reply(descriptor: int, unique: int, answer: bytes | memoryview | int) -> None:
    try:
        if isinstance(answer, int):
            os.write(descriptor, wire.REPLY.pack(wire.REPLY.size, -answer, unique))
        else:
            os.writev(descriptor, [wire.REPLY.pack(wire.REPLY.size + len(answer), 0, unique), answer])
    except OSError as error:
        # ENOENT: the asker was interrupted meanwhile; ENODEV: unmounted, which the next read will say.
        if error.errno not in (errno.ENOENT, errno.ENODEV):
            raise


def _names(body: memoryview, offset: int = 0) -> list[str]:
    """The NUL-ended names of a request, as text; ENAMETOOLONG for one over 255 bytes."""
    names = [os.fsdecode(name) for name in bytes(body[offset:]).split(b"\0")[:-1]]
    for name in names[:1]:
        check_name(name)
    return names


def _init(_: Server, __: Any, request: Request) -> bytes:
    _, _, ahead, flags = wire.INIT_IN.unpack_from(request.body)
    granted = flags & wire.WANTED
    pages = wire.MAX_WRITE // 4096
    return wire.INIT_OUT.pack(
        wire.MAJOR, wire.MINOR, ahead, granted, 64, 48, wire.MAX_WRITE, 1, pages, 0, 0, 0
    )


def _lookup(server: Server, directory: Any, request: Request) -> bytes:
    (name,) = _names(request.body)
    found = server.tree.lookup(directory, name)
    if found is not None:
        return server.entry(found)
    if not server.remember_seconds:
        fail(errno.ENOENT)
    return wire.entry(0, None, server.remember_seconds)


def _forget(server: Server, _: Any, request: Request) -> None:
    server.nodes.forget(request.node, wire.FORGET_IN.unpack_from(request.body)[0])


def _batch_forget(server: Server, _: Any, request: Request) -> None:
    for number, times in wire.FORGET_ONE.iter_unpack(request.body[8:]):
        server.nodes.forget(number, times)


def _getattr(server: Server, node: Any, _: Request) -> bytes:
    return server.attributes(node)


def _setattr(server: Server, node: Any, request: Request) -> bytes:
    (valid, _, _, size, _, atime, mtime, _, atime_ns, mtime_ns, _, mode, _, uid, gid, _) = (
        wire.SETATTR_IN.unpack_from(request.body)
    )
    values: dict[str, int] = {}
    if valid & wire.SET_MODE:
        values["mode"] = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
    if valid & wire.SET_UID:
        values["uid"] = uid
    if valid & wire.SET_GID:
        values["gid"] = gid
    if valid & wire.SET_SIZE:
        values["size"] = size
        values["modified"] = 1
    if valid & wire.SET_ATIME:
        values["atime_ns"] = server.tree.clock() if valid & wire.SET_ATIME_NOW else _time(atime, atime_ns)
    if valid & wire.SET_MTIME:
        values["mtime_ns"] = server.tree.clock() if valid & wire.SET_MTIME_NOW else _time(mtime, mtime_ns)
    server.tree.change(node, values)
    return server.attributes(node)


def _time(seconds: int, nanoseconds: int) -> int:
    signed = seconds - (1 << 64) if seconds >> 63 else seconds
    return signed * 10**9 + nanoseconds


def _readlink(server: Server, node: Any, _: Request) -> bytes:
    target: str = server.tree.target(node)
    server.tree.accessed(node)
    return target.encode("utf-8", "surrogateescape")


def _symlink(server: Server, directory: Any, request: Request) -> bytes:
    name, target = _names(request.body)
    made = server.tree.make(directory, name, stat.S_IFLNK | 0o777, request.caller, target)
    return server.entry(made)


def _mknod(server: Server, directory: Any, request: Request) -> bytes:
    mode, rdev, _, _ = wire.MKNOD_IN.unpack_from(request.body)
    (name,) = _names(request.body, wire.MKNOD_IN.size)
    body = rdev if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else None
    return server.entry(server.tree.make(directory, name, mode, request.caller, body))


def _mkdir(server: Server, directory: Any, request: Request) -> bytes:
    mode, _ = wire.MKDIR_IN.unpack_from(request.body)
    (name,) = _names(request.body, wire.MKDIR_IN.size)
    made = server.tree.make(directory, name, stat.S_IFDIR | mode & 0o7777, request.caller, None)
    return server.entry(made)


def _unlink(server: Server, directory: Any, request: Request) -> bytes:
    (name,) = _names(request.body)
    server.tree.unlink(directory, name, server.child(directory, name))
    return b""


def _rmdir(server: Server, directory: Any, request: Request) -> bytes:
    (name,) = _names(request.body)
    server.tree.rmdir(directory, name, server.child(directory, name))
    return b""


def _rename(server: Server, directory: Any, request: Request) -> bytes:
    (target,) = wire.RENAME_IN.unpack_from(request.body)
    return _move(server, directory, server.nodes[target], _names(request.body, wire.RENAME_IN.size), 0)


def _rename2(server: Server, directory: Any, request: Request) -> bytes:
    target, flags, _ = wire.RENAME2_IN.unpack_from(request.body)
    names = _names(request.body, wire.RENAME2_IN.size)
    return _move(server, directory, server.nodes[target], names, flags)


def _move(server: Server, source: Any, target: Any, names: list[str], flags: int) -> bytes:
    old, new = names
    check_name(new)
    node, there = server.child(source, old), server.tree.lookup(target, new)
    server.tree.rename((source, old, node), (target, new, there), flags)
    return b""


def _link(server: Server, directory: Any, request: Request) -> bytes:
    (number,) = wire.LINK_IN.unpack_from(request.body)
    (name,) = _names(request.body, wire.LINK_IN.size)
    node = server.nodes[number]
    server.tree.link(node, directory, name)
    return server.entry(node)


def _open(server: Server, node: Any, request: Request) -> bytes:
    flags, _ = wire.OPEN_IN.unpack_from(request.body)
    truncating = flags & os.O_TRUNC != 0
    writing = flags & os.O_ACCMODE != os.O_RDONLY or truncating
    server.tree.before_open(node, writing=writing, truncating=truncating)
    if truncating:
        server.tree.change(node, {"size": 0, "modified": 1})
    return wire.OPEN_OUT.pack(server.handle(), wire.OPEN_KEEP_CACHE, 0)


def _create(server: Server, directory: Any, request: Request) -> bytes:
    _, mode, _, _ = wire.CREATE_IN.unpack_from(request.body)
    (name,) = _names(request.body, wire.CREATE_IN.size)
    made = server.tree.make(directory, name, stat.S_IFREG | mode & 0o7777, request.caller, None)
    return server.entry(made) + wire.OPEN_OUT.pack(server.handle(), wire.OPEN_KEEP_CACHE, 0)


def _tmpfile(server: Server, directory: Any, request: Request) -> bytes:
    _, mode, _, _ = wire.CREATE_IN.unpack_from(request.body)
    made = server.tree.make_unnamed(directory, stat.S_IFREG | mode & 0o7777, request.caller)
    return server.entry(made) + wire.OPEN_OUT.pack(server.handle(), wire.OPEN_KEEP_CACHE, 0)


def _read(server: Server, node: Any, request: Request) -> bytes:
    _, offset, size = wire.READ_IN.unpack_from(request.body)
    piece: bytes = server.tree.content(node).read(offset, size)
    server.tree.accessed(node)
    return piece


def _write(server: Server, node: Any, request: Request) -> bytes:
    _, offset, size, _, _, _, _ = wire.WRITE_IN.unpack_from(request.body)
    start = wire.WRITE_IN.size
    server.tree.write(node, offset, bytes(request.body[start : start + size]))
    return wire.WRITE_OUT.pack(size, 0)


def _statfs(_: Server, __: Any, ___: Request) -> bytes:
    blocks = 1 << 20
    return wire.STATFS_OUT.pack(blocks, blocks, blocks, blocks, blocks, 4096, 255, 4096, 0)


def _done(_: Server, __: Any, ___: Request) -> bytes:
    return b""


def _nothing(_: Server, __: Any, ___: Request) -> None:
    return None


def _opendir(server: Server, _: Any, __: Request) -> bytes:
    return wire.OPEN_OUT.pack(server.handle(), 0, 0)


def _releasedir(server: Server, _: Any, request: Request) -> bytes:
    server.forget_listing(int.from_bytes(request.body[:8], "little"))
    return b""


def _readdir(server: Server, directory: Any, request: Request) -> bytes:
    handle, position, room = wire.READ_IN.unpack_from(request.body)
    names = server.listing(handle, directory, anew=position == 0)
    out = bytearray()
    for place, name in enumerate(names[position:], position + 1):
        node = _listed(server, directory, name)
        # A stray whiteout is listed although it leads nowhere; readdir(3) knows no better type for it.
        told = server.tree.stat(node) if node is not None else None
        ino, kind = (told.st_ino, told.st_mode >> 12) if told is not None else (1, 0)
        record = wire.dirent(name.encode("utf-8", "surrogateescape"), ino, place, kind & 15)
        if request.op == Op.READDIRPLUS:
            plus = wire.entry(0, None, 0)
            if node is not None and name not in (".", "..") and len(out) + len(record) + len(plus) <= room:
                plus = server.entry(node)
            record = plus + record
        if len(out) + len(record) > room:
            break
        out += record
    return bytes(out)


def _listed(server: Server, directory: Any, name: str) -> Any:
    if name == ".":
        return directory
    if name == "..":
        return directory.parent
    return server.tree.lookup(directory, name)


def _getxattr(server: Server, node: Any, request: Request) -> bytes:
    size, _ = wire.XATTR_IN.unpack_from(request.body)
    (name,) = _names(request.body, wire.XATTR_IN.size)
    value = server.tree.getxattr(node, name)
    if value is None:
        fail(errno.ENODATA)
    return _sized(value, size)


def _listxattr(server: Server, node: Any, request: Request) -> bytes:
    size, _ = wire.XATTR_IN.unpack_from(request.body)
    names: list[str] = server.tree.listxattr(node)
    return _sized(b"".join(name.encode("utf-8", "surrogateescape") + b"\0" for name in names), size)


def _sized(value: bytes, room: int) -> bytes:
    """The value, or with no room its size; ERANGE if it does not fit (getxattr(2))."""
    if room == 0:
        return wire.XATTR_IN.pack(len(value), 0)
    if len(value) > room:
        fail(errno.ERANGE)
    return value


def _setxattr(server: Server, node: Any, request: Request) -> bytes:
    size, flags = wire.XATTR_IN.unpack_from(request.body)
    rest = bytes(request.body[wire.XATTR_IN.size :])
    name, _, value = rest.partition(b"\0")
    server.tree.setxattr(node, os.fsdecode(name), value[:size], flags)
    return b""


def _removexattr(server: Server, node: Any, request: Request) -> bytes:
    (name,) = _names(request.body)
    server.tree.setxattr(node, name, None, os.XATTR_REPLACE)
    return b""


_HANDLERS: Final[Mapping[int, Handler]] = MappingProxyType({
    Op.INIT: _init,
    Op.LOOKUP: _lookup,
    Op.FORGET: _forget,
    Op.BATCH_FORGET: _batch_forget,
    Op.INTERRUPT: _nothing,
    Op.DESTROY: _done,
    Op.GETATTR: _getattr,
    Op.SETATTR: _setattr,
    Op.READLINK: _readlink,
    Op.SYMLINK: _symlink,
    Op.MKNOD: _mknod,
    Op.MKDIR: _mkdir,
    Op.UNLINK: _unlink,
    Op.RMDIR: _rmdir,
    Op.RENAME: _rename,
    Op.RENAME2: _rename2,
    Op.LINK: _link,
    Op.OPEN: _open,
    Op.CREATE: _create,
    Op.TMPFILE: _tmpfile,
    Op.READ: _read,
    Op.WRITE: _write,
    Op.STATFS: _statfs,
    Op.RELEASE: _done,
    Op.FSYNC: _done,
    Op.FSYNCDIR: _done,
    Op.OPENDIR: _opendir,
    Op.READDIR: _readdir,
    Op.READDIRPLUS: _readdir,
    Op.RELEASEDIR: _releasedir,
    Op.GETXATTR: _getxattr,
    Op.LISTXATTR: _listxattr,
    Op.SETXATTR: _setxattr,
    Op.REMOVEXATTR: _removexattr,
})  # fmt: skip
_WITHOUT_NODE: Final = frozenset({Op.INIT, Op.FORGET, Op.BATCH_FORGET, Op.INTERRUPT, Op.DESTROY, Op.STATFS})
