"""Operations on the bytes of regular files."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from unionfs_sim.fuse import wire
from unionfs_sim.fuse.request import Request
from unionfs_sim.vfs.openfile import seek_data, truncate
from unionfs_sim.vfs.permission import dropped_by_write, fail

if TYPE_CHECKING:
    from unionfs_sim.fuse.server import Server


def open_file(server: Server, node: Any, request: Request) -> bytes:
    """OPEN: copies up if it is for writing; O_TRUNC is ours to do."""
    flags, _ = wire.OPEN_IN.unpack_from(request.body)
    truncating = flags & os.O_TRUNC != 0
    writing = flags & os.O_ACCMODE != os.O_RDONLY or truncating
    server.tree.before_open(node, writing=writing, truncating=truncating)
    if truncating:
        truncate(server.tree, node, 0, server.caller_with_groups(request), now=True)
    return server.opened()


def read(server: Server, node: Any, request: Request) -> bytes:
    """READ: at most so many bytes."""
    _, offset, size, _, _, flags = wire.READ_IN.unpack_from(request.body)
    piece: bytes = server.tree.content(node).read(offset, size)
    if not flags & os.O_NOATIME:
        server.tree.accessed(node)
    return piece


def write(server: Server, node: Any, request: Request) -> bytes:
    """WRITE: all of the bytes; setuid goes where the kernel says that the writer may not keep it."""
    _, offset, size, how, _, _, _ = wire.WRITE_IN.unpack_from(request.body)
    start = wire.WRITE_IN.size
    if how & wire.WRITE_KILLS_SUID and node.mode & 0o6000:
        dropped = dropped_by_write(node, server.caller_with_groups(request))
        if dropped:
            server.tree.change(node, {"dropped": dropped})
    server.tree.write(node, offset, bytes(request.body[start : start + size]))
    return wire.WRITE_OUT.pack(size, 0)


def seek(server: Server, node: Any, request: Request) -> bytes:
    """LSEEK: SEEK_DATA and SEEK_HOLE; the kernel does the others itself."""
    _, offset, whence, _ = wire.LSEEK_IN.unpack_from(request.body)
    return wire.LSEEK_OUT.pack(seek_data(server.tree.content(node), offset, whence))


def allocate(server: Server, node: Any, request: Request) -> bytes:
    """FALLOCATE: memory needs no reservation, so that only the size may change."""
    _, offset, length, mode, _ = wire.FALLOCATE_IN.unpack_from(request.body)
    if mode & ~wire.FALLOCATE_KEEP_SIZE:
        fail(errno.EOPNOTSUPP)
    if not mode and offset + length > server.tree.content(node).size:
        server.tree.change(node, {"size": offset + length, "modified": 1})
    return b""
