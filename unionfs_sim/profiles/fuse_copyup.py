"""Copying up as fuse-overlayfs does: only directories and regular files arrive as they were."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, Final

from unionfs_sim.events import CopiedUp
from unionfs_sim.nodes.caller import ROOT
from unionfs_sim.nodes.content import EMPTY
from unionfs_sim.nodes.inode import DEAD, NO_XATTRS, Inode
from unionfs_sim.nodes.journal import assign
from unionfs_sim.overlay.copying import copied_up
from unionfs_sim.overlay.node import AnyNode, UnionNode
from unionfs_sim.profiles import spelling
from unionfs_sim.profiles.fuse_looking import ShownByFuse
from unionfs_sim.vfs.permission import fail, new_mode

DIRECTORY: Final = 0o040000
REGULAR: Final = 0o100000
SYMLINK: Final = 0o120000
FIFO: Final = 0o010000
_UNCOPYABLE: Final = (0o140000, 0o020000, 0o060000)
"""Sockets and devices: to copy them, they would have to be opened."""


class CopiedByFuse(ShownByFuse):
    """A union that copies up and then changes the copy."""

    def _copy_up(self, node: AnyNode, *, truncating: bool = False) -> Inode:
        """The upper inode of ``node``, made now if there is none; parents first."""
        if not isinstance(node, UnionNode):
            return node
        if node.upper is not None:
            return node.upper
        target = self._copy_up(node.parent)
        if target.children is DEAD:
            fail(errno.ENOENT)
        tree = self.upper
        assert tree is not None
        upper = self._clone(node, target, truncating=truncating)
        tree.attach(target, node.name, upper)
        assign(self.journal, node, "upper", upper)
        self._follow(node, upper)
        if self.events.listeners:
            size = upper.content.size
            self.events.tell(CopiedUp(self.path_of(node.parent, node.name), node.mode, size))
        return upper

    def _clone(self, node: UnionNode, target: Inode, *, truncating: bool) -> Inode:
        """A copy of the lower file without a name; only directories and regular files are copied well."""
        lower = node.lowers[0].inode
        tree = self.upper
        assert tree is not None
        kind = lower.mode & 0o170000
        self._require_copyable(node)
        if kind == SYMLINK:
            # Made anew by the server: owner, times and attributes are lost.
            return tree.new(lower.mode | 0o777, 0, new_mode(target, ROOT, kind)[1], lower.body)
        body: Any = lower.body
        mode = kept_mode(lower.mode) if lower.uid or lower.gid or lower.is_dir else lower.mode
        if kind == FIFO:
            mode, body = REGULAR | mode & 0o7777, EMPTY  # what could be read from it: nothing
        elif kind == REGULAR:
            body = copied_up(lower.content, 0 if truncating else lower.size)
        upper = Inode(tree.volume.next_ino(), mode, lower.uid, lower.gid, body=body)
        upper.atime_ns, upper.mtime_ns = lower.atime_ns, lower.mtime_ns
        upper.ctime_ns = self.clock()
        upper.xattrs = self._copied_xattrs(node, lower)
        return upper

    def _copied_xattrs(self, node: UnionNode, lower: Any) -> Mapping[str, bytes]:
        kept = {name: value for name, value in lower.xattrs.items() if not name.startswith(spelling.HIDDEN)}
        if not lower.is_dir:
            path = self.path_of(node.parent, node.name)[1:]
            kept[spelling.ORIGIN] = path.encode("utf-8", "surrogateescape") + b"\0"
        return kept or NO_XATTRS

    def _upper_dir(self, directory: UnionNode) -> Inode:
        return self._copy_up(directory)

    def _require_copyable(self, node: AnyNode) -> None:
        """What goes is set aside in the upper first, which fails for a socket or device below."""
        if isinstance(node, UnionNode) and node.upper is None and node.mode & 0o170000 in _UNCOPYABLE:
            fail(errno.ENXIO)

    def change(self, node: AnyNode, values: Mapping[str, int]) -> None:
        """Set attributes, in the upper."""
        assert self.upper is not None
        if "dropped" in values and not node.mode & 0o010:
            values = {**values, "dropped": values["dropped"] & ~0o2000}  # setgid without x is no privilege
        if "mode" in values and isinstance(node, UnionNode) and node.mode & 0o170000 == FIFO:
            values = {**values, "mode": REGULAR | values["mode"] & 0o7777} if node.lowers else values
        was_fifo = isinstance(node, UnionNode) and node.mode & 0o170000 == FIFO
        upper = self._copy_up(node)
        self.upper.change(upper, values)
        if isinstance(node, UnionNode):
            self._follow(node, upper)
        if was_fifo:
            fail(errno.EIO)  # the kernel does not accept that a fifo has become a file

    def _follow(self, node: UnionNode, upper: Inode) -> None:
        """Let the node's copy of the permissions follow the upper's."""
        assign(self.journal, node, "mode", upper.mode)
        assign(self.journal, node, "uid", upper.uid)
        assign(self.journal, node, "gid", upper.gid)
        if node.is_dir:
            self.forget_paths()

    def write(self, node: AnyNode, offset: int, piece: bytes) -> None:
        """Write bytes of a regular file."""
        assert self.upper is not None
        upper = self._copy_up(node)
        self.upper.write(upper, offset, piece)
        if isinstance(node, UnionNode):
            self._follow(node, upper)

    def before_open(self, node: AnyNode, *, writing: bool, truncating: bool) -> None:
        """Opening for writing copies up, whether something is written or not."""
        if writing:
            self._copy_up(node, truncating=truncating)

    def setxattr(self, node: AnyNode, name: str, value: bytes | None, flags: int) -> None:
        """Set or remove an extended attribute; the file is copied up even if there is nothing to remove."""
        assert self.upper is not None
        if name.startswith(spelling.REFUSED):
            if value is not None:
                fail(errno.EPERM)
            self._copy_up(node)
            fail(errno.ENODATA)
        self.upper.setxattr(self._copy_up(node), name, value, flags)


def kept_mode(mode: int) -> int:
    """What is left of a mode: the owner is set last, which takes setuid and setgid away (chown(2))."""
    if mode & 0o170000 == DIRECTORY:
        return mode & ~0o2000
    return mode & ~(0o6000 if mode & 0o010 else 0o4000)
