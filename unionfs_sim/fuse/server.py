"""The server: one request after another, each an operation on inodes of the model."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from unionfs_sim.fuse import attribute_operations as attribute
from unionfs_sim.fuse import directory_operations as directory
from unionfs_sim.fuse import file_operations as file
from unionfs_sim.fuse import name_operations as name
from unionfs_sim.fuse import wire
from unionfs_sim.fuse.request import Request
from unionfs_sim.fuse.served import Served
from unionfs_sim.fuse.wire import Op
from unionfs_sim.nodes.inode import Node

Handler: TypeAlias = Callable[[Served, Node, Request], "bytes | memoryview | None"]
Message: TypeAlias = Callable[[Served, Request], "bytes | memoryview | None"]
"""As a handler, for what is not about a node."""


class Server(Served):
    """Serves ``fs`` until it is unmounted."""

    __slots__ = ()

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
        try:
            if handler is None:
                message = _MESSAGES.get(op)
                return errno.ENOSYS if message is None else message(self, request)  # "never ask again"
            if op in _CHANGING and self.tree.is_watched:
                self.tree.begin()
            return handler(self, self.nodes[request.node], request)
        except OSError as error:
            return error.errno or errno.EIO
        except Exception as error:
            # Whatever goes wrong here, a process waits for the answer; an unanswered one could not be killed.
            self.on_bug(error)
            return errno.EIO


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


def _init(_: Served, request: Request) -> bytes:
    _, _, ahead, flags = wire.INIT_IN.unpack_from(request.body)
    granted = flags & wire.WANTED
    pages = wire.MAX_WRITE // 4096
    return wire.INIT_OUT.pack(
        wire.MAJOR, wire.MINOR, ahead, granted, 64, 48, wire.MAX_WRITE, 1, pages, 0, 0, 0
    )


def _forget(server: Served, request: Request) -> None:
    server.nodes.forget(request.node, wire.FORGET_IN.unpack_from(request.body)[0])


def _batch_forget(server: Served, request: Request) -> None:
    for number, times in wire.FORGET_ONE.iter_unpack(request.body[8:]):
        server.nodes.forget(number, times)


def _statfs(_: Served, __: Request) -> bytes:
    blocks = 1 << 20
    return wire.STATFS_OUT.pack(blocks, blocks, blocks, blocks, blocks, 4096, 255, 4096, 0)


def _done(_: Served, __: Node, ___: Request) -> bytes:
    return b""


def _bye(_: Served, __: Request) -> bytes:
    return b""


def _nothing(_: Served, __: Request) -> None:
    return None


_MESSAGES: Final[Mapping[int, Message]] = MappingProxyType(
    {
        Op.INIT: _init,
        Op.FORGET: _forget,
        Op.BATCH_FORGET: _batch_forget,
        Op.INTERRUPT: _nothing,
        Op.DESTROY: _bye,
        Op.STATFS: _statfs,
    }
)
_HANDLERS: Final[Mapping[int, Handler]] = MappingProxyType({
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
_CHANGING: Final = frozenset({
    Op.SYMLINK, Op.MKNOD, Op.MKDIR, Op.UNLINK, Op.RMDIR, Op.RENAME, Op.RENAME2, Op.LINK, Op.CREATE,
    Op.TMPFILE, Op.OPEN, Op.WRITE, Op.FALLOCATE, Op.SETATTR, Op.SETXATTR, Op.REMOVEXATTR,
})  # fmt: skip
