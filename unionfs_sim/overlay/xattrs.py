"""Extended attributes through a union: its own are hidden, and what looks like its own is escaped."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

from unionfs_sim.overlay.copyup import copy_up
from unionfs_sim.overlay.getattr import UnionStat
from unionfs_sim.overlay.node import AnyNode, UnionNode
from unionfs_sim.vfs.permission import fail
from unionfs_sim.vfs.xattr import MAX_NAME, check_namespace


class UnionXattrs(UnionStat):
    """A union that has extended attributes."""

    def _real_name(self, name: str) -> str:
        """Names of the union's own namespace are escaped in the layers, so that unions can be nested."""
        prefix = self.xattr_prefix
        if name == prefix:
            fail(errno.EINVAL)
        if name.startswith(prefix):
            return f"{prefix}overlay.{name[len(prefix) :]}"
        return name

    def getxattr(self, node: AnyNode, name: str) -> bytes | None:
        """An extended attribute, or None."""
        real_name = self._real_name(name)
        check_namespace(name)
        if isinstance(node, UnionNode):
            return self.xattrs_in(*node.real_part).get(real_name)
        return node.xattrs.get(real_name)

    def setxattr(self, node: AnyNode, name: str, value: bytes | None, flags: int) -> None:
        """Set or remove an extended attribute, in the upper."""
        assert self.upper is not None
        whole: Any = self
        real_name = self._real_name(name)
        if len(real_name.encode("utf-8", "surrogateescape")) > MAX_NAME:
            fail(errno.EOPNOTSUPP)
        if isinstance(node, UnionNode):
            if value is None and node.upper is None:
                check_namespace(name)
                if real_name not in self.xattrs_in(*node.real_part):
                    fail(errno.ENODATA)
            upper = node.upper if node.upper is not None else copy_up(whole, node)
        else:
            upper = node
        try:
            self.upper.setxattr(upper, real_name, value, flags)
        finally:
            whole.refresh(node)

    def listxattr(self, node: AnyNode) -> list[str]:
        """The names of all extended attributes but the union's own."""
        return list(self.visible_xattrs(node))

    def visible_xattrs(self, node: AnyNode) -> Mapping[str, bytes]:
        """What the union shows of a layer's attributes: without its own, others unescaped."""
        names = self.xattrs_in(*node.real_part) if isinstance(node, UnionNode) else node.xattrs
        prefix = self.xattr_prefix
        escaped = prefix + "overlay."
        return {
            prefix + name[len(escaped) :] if name.startswith(escaped) else name: value
            for name, value in names.items()
            if not name.startswith(prefix) or name.startswith(escaped)
        }

    def xattrs_in(self, layer: int, inode: Any) -> Mapping[str, bytes]:
        """The attributes of a layer's inode; a union below shows fewer than its own layers have."""
        tree = self.stack[layer]
        found: Mapping[str, bytes]
        found = tree.visible_xattrs(inode) if isinstance(tree, UnionXattrs) else inode.xattrs
        return found
