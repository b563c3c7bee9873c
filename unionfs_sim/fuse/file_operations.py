"""Operations on the bytes of regular files."""

from __future__ import annotations

import errno

from unionfs_sim.fuse import wire
from unionfs_sim.fuse.request import Request
from unionfs_sim.fuse.served import Served
from unionfs_sim.nodes.inode import Node
from unionfs_sim.nodes.kinds import SET_IDS
from unionfs_sim.vfs import flags as o
from unionfs_sim.vfs.openfile import seek_data, truncate_node
from unionfs_sim.vfs.permission import dropped_by_write, fail
from unionfs_sim.vfs.tree import Change


def open_file(server: Served, node: Node, request: Request) -> bytes:
    """OPEN: copies up if it is for writing; O_TRUNC is ours to do."""
    flags, _ = wire.OPEN_IN.unpack_from(request.body)
    truncating = flags & o.TRUNC != 0
    writing = flags & o.ACCESS != o.RDONLY or truncating
    server.tree.before_open(node, writing=writing, truncating=truncating)
    if truncating:
        truncate_node(server.tree, node, 0, server.caller_with_groups(request), now=True)
    return server.opened()


def read(server: Served, node: Node, request: Request) -> bytes:
    """READ: at most so many bytes."""
    _, offset, size, _, _, flags = wire.READ_IN.unpack_from(request.body)
    piece = server.tree.content(node).read(offset, size)
    if not flags & o.NOATIME:
        server.tree.accessed(node)
    return piece


def write(server: Served, node: Node, request: Request) -> bytes:
    """WRITE: all of the bytes; setuid goes where the kernel says that the writer may not keep it."""
    _, offset, size, how, _, _, _ = wire.WRITE_IN.unpack_from(request.body)
    start = wire.WRITE_IN.size
    if how & wire.WRITE_KILLS_SUID and node.mode & SET_IDS:
        dropped = dropped_by_write(node, server.caller_with_groups(request))
        if dropped:
            server.tree.change(node, Change(dropped=dropped))
    server.tree.write(node, offset, bytes(request.body[start : start + size]))
    return wire.WRITE_OUT.pack(size, 0)


def seek(server: Served, node: Node, request: Request) -> bytes:
    """LSEEK: SEEK_DATA and SEEK_HOLE; the kernel does the others itself."""
    _, offset, whence, _ = wire.LSEEK_IN.unpack_from(request.body)
    return wire.LSEEK_OUT.pack(seek_data(server.tree.content(node), offset, whence))


def allocate(server: Served, node: Node, request: Request) -> bytes:
    """FALLOCATE: memory needs no reservation, so that only the size may change."""
    _, offset, length, mode, _ = wire.FALLOCATE_IN.unpack_from(request.body)
    if mode & ~wire.FALLOCATE_KEEP_SIZE:
        fail(errno.EOPNOTSUPP)
    if not mode and offset + length > server.tree.content(node).size:
        server.tree.change(node, Change(size=offset + length, is_modification=True))
    return b""
