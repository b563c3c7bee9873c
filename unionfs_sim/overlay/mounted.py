"""What a union knows of its layers: which there are, on which file systems, with which numbers."""

from __future__ import annotations

import errno
import os
from typing import Any, Final

from unionfs_sim.events import Events
from unionfs_sim.layers.layertree import LayerTree
from unionfs_sim.nodes.caller import Clock
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.nodes.record import replace
from unionfs_sim.overlay import index
from unionfs_sim.overlay.node import IMPURE, WHITEOUTS, XWHITEOUTS, Part, UnionNode
from unionfs_sim.overlay.options import Options, Xino
from unionfs_sim.overlay.search import child_of
from unionfs_sim.overlay.workdir import WorkDir
from unionfs_sim.vfs.tree import Tree

PRIVATE_INO_SHIFT: Final = 40
MAX_ABSENT: Final = 50_000


class MountedLayers(Tree[Any]):
    """The layers of a union, and what holds for all of its files.

    ``stack``: the upper's tree at 0 (or the top lower's again, if there is no upper), then the lowers top
    first, then data-only layers.
    """

    root: UnionNode

    def __init__(
        self,
        lowers: list[Tree[Any]],
        upper: LayerTree | None,
        work: WorkDir,
        *,
        data_layers: list[Tree[Any]],
        options: Options,
        clock: Clock,
        dev: int,
    ) -> None:
        super().__init__(clock)
        if options.index and any(tree.is_union for tree in lowers):
            options = replace(options, index=False)  # a union below gives out no file handles
        self.options = options
        self.upper = upper
        self.work = work
        self.events = Events()
        self.read_only = upper is None
        self.is_union = True
        self.stack: list[Tree[Any]] = [upper if upper is not None else lowers[0], *lowers, *data_layers]
        self.last_layer = len(lowers)
        self.data_layers = range(len(lowers) + 1, len(self.stack))
        self.shared: dict[Any, Any] = {}
        self.has_redirects = False
        self._absent = 0
        self.has_nested = any(tree.is_union for tree in lowers)
        self.xwhiteout_layers: set[int] = set()
        self._handles: dict[tuple[int, int], Part] | None = None
        self._next_dir_ino = 1 << 32  # beyond the numbers of any layer
        prefix = options.xattr_prefix
        self.xattr_prefix = prefix
        self.xattr_opaque = prefix + "opaque"
        self.xattr_redirect = prefix + "redirect"
        self.xattr_origin = prefix + "origin"
        self.xattr_impure = prefix + "impure"
        self.xattr_nlink = prefix + "nlink"
        self.xattr_metacopy = prefix + "metacopy"
        self.xattr_whiteout = prefix + "whiteout"
        self.dev = dev
        self._number_volumes()
        self.root = self._make_root()

    # -- mounting

    def _number_volumes(self) -> None:
        """Which layers lie on one file system (fsid), and what their files' st_dev and st_ino become."""
        volumes: list[Any] = []
        self.fsids: list[int] = []
        private = [getattr(tree, "volume", None) for tree in self.stack]
        together = all(volume is not None and volume.is_private for volume in private)
        for layer, volume in enumerate(private):
            key = "private" if volume is not None and volume.is_private else volume or self.stack[layer]
            if key not in volumes:
                volumes.append(key)
            self.fsids.append(volumes.index(key))
        self.is_samefs = len(volumes) == 1
        # Private volumes count from 1 each; moved apart, they are numbers of one file system.
        self.ino_base = [
            (layer << PRIVATE_INO_SHIFT if volume is not None and volume.is_private else 0)
            for layer, volume in enumerate(private)
        ]
        if together and self.upper is None:
            self.ino_base[0] = self.ino_base[1]
        self.xino_shift = 0
        if not self.is_samefs and self.options.xino is not Xino.OFF:
            self.xino_shift = 64 - ((len(volumes) - 1).bit_length() - 1 + 2)

    def _make_root(self) -> UnionNode:
        parts = tuple(Part(layer, self.stack[layer].root) for layer in range(1, self.last_layer + 1))
        root = UnionNode(self.upper.root if self.upper is not None else None, parts, None, "")
        root.flags = WHITEOUTS
        if self.upper is not None:
            self._mark_upper_root(self.upper, parts[0])
            if self.xattr_impure in self.upper.root.xattrs:
                root.flags |= IMPURE
        for part in parts:
            if part.inode.xattrs.get(self.xattr_opaque) == b"x":
                root.flags |= XWHITEOUTS
                self.xwhiteout_layers.add(part.layer)
        return root

    def _mark_upper_root(self, upper: LayerTree, top: Part) -> None:
        """A fresh upper gets a uuid (here zeros); with an index it is tied to the top lower."""
        known = upper.root.xattrs
        if self.xattr_prefix + "uuid" not in known and self.xattr_impure not in known:
            upper.store_xattr(upper.root, self.xattr_prefix + "uuid", bytes(16))
        if self.options.index and self.xattr_origin not in known:
            whole: Any = self
            index.set_origin(whole, upper.root, top)

    def note_absent(self, directory: UnionNode, name: str) -> None:
        """Remember that no layer has a name; of too many such names all are forgotten."""
        self._absent += 1
        if self._absent > MAX_ABSENT:
            self._absent = 0
            todo: list[Any] = [self.root]
            while todo:
                node = todo.pop()
                for known in [known for known, child in node.children.items() if child is None]:
                    del node.children[known]
                todo.extend(child for child in node.children.values() if isinstance(child, UnionNode))
        directory.children[name] = None

    def drop_caches(self) -> None:
        """Forget what was looked up: a layer changed behind the union's back."""
        self.root.children.clear()
        self.root.listing = None
        self.shared.clear()
        self._handles = None
        self.clear_prefixes()

    # -- about layers

    def layer_root(self, layer: int) -> Any:
        """The root inode of a layer."""
        return self.stack[layer].root

    def volume_number(self, layer: int) -> int:
        """Which file system a layer lies on, as file handles name it."""
        return self.fsids[layer] if self.ino_base[layer] == 0 else layer

    def decode(self, volume: int, ino: int) -> Part | None:
        """The lower inode that a file handle names, if a layer of this mount has it."""
        if self._handles is None:
            self._handles = {}
            for layer in range(self.last_layer, 0, -1):
                tree = self.stack[layer]
                if isinstance(tree, LayerTree):
                    todo = [tree.root]
                    while todo:
                        inode = todo.pop()
                        self._handles[self.volume_number(layer), inode.ino] = Part(layer, inode)
                        todo.extend(inode.children.values())
        return self._handles.get((volume, ino))

    def find_data(self, node: UnionNode) -> None:
        """Look for bytes in the data-only layers, if that was not done yet."""
        if isinstance(node.data, str):
            node.data = self._find_data(node.data)

    def _find_data(self, path: str) -> Any:
        """The file at an absolute path of the data-only layers, top first; no symlink is followed."""
        code = errno.ENOENT
        whole: Any = self
        for layer in self.data_layers:
            inode = self.stack[layer].root
            code = errno.ENOENT
            for name in path[1:].split("/"):
                if not inode.is_dir:
                    code = errno.ELOOP if inode.mode & 0o170000 == 0o120000 else errno.ENOTDIR
                    inode = None
                    break
                inode = child_of(whole, layer, inode, name)
                if inode is None:
                    break
            if inode is not None and inode.mode & 0o170000 == 0o100000:
                return inode
        raise OSError(code, os.strerror(code))

    def path_of(self, directory: UnionNode, name: str) -> str:
        """The path of a name in a directory of the union."""
        path = "/" + name if name else ""
        while directory.parent is not directory:
            path = "/" + directory.name + path
            directory = directory.parent
        return path or "/"

    def can_hold_xattrs(self, inode: Inode) -> bool:
        """Whether a file of the upper can have the union's marks: user.* is for files and directories."""
        return not self.options.userxattr or inode.mode & 0o170000 in (0o100000, 0o040000)

    def copies_xattr(self, name: str) -> bool:
        """Whether copy-up takes an attribute along: all but the union's own."""
        prefix = self.xattr_prefix
        return not name.startswith(prefix) or name.startswith(prefix + "overlay.")
