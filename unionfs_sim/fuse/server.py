"""The server: one request after another, each an operation on inodes of the model."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from unionfs_sim.fuse import attribute_operations as attribute
from unionfs_sim.fuse import directory_operations as directory
from unionfs_sim.fuse import file_operations as file
from unionfs_sim.fuse import name_operations as name
from unionfs_sim.fuse import wire
from unionfs_sim.fuse.nodes import Nodes
from unionfs_sim.fuse.request import Request
from unionfs_sim.fuse.wire import Op
from unionfs_sim.layers.layer import Layer
from unionfs_sim.mounting import Union
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.vfs.permission import fail

REMEMBER_SECONDS: Final = 1 << 20
"""How long the kernel may trust what it was told: only the kernel changes the tree while it is mounted."""

Handler: TypeAlias = Callable[["Server", Any, Request], "bytes | memoryview | None"]


def groups_of_process(pid: int) -> frozenset[int]:
    """The supplementary groups of a process that waits for an answer; none if it is out of sight."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            lines = [line for line in status if line.startswith("Groups:")]
    except OSError:
        return frozenset()
    return frozenset(map(int, lines[0].split()[1:])) if lines else frozenset()


@dataclass(slots=True)
class Server:
    """Serves ``fs`` until it is unmounted.

    ``remember_seconds``: 0 makes the kernel ask every time, for bytes as well. ``on_bug``: told of an error
    that no file system has; its asker gets EIO. ``groups_of``: the supplementary groups of a process.
    """

    fs: Layer | Union
    remember_seconds: int = REMEMBER_SECONDS
    on_bug: Callable[[Exception], None] = lambda _error: None
    groups_of: Callable[[int], frozenset[int]] = groups_of_process
    tree: Any = field(init=False)
    nodes: Nodes = field(init=False)
    listings: directory.Listings = field(init=False, default_factory=directory.Listings)
    _next_handle: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        self.tree = self.fs.tree
        self.nodes = Nodes(self.tree.root)

    def serve(self, descriptor: int) -> None:
        """Answer requests from ``descriptor`` (of /dev/fuse) until the file system is unmounted."""
        buffer = bytearray(wire.MAX_WRITE + 4096)
        buffers, view = [buffer], memoryview(buffer)
        readv, unpack, size = os.readv, wire.REQUEST.unpack_from, wire.REQUEST.size
        while True:
            try:
                length = readv(descriptor, buffers)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue  # interrupted before it was read
                if error.errno in (errno.ENODEV, errno.ECONNABORTED):
                    return
                raise
            _, op, unique, node, uid, gid, pid, _, _ = unpack(buffer)
            request = Request(op, node, (uid, gid, pid), view[size:length])
            answer = self.answer(request)
            if answer is not None:
                self._reply(descriptor, unique, answer)
            # A view of a file's bytes that is still alive would forbid the next write to grow them.
            del answer, request

    def _reply(self, descriptor: int, unique: int, answer: bytes | memoryview | int) -> None:
        try:
            _send(descriptor, unique, answer)
        except OSError as error:
            # The kernel makes no sense of the answer; of most such mistakes it makes EIO itself.
            self.on_bug(error)
            _send(descriptor, unique, errno.EIO)

    def answer(self, request: Request) -> bytes | memoryview | int | None:
        """The body of the answer, an errno, or None where none is due. A bug is EIO, never a hang."""
        op = request.op
        handler = _HANDLERS.get(op)
        if handler is None:
            return errno.ENOSYS  # "never ask again"
        try:
            if op in _CHANGING and self.tree.is_watched:
                self.tree.begin()
            return handler(self, None if op in _WITHOUT_NODE else self.nodes[request.node], request)
        except OSError as error:
            return error.errno or errno.EIO
        except Exception as error:
            # Whatever goes wrong here, a process waits for the answer; an unanswered one could not be killed.
            self.on_bug(error)
            return errno.EIO

    def caller_with_groups(self, request: Request) -> Caller:
        """Who asks, with the groups that FUSE does not tell; asked for only where they decide."""
        return Caller(request.uid, request.gid, self.groups_of(request.pid), 0)

    def entry(self, node: Any) -> bytes:
        """What the kernel is told of ``node``, which it knows from now on."""
        return wire.entry(self.nodes.tell(node), self.tree.stat(node), self.remember_seconds)

    def attributes(self, node: Any) -> bytes:
        """What stat(2) shall tell of ``node``."""
        return wire.ATTR_OUT.pack(self.remember_seconds, 0, 0) + wire.attributes(self.tree.stat(node))

    def child(self, above: Any, name: str) -> Any:
        """The inode called ``name``; ENOENT if there is none."""
        found = self.tree.lookup(above, name)
        if found is None:
            fail(errno.ENOENT)
        return found

    def opened(self, *, directory: bool = False) -> bytes:
        """The answer to an open: a new handle, and whether the kernel may keep what it read before."""
        self._next_handle += 1
        flags = wire.OPEN_KEEP_CACHE if self.remember_seconds else wire.OPEN_DIRECT_IO
        if directory:
            flags = 0
        return wire.OPEN_OUT.pack(self._next_handle, flags, 0)


def _send(descriptor: int, unique: int, answer: bytes | memoryview | int) -> None:
    try:
        if isinstance(answer, int):
            os.write(descriptor, wire.REPLY.pack(wire.REPLY.size, -answer, unique))
        else:
            os.writev(descriptor, (wire.REPLY.pack(wire.REPLY.size + len(answer), 0, unique), answer))
    except OSError as error:
        # ENOENT: nobody waits (any more); ENODEV: unmounted, which the next read will say.
        if error.errno not in (errno.ENOENT, errno.ENODEV):
            raise


def _init(_: Server, __: Any, request: Request) -> bytes:
    _, _, ahead, flags = wire.INIT_IN.unpack_from(request.body)
    granted = flags & wire.WANTED
    pages = wire.MAX_WRITE // 4096
    return wire.INIT_OUT.pack(
        wire.MAJOR, wire.MINOR, ahead, granted, 64, 48, wire.MAX_WRITE, 1, pages, 0, 0, 0
    )


def _forget(server: Server, _: Any, request: Request) -> None:
    server.nodes.forget(request.node, wire.FORGET_IN.unpack_from(request.body)[0])


def _batch_forget(server: Server, _: Any, request: Request) -> None:
    for number, times in wire.FORGET_ONE.iter_unpack(request.body[8:]):
        server.nodes.forget(number, times)


def _statfs(_: Server, __: Any, ___: Request) -> bytes:
    blocks = 1 << 20
    return wire.STATFS_OUT.pack(blocks, blocks, blocks, blocks, blocks, 4096, 255, 4096, 0)


def _done(_: Server, __: Any, ___: Request) -> bytes:
    return b""


def _nothing(_: Server, __: Any, ___: Request) -> None:
    return None


_HANDLERS: Final[Mapping[int, Handler]] = MappingProxyType({
    Op.INIT: _init,
    Op.FORGET: _forget,
    Op.BATCH_FORGET: _batch_forget,
    Op.INTERRUPT: _nothing,
    Op.DESTROY: _done,
    Op.STATFS: _statfs,
    Op.LOOKUP: name.look_up,
    Op.SYMLINK: name.symlink,
    Op.MKNOD: name.mknod,
    Op.MKDIR: name.mkdir,
    Op.UNLINK: name.unlink,
    Op.RMDIR: name.rmdir,
    Op.RENAME: name.rename,
    Op.RENAME2: name.rename2,
    Op.LINK: name.link,
    Op.CREATE: name.create,
    Op.TMPFILE: name.create_unnamed,
    Op.READLINK: name.readlink,
    Op.OPEN: file.open_file,
    Op.READ: file.read,
    Op.WRITE: file.write,
    Op.LSEEK: file.seek,
    Op.FALLOCATE: file.allocate,
    Op.RELEASE: _done,
    Op.FSYNC: _done,
    Op.FSYNCDIR: _done,
    Op.GETATTR: attribute.get,
    Op.SETATTR: attribute.change,
    Op.GETXATTR: attribute.getxattr,
    Op.LISTXATTR: attribute.listxattr,
    Op.SETXATTR: attribute.setxattr,
    Op.REMOVEXATTR: attribute.removexattr,
    Op.OPENDIR: directory.open_directory,
    Op.READDIR: directory.read_directory,
    Op.READDIRPLUS: directory.read_directory,
    Op.RELEASEDIR: directory.release_directory,
})  # fmt: skip
_WITHOUT_NODE: Final = frozenset({Op.INIT, Op.FORGET, Op.BATCH_FORGET, Op.INTERRUPT, Op.DESTROY, Op.STATFS})
_CHANGING: Final = frozenset({
    Op.SYMLINK, Op.MKNOD, Op.MKDIR, Op.UNLINK, Op.RMDIR, Op.RENAME, Op.RENAME2, Op.LINK, Op.CREATE,
    Op.TMPFILE, Op.OPEN, Op.WRITE, Op.FALLOCATE, Op.SETATTR, Op.SETXATTR, Op.REMOVEXATTR,
})  # fmt: skip
