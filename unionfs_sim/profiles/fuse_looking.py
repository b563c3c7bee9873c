"""What a union of fuse-overlayfs shows: the search for a name, listings, attributes."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, Final

from unionfs_sim.events import LookedUp
from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.inode import DEAD, Inode
from unionfs_sim.overlay.node import CONST_INO, AnyNode, Part, UnionNode
from unionfs_sim.overlay.union import UnionTree
from unionfs_sim.profiles import spelling
from unionfs_sim.vfs.permission import fail
from unionfs_sim.vfs.xattr import check_namespace

REGULAR: Final = 0o100000
SYMLINK: Final = 0o120000


class ShownByFuse(UnionTree):
    """The merged view as fuse-overlayfs makes it."""

    def _make_root(self) -> UnionNode:
        parts = []
        for layer in range(1, self.last_layer + 1):
            root = self.stack[layer].root
            parts.append(Part(layer, root))
            if spelling.is_opaque(root):
                break
        if self.upper is not None and spelling.is_opaque(self.upper.root):
            parts.clear()
        return UnionNode(self.upper.root if self.upper is not None else None, tuple(parts), None, "")

    def lookup(self, directory: UnionNode, name: str) -> AnyNode | None:
        """The inode that ``name`` is, or None."""
        known: AnyNode | None = directory.children.get(name)
        if known is not None:
            return known
        if name in directory.children or directory.children is DEAD or spelling.is_marker(name):
            return None
        asked: list[int] = []
        parts = self._search(directory, name, asked)
        if self.events.listeners:
            found = tuple(part.layer for part in parts)
            self.events.tell(LookedUp(self.path_of(directory, name), tuple(asked), found))
        if not parts:
            directory.children[name] = None
            return None
        return self._node(directory, name, parts)

    def _search(self, directory: UnionNode, name: str, asked: list[int]) -> list[Part]:
        """The layers' inodes that make up ``name``, top first."""
        parts: list[Part] = []
        stack = directory.lowers
        if directory.upper is not None:
            stack = (Part(0, directory.upper), *stack)
        for layer, inode in stack:
            asked.append(layer)
            if spelling.hides(inode.children, name):
                break
            child = inode.children.get(name)
            if child is None:
                continue
            if not child.is_dir:
                if not parts:
                    parts.append(Part(layer, child))
                elif child.mode & 0o170000 not in (REGULAR, SYMLINK):
                    continue  # between directories, neither a fifo nor a device cuts the merge
                break
            parts.append(Part(layer, child))
            if spelling.is_opaque(child):
                break
        return parts

    def _node(self, directory: UnionNode, name: str, parts: list[Part]) -> AnyNode:
        layer, inode = parts[0]
        upper: Inode | None = inode if layer == 0 else None
        if upper is not None and not upper.is_dir:
            return upper
        if not inode.is_dir and inode.nlink > 1:
            return self._linked_node(inode, directory, name, tuple(parts))
        node = UnionNode(upper, tuple(parts[upper is not None :]), directory, name)
        node.flags = CONST_INO if node.lowers else 0
        directory.children[name] = node
        return node

    def _linked_node(
        self, inode: Inode, directory: UnionNode, name: str, parts: tuple[Part, ...]
    ) -> UnionNode:
        """The node of a lower file with several names: it is copied up at the one found last."""
        known: tuple[UnionNode, list[tuple[UnionNode, str]]] | None = self.shared.get(inode)
        if known is None:
            known = self.shared[inode] = UnionNode(None, parts, directory, name), []
        node, names = known
        names.append((directory, name))
        directory.children[name] = node
        if node.upper is None:
            node.parent, node.name = directory, name
        return node

    def typed_entries(self, directory: UnionNode) -> list[tuple[str, bool]]:
        """The names in a directory, and whether each is a directory."""
        names = self._listing(directory)
        self._load_linked(directory, names)
        return list(names.items())

    def entries(self, directory: UnionNode) -> list[str]:
        """The names in a directory."""
        names = self._listing(directory)
        self._load_linked(directory, names)
        return list(names)

    def _load_linked(self, directory: UnionNode, names: Mapping[str, bool]) -> None:
        """A listing looks all names up, which matters for files with several names."""
        for name in names:
            part = next((each for each in directory.lowers if name in each.inode.children), None)
            if part is not None and part.inode.children[name].nlink > 1:
                self.lookup(directory, name)

    def _listing(self, directory: UnionNode) -> dict[str, bool]:
        names: dict[str, bool] = {}
        for part in reversed(directory.lowers):
            _overlay(names, part.inode)
        if directory.upper is not None:
            _overlay(names, directory.upper)
        return names

    def stat(self, node: AnyNode) -> Stat:
        """The attributes; a directory has two links and one for every directory in it."""
        found = super().stat(node)
        if isinstance(node, UnionNode) and node.is_dir:
            if node.children is DEAD:
                return found._replace(st_nlink=2)
            return found._replace(st_nlink=2 + sum(self._listing(node).values()))
        return found

    def getxattr(self, node: AnyNode, name: str) -> bytes | None:
        """An extended attribute, or None."""
        if name.startswith(spelling.HIDDEN):
            fail(errno.ENODATA)
        check_namespace(name)
        real = node.real if isinstance(node, UnionNode) else node
        value: bytes | None = real.xattrs.get(name)
        return value

    def visible_xattrs(self, node: AnyNode) -> Mapping[str, bytes]:
        """What is shown of a layer's attributes: all but the marks of unions."""
        real = node.real if isinstance(node, UnionNode) else node
        return {name: value for name, value in real.xattrs.items() if not name.startswith(spelling.HIDDEN)}


def _overlay(names: dict[str, bool], directory: Any) -> None:
    for name in spelling.deleted(directory):
        names.pop(name, None)
    names.update((name, child.is_dir) for name, child in spelling.shown(directory))
