"""What stat(2) tells of a file in a union: whose number, whose device, how many names (ovl_getattr)."""

from __future__ import annotations

from typing import Any

from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.overlay.mounted import MountedLayers
from unionfs_sim.overlay.node import CONST_INO, INDEXED, UNLINKED, AnyNode, Part, UnionNode


class UnionStat(MountedLayers):
    """A union that answers stat."""

    def stat(self, node: AnyNode) -> Stat:
        """The attributes, as a stat call tells them (ovl_getattr)."""
        layer = 0
        real: Any = node
        ino, nlink, blocks = 0, -1, -1
        if isinstance(node, UnionNode):
            real = node.upper
            if node.data is not None:
                # Bytes in a data-only layer are searched for when the file is first opened.
                found = node.data
                blocks = -(-node.real.size // 4096) * 8 if isinstance(found, str) else found.content.blocks
            if real is None:
                layer, real = node.lowers[0]
            elif node.flags & CONST_INO:
                origin = node.lowers[0]
                if node.flags & INDEXED:
                    nlink = node.nlink
                if node.is_dir or nlink >= 0 or self.nlink_of(origin) == 1:
                    layer, ino = origin.layer, self._ino_of(origin)
            if node.is_dir:
                if node.lowers and (node.upper is not None or len(node.lowers) > 1):
                    nlink = 1
                if not self.is_samefs and not self.xino_shift:
                    ino = self._dir_ino(node)
                    layer = -1
        if not isinstance(real, Inode):
            return self._stat_nested(node, real, layer, ino)
        body = real.body
        size = rdev = 0
        if isinstance(body, Content):
            size = body.size
            if blocks < 0:
                blocks = body.blocks
        elif isinstance(body, int):
            rdev = body
        else:
            size = real.size
            if size >= 128 and real.mode & 0o170000 == 0o120000:
                blocks = 8
        ino = ino or real.ino + self.ino_base[layer]
        return Stat(
            real.mode,
            ino if self.is_samefs else self._map_ino(ino, layer),
            self.dev if self.is_samefs else self._map_dev(layer),
            nlink if nlink >= 0 else real.nlink,
            real.uid,
            real.gid,
            size,
            real.atime_ns,
            real.mtime_ns,
            real.ctime_ns,
            rdev,
            max(blocks, 0),
        )

    def _stat_nested(self, node: Any, real: Any, layer: int, ino: int) -> Stat:
        found = self.stack[layer].stat(real)
        ino = ino or found.st_ino + self.ino_base[layer]
        merged = node.is_dir and len(node.lowers) > 1
        return found._replace(
            st_ino=self._map_ino(ino, layer),
            st_dev=self._map_dev(layer),
            st_nlink=1 if merged else found.st_nlink,
        )

    def _ino_of(self, part: Part) -> int:
        inode = part.inode
        ino = inode.ino if isinstance(inode, Inode) else self.stack[part.layer].stat(inode).st_ino
        return ino + self.ino_base[part.layer]

    def inode_nlink(self, part: Part) -> int:
        """The link count that the kernel keeps in a lower inode; in a union's it can lack names."""
        inode = part.inode
        if isinstance(inode, Inode):
            return inode.nlink
        tree: Any = self.stack[part.layer]
        if inode.flags & INDEXED:
            return int(inode.nlink)
        if inode.upper is not None:
            return int(inode.upper.nlink)
        return tree.inode_nlink(inode.lowers[0]) if inode.flags & CONST_INO else 1

    def nlink_of(self, part: Part) -> int:
        """The link count of a lower inode."""
        inode = part.inode
        return inode.nlink if isinstance(inode, Inode) else self.stack[part.layer].stat(inode).st_nlink

    def _dir_ino(self, node: UnionNode) -> int:
        if not node.ino:
            self._next_dir_ino += 1
            node.ino = self._next_dir_ino
        return node.ino

    def _map_ino(self, ino: int, layer: int) -> int:
        if layer < 0 or not self.xino_shift or ino >> self.xino_shift:
            return ino
        return ino | self.fsids[layer] << (self.xino_shift + 1)

    def _map_dev(self, layer: int) -> int:
        if layer < 0 or self.is_samefs or self.xino_shift:
            return self.dev
        return self.dev + 1 + self.fsids[layer]

    def is_unlinked(self, node: AnyNode) -> bool:
        """Whether no name is left; a lower file that only open files know shows its old link count."""
        if isinstance(node, UnionNode) and node.flags & UNLINKED:
            return True
        return self.stat(node).st_nlink == 0
