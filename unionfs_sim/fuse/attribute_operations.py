"""Operations on attributes and extended attributes; the kernel has asked for permission already."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any

from unionfs_sim.fuse import wire
from unionfs_sim.fuse.request import Request
from unionfs_sim.vfs.permission import dropped_by_write, drops_sgid, fail, require_owner

if TYPE_CHECKING:
    from unionfs_sim.fuse.server import Server


def get(server: Server, node: Any, _: Request) -> bytes:
    """GETATTR."""
    return server.attributes(node)


def change(server: Server, node: Any, request: Request) -> bytes:
    """SETATTR: chmod, chown, utime and truncate, one or several at a time."""
    (valid, _, _, size, _, atime, mtime, _, atime_ns, mtime_ns, _, mode, _, uid, gid, _) = (
        wire.SETATTR_IN.unpack_from(request.body)
    )
    values: dict[str, int] = {}
    # chown(-1, -1) arrives with nothing that it sets.
    if valid & (wire.SET_UID | wire.SET_GID) or not valid & wire.SETS_SOMETHING:
        values.update(_dropped_by_owner(server, node, request))
    if valid & wire.SET_MODE:
        values["mode"] = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
    if valid & wire.SET_UID:
        values["uid"] = uid
    if valid & wire.SET_GID:
        values["gid"] = gid
    if valid & wire.SET_SIZE:
        values["size"] = size
        if valid & wire.KILLS_SUID and node.mode & 0o6000:
            values["dropped"] = dropped_by_write(node, server.caller_with_groups(request))
        if valid & wire.BY_DESCRIPTOR:
            values["modified"] = 1  # ftruncate(2) moves the time even if the size stays
    if valid & wire.SET_ATIME:
        values["atime_ns"] = server.tree.clock() if valid & wire.SET_ATIME_NOW else _time(atime, atime_ns)
    if valid & wire.SET_MTIME:
        values["mtime_ns"] = server.tree.clock() if valid & wire.SET_MTIME_NOW else _time(mtime, mtime_ns)
    server.tree.change(node, values)
    return server.attributes(node)


def _dropped_by_owner(server: Server, node: Any, request: Request) -> dict[str, int]:
    """The bits that go with a change of owner (chown_common): setuid, and setgid as after a write."""
    if node.is_dir:
        return {}
    dropped = stat.S_ISUID
    if node.mode & stat.S_ISGID and drops_sgid(node, server.caller_with_groups(request)):
        dropped |= stat.S_ISGID
    # Behind a cache, a write into a setuid file looks the same as chown(-1, -1), and must not be refused.
    if dropped & node.mode and not server.remember_seconds:
        require_owner(node, request.caller)
    return {"dropped": dropped}


def _time(seconds: int, nanoseconds: int) -> int:
    signed = seconds - (1 << 64) if seconds >> 63 else seconds
    return signed * 10**9 + nanoseconds


def getxattr(server: Server, node: Any, request: Request) -> bytes:
    """GETXATTR: a value, or its size."""
    size, _ = wire.XATTR_IN.unpack_from(request.body)
    value = server.tree.getxattr(node, request.name(wire.XATTR_IN.size))
    if value is None:
        fail(errno.ENODATA)
    return _sized(value, size)


def listxattr(server: Server, node: Any, request: Request) -> bytes:
    """LISTXATTR: the names, or their size; trusted ones for root only."""
    size, _ = wire.XATTR_IN.unpack_from(request.body)
    names: list[str] = server.tree.listxattr(node)
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


def setxattr(server: Server, node: Any, request: Request) -> bytes:
    """SETXATTR, with XATTR_CREATE and XATTR_REPLACE."""
    size, flags = wire.XATTR_IN.unpack_from(request.body)
    rest = bytes(request.body[wire.XATTR_IN.size :])
    name, _, value = rest.partition(b"\0")
    server.tree.setxattr(node, os.fsdecode(name), value[:size], flags)
    return b""


def removexattr(server: Server, node: Any, request: Request) -> bytes:
    """REMOVEXATTR."""
    server.tree.setxattr(node, request.name(), None, os.XATTR_REPLACE)
    return b""
