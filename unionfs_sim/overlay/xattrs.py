"""Extended attributes through a union: its own are hidden, and what looks like its own is escaped."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from unionfs_sim.overlay.copyup import copy_up
from unionfs_sim.overlay.state import AnyNode, State, UnionNode
from unionfs_sim.vfs.permission import fail
from unionfs_sim.vfs.xattr import MAX_NAME, check_namespace


def real_name(union: State, name: str) -> str:
    """Names of the union's own namespace are escaped in the layers, so that unions can be nested."""
    prefix = union.xattr_prefix
    if name == prefix:
        fail(errno.EINVAL)
    if name.startswith(prefix):
        return union.xattr_escaped + name[len(prefix) :]
    return name


def getxattr(union: State, node: AnyNode, name: str) -> bytes | None:
    """An extended attribute, or None."""
    real = real_name(union, name)
    check_namespace(name)
    if isinstance(node, UnionNode):
        return union.xattrs_in(*node.real_part).get(real)
    return node.xattrs.get(real)


def setxattr(union: State, node: AnyNode, name: str, value: bytes | None, flags: int) -> None:
    """Set or remove an extended attribute, in the upper."""
    assert union.upper is not None
    real = real_name(union, name)
    if len(real.encode("utf-8", "surrogateescape")) > MAX_NAME:
        fail(errno.EOPNOTSUPP)
    if isinstance(node, UnionNode):
        if value is None and node.upper is None:
            check_namespace(name)
            if real not in union.xattrs_in(*node.real_part):
                fail(errno.ENODATA)
        upper = node.upper if node.upper is not None else copy_up(union, node)
    else:
        upper = node
    try:
        union.upper.setxattr(upper, real, value, flags)
    finally:
        union.refresh(node)


def visible_xattrs(union: State, node: AnyNode) -> Mapping[str, bytes]:
    """What the union shows of a layer's attributes: without its own, others unescaped."""
    names = union.xattrs_in(*node.real_part) if isinstance(node, UnionNode) else node.xattrs
    prefix, escaped = union.xattr_prefix, union.xattr_escaped
    return {
        prefix + name[len(escaped) :] if name.startswith(escaped) else name: value
        for name, value in names.items()
        if not name.startswith(prefix) or name.startswith(escaped)
    }
