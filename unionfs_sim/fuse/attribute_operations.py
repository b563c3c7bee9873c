"""Operations on attributes and extended attributes; the kernel has asked for permission already."""

from __future__ import annotations

import errno
import os

from unionfs_sim.fuse import wire
from unionfs_sim.fuse.request import Request
from unionfs_sim.fuse.served import Served
from unionfs_sim.nodes.inode import Node
from unionfs_sim.nodes.kinds import PERMISSIONS, SET_IDS, SETGID, SETUID, TYPE
from unionfs_sim.vfs.flags import XATTR_REPLACE
from unionfs_sim.vfs.permission import dropped_by_write, drops_sgid, fail, require_owner
from unionfs_sim.vfs.tree import Change


def get(server: Served, node: Node, _: Request) -> bytes:
    """GETATTR."""
    return server.attributes(node)


def change(server: Served, node: Node, request: Request) -> bytes:
    """SETATTR: chmod, chown, utime and truncate, one or several at a time."""
    (valid, _, _, size, _, atime, mtime, _, atime_ns, mtime_ns, _, mode, _, uid, gid, _) = (
        wire.SETATTR_IN.unpack_from(request.body)
    )
    clock = server.tree.clock
    change = Change()
    # chown(-1, -1) arrives with nothing that it sets.
    if valid & (wire.SET_UID | wire.SET_GID) or not valid & wire.SETS_SOMETHING:
        change = Change(dropped=_dropped_by_owner(server, node, request))
    if valid & wire.SET_MODE:
        change = change._replace(mode=node.mode & TYPE | mode & PERMISSIONS)
    if valid & wire.SET_UID:
        change = change._replace(uid=uid)
    if valid & wire.SET_GID:
        change = change._replace(gid=gid)
    if valid & wire.SET_SIZE:
        # ftruncate(2) moves the time even if the size stays.
        change = change._replace(size=size, is_modification=bool(valid & wire.BY_DESCRIPTOR))
        if valid & wire.KILLS_SUID and node.mode & SET_IDS:
            change = change._replace(dropped=dropped_by_write(node, server.caller_with_groups(request)))
    if valid & wire.SET_ATIME:
        now = valid & wire.SET_ATIME_NOW
        change = change._replace(atime_ns=clock() if now else _time(atime, atime_ns))
    if valid & wire.SET_MTIME:
        now = valid & wire.SET_MTIME_NOW
        change = change._replace(mtime_ns=clock() if now else _time(mtime, mtime_ns))
    server.tree.change(node, change)
    return server.attributes(node)


def _dropped_by_owner(server: Served, node: Node, request: Request) -> int:
    """The bits that go with a change of owner (chown_common): setuid, and setgid as after a write."""
    if node.is_dir:
        return 0
    dropped = SETUID
    if node.mode & SETGID and drops_sgid(node, server.caller_with_groups(request)):
        dropped |= SETGID
    # Behind a cache, a write into a setuid file looks the same as chown(-1, -1), and must not be refused.
    if dropped & node.mode and not server.remember_seconds:
        require_owner(node, request.caller)
    return dropped


def _time(seconds: int, nanoseconds: int) -> int:
    signed = seconds - (1 << 64) if seconds >> 63 else seconds
    return signed * 10**9 + nanoseconds


def getxattr(server: Served, node: Node, request: Request) -> bytes:
    """GETXATTR: a value, or its size."""
    size, _ = wire.XATTR_IN.unpack_from(request.body)
    value = server.tree.getxattr(node, request.name(wire.XATTR_IN.size))
    if value is None:
        fail(errno.ENODATA)
    return _sized(value, size)


def listxattr(server: Served, node: Node, request: Request) -> bytes:
    """LISTXATTR: the names, or their size; trusted ones for root only."""
    size, _ = wire.XATTR_IN.unpack_from(request.body)
    names = list(server.tree.visible_xattrs(node))
    if request.uid:
        names = [name for name in names if not name.startswith("trusted.")]
    return _sized(b"".join(name.encode("utf-8", "surrogateescape") + b"\0" for name in names), size)


def _sized(value: bytes, room: int) -> bytes:
    """The value, or with no room its size; ERANGE if it does not fit (getxattr(2))."""
    if room == 0:
        return wire.XATTR_IN.pack(len(value), 0)
    if len(value) > room:
        fail(errno.ERANGE)
    return value


def setxattr(server: Served, node: Node, request: Request) -> bytes:
    """SETXATTR, with XATTR_CREATE and XATTR_REPLACE."""
    size, flags = wire.XATTR_IN.unpack_from(request.body)
    rest = bytes(request.body[wire.XATTR_IN.size :])
    name, _, value = rest.partition(b"\0")
    server.tree.setxattr(node, os.fsdecode(name), value[:size], flags)
    return b""


def removexattr(server: Served, node: Node, request: Request) -> bytes:
    """REMOVEXATTR."""
    server.tree.setxattr(node, request.name(), None, XATTR_REPLACE)
    return b""
