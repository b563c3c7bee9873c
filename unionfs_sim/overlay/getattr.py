"""What stat(2) tells of a file in a union: whose number, whose device, how many names (ovl_getattr)."""

from __future__ import annotations

from unionfs_sim.filesystem import Stat
from unionfs_sim.layers.layertree import LONG_SYMLINK
from unionfs_sim.nodes.content import PAGE, SECTOR, Content
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.nodes.kinds import SYMLINK, TYPE
from unionfs_sim.overlay.state import CONST_INO, INDEXED, UNLINKED, AnyNode, Part, State, UnionNode

NO_LAYER = -1
"""In place of a layer's number: what is told belongs to the union itself."""


def stat(union: State, node: AnyNode) -> Stat:
    """The attributes, as a stat call tells them."""
    layer = 0
    real: AnyNode | None = node
    ino, nlink, blocks = 0, -1, -1
    if isinstance(node, UnionNode):
        real = node.upper
        data = node.data
        if data is not None:
            # Bytes in a data-only layer are searched for when the file is first opened.
            if isinstance(data, str):
                blocks = -(-node.real.size // PAGE) * (PAGE // SECTOR)
            else:
                blocks = data.content.blocks
        if real is None:
            layer, real = node.lowers[0]
        elif node.flags & CONST_INO:
            origin = node.lowers[0]
            if node.flags & INDEXED:
                nlink = node.nlink
            if node.is_dir or nlink >= 0 or union.nlink_of(origin) == 1:
                layer, ino = origin.layer, _ino_of(union, origin)
        if node.is_dir:
            if node.lowers and (node.upper is not None or len(node.lowers) > 1):
                nlink = 1
            if not union.is_samefs and not union.xino_shift:
                ino = _dir_ino(union, node)
                layer = NO_LAYER
        if not isinstance(real, Inode):
            return _stat_nested(union, node, real, layer, ino)
    assert isinstance(real, Inode)
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
        if size >= LONG_SYMLINK and real.mode & TYPE == SYMLINK:
            blocks = PAGE // SECTOR
    ino = ino or real.ino + union.ino_base[layer]
    return Stat(
        real.mode,
        ino if union.is_samefs else _map_ino(union, ino, layer),
        union.dev if union.is_samefs else _map_dev(union, layer),
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


def _stat_nested(union: State, node: UnionNode, real: AnyNode, layer: int, ino: int) -> Stat:
    found = union.stack[layer].stat(real)
    ino = ino or found.st_ino + union.ino_base[layer]
    merged = node.is_dir and len(node.lowers) > 1
    return found._replace(
        st_ino=_map_ino(union, ino, layer),
        st_dev=_map_dev(union, layer),
        st_nlink=1 if merged else found.st_nlink,
    )


def _ino_of(union: State, part: Part) -> int:
    inode = part.inode
    ino = inode.ino if isinstance(inode, Inode) else union.stack[part.layer].stat(inode).st_ino
    return ino + union.ino_base[part.layer]


def _dir_ino(union: State, node: UnionNode) -> int:
    if not node.ino:
        union.last_dir_ino += 1
        node.ino = union.last_dir_ino
    return node.ino


def _map_ino(union: State, ino: int, layer: int) -> int:
    if layer == NO_LAYER or not union.xino_shift or ino >> union.xino_shift:
        return ino
    return ino | union.fsids[layer] << (union.xino_shift + 1)


def _map_dev(union: State, layer: int) -> int:
    if layer == NO_LAYER or union.is_samefs or union.xino_shift:
        return union.dev
    return union.dev + 1 + union.fsids[layer]


def is_unlinked(union: State, node: AnyNode) -> bool:
    """Whether no name is left; a lower file that only open files know shows its old link count."""
    if isinstance(node, UnionNode) and node.flags & UNLINKED:
        return True
    return stat(union, node).st_nlink == 0
