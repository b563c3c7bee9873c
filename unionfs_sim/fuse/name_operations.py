"""Operations on names in a directory: finding, making, moving, taking away."""

from __future__ import annotations

import errno

from unionfs_sim.fuse import wire
from unionfs_sim.fuse.request import Request
from unionfs_sim.fuse.served import Served
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.inode import Node
from unionfs_sim.nodes.kinds import (
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    DIRECTORY,
    EVERYTHING,
    PERMISSIONS,
    REGULAR,
    SETGID,
    SETGID_PROGRAM,
    SYMLINK,
    TYPE,
)
from unionfs_sim.vfs.permission import fail
from unionfs_sim.vfs.tree import Dentry
from unionfs_sim.vfs.walk import check_name


def look_up(server: Served, directory: Node, request: Request) -> bytes:
    """LOOKUP: what a name is; that it is nothing may be remembered too."""
    found = server.tree.lookup(directory, request.name())
    if found is not None:
        return server.entry(found)
    if not server.remember_seconds:
        fail(errno.ENOENT)
    return wire.entry(0, None, server.remember_seconds)


def readlink(server: Served, node: Node, _: Request) -> bytes:
    """READLINK: the target."""
    target = server.tree.target(node)
    server.tree.accessed(node)
    return target.encode("utf-8", "surrogateescape")


def _maker(server: Served, directory: Node, mode: int, request: Request) -> Caller:
    """Who makes a file; the groups are asked for where they decide about setgid (inode_init_owner)."""
    if directory.mode & SETGID and mode & SETGID_PROGRAM == SETGID_PROGRAM:
        return server.caller_with_groups(request)
    return request.caller


def symlink(server: Served, directory: Node, request: Request) -> bytes:
    """SYMLINK."""
    name, target = request.names()
    made = server.tree.make(directory, name, SYMLINK | EVERYTHING, request.caller, target)
    return server.entry(made)


def mknod(server: Served, directory: Node, request: Request) -> bytes:
    """MKNOD: a file, fifo, socket or device."""
    mode, rdev, _, _ = wire.MKNOD_IN.unpack_from(request.body)
    name = request.name(wire.MKNOD_IN.size)
    body = rdev if mode & TYPE in (CHARACTER_DEVICE, BLOCK_DEVICE) else None
    return server.entry(
        server.tree.make(directory, name, mode, _maker(server, directory, mode, request), body)
    )


def mkdir(server: Served, directory: Node, request: Request) -> bytes:
    """MKDIR."""
    mode, _ = wire.MKDIR_IN.unpack_from(request.body)
    name = request.name(wire.MKDIR_IN.size)
    made = server.tree.make(directory, name, DIRECTORY | mode & PERMISSIONS, request.caller, None)
    return server.entry(made)


def create(server: Served, directory: Node, request: Request) -> bytes:
    """CREATE: make a file and open it."""
    _, mode, _, _ = wire.CREATE_IN.unpack_from(request.body)
    name = request.name(wire.CREATE_IN.size)
    mode = REGULAR | mode & PERMISSIONS
    made = server.tree.make(directory, name, mode, _maker(server, directory, mode, request), None)
    return server.entry(made) + server.opened()


def create_unnamed(server: Served, directory: Node, request: Request) -> bytes:
    """TMPFILE: make a file without a name and open it."""
    _, mode, _, _ = wire.CREATE_IN.unpack_from(request.body)
    mode = REGULAR | mode & PERMISSIONS
    made = server.tree.make_unnamed(directory, mode, _maker(server, directory, mode, request))
    return server.entry(made) + server.opened()


def unlink(server: Served, directory: Node, request: Request) -> bytes:
    """UNLINK."""
    name = request.name()
    server.tree.unlink(directory, name, server.child(directory, name))
    return b""


def rmdir(server: Served, directory: Node, request: Request) -> bytes:
    """RMDIR."""
    name = request.name()
    server.tree.rmdir(directory, name, server.child(directory, name))
    return b""


def rename(server: Served, directory: Node, request: Request) -> bytes:
    """RENAME, without flags."""
    (target,) = wire.RENAME_IN.unpack_from(request.body)
    return _move(server, directory, server.nodes[target], request.names(wire.RENAME_IN.size), 0)


def rename2(server: Served, directory: Node, request: Request) -> bytes:
    """RENAME2, with the flags of renameat2(2)."""
    target, flags, _ = wire.RENAME2_IN.unpack_from(request.body)
    return _move(server, directory, server.nodes[target], request.names(wire.RENAME2_IN.size), flags)


def _move(server: Served, source: Node, target: Node, names: list[str], flags: int) -> bytes:
    old, new = names
    check_name(new)
    node, there = server.child(source, old), server.tree.lookup(target, new)
    server.tree.rename(Dentry(source, old, node), Dentry(target, new, there), flags)
    return b""


def link(server: Served, directory: Node, request: Request) -> bytes:
    """LINK: a second name."""
    (number,) = wire.LINK_IN.unpack_from(request.body)
    node = server.nodes[number]
    server.tree.link(node, directory, request.name(wire.LINK_IN.size))
    return server.entry(node)
