"""The union: one tree shown from an upper layer and any number of lowers (overlayfs, in memory)."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, Final

from unionfs_sim.layers.layertree import DAY_NS
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.inode import DEAD, Inode
from unionfs_sim.nodes.journal import ABSENT, assign, put
from unionfs_sim.overlay import index, lookup, readdir, rename, whiteout
from unionfs_sim.overlay.copyup import copy_up
from unionfs_sim.overlay.node import (
    ALIASED,
    CONST_INO,
    IMPURE,
    INDEXED,
    METACOPY,
    OPAQUE,
    SPLIT,
    WHITEOUTS,
    AnyNode,
    UnionNode,
)
from unionfs_sim.overlay.nodes import by_name
from unionfs_sim.overlay.xattrs import UnionXattrs
from unionfs_sim.vfs.permission import fail, new_mode

DIRECTORY: Final = 0o040000


class UnionTree(UnionXattrs):
    """The inode operations of a union."""

    def lookup(self, directory: UnionNode, name: str) -> AnyNode | None:
        """The inode that ``name`` is, or None."""
        known = directory.children.get(name)
        if known is not None:
            return known  # type: ignore[no-any-return]
        if name in directory.children or directory.children is DEAD:
            return None
        return lookup.lookup(self, directory, name)

    def entries(self, directory: UnionNode) -> list[str]:
        """The names in a directory; none in one that was removed, whatever lies below its place."""
        if directory.children is DEAD:
            return []
        if not directory.flags & (WHITEOUTS | IMPURE):  # one part: as quick to read as to remember
            if directory.upper is not None:
                return list(directory.upper.children)
            part = directory.lowers[0]
            return self.stack[part.layer].entries(part.inode)
        return list(readdir.listing(self, directory))

    def hold_listing(self, directory: UnionNode) -> object:
        """The names that a listing has left out because a lookup failed."""
        return readdir.left_out(directory)

    def typed_entries(self, directory: UnionNode) -> list[tuple[str, bool]]:
        """The names in a directory, and whether each is a directory."""
        return list(readdir.listing(self, directory).items())

    def content(self, node: AnyNode) -> Content:
        """The bytes of a regular file, now."""
        return node.content

    def real(self, node: AnyNode) -> Any:
        """The inode that has the bytes: the upper's, a lower's, or for a metacopy that of its data."""
        if not isinstance(node, UnionNode):
            return node
        return node.data if node.data is not None else node.real

    def target(self, node: AnyNode) -> str:
        """Where a symlink points."""
        body = node.body
        return body if isinstance(body, str) else ""

    def accessed(self, node: AnyNode) -> None:
        """The access time of a file in the upper moves; that of a lower file does not."""
        upper = node.upper if isinstance(node, UnionNode) else node
        if upper is None or self.upper is None:
            return
        if isinstance(node, UnionNode) and node.times is not None:
            atime, mtime, ctime = node.times
            if atime > mtime and atime > ctime and self.clock() - atime < DAY_NS:
                return
            self.upper.accessed(upper)
            node.times = upper.atime_ns, mtime, ctime
            return
        self.upper.accessed(upper)

    def _upper_dir(self, directory: UnionNode) -> Inode:
        upper = directory.upper
        return upper if upper is not None else copy_up(self, directory)

    def make(
        self, directory: UnionNode, name: str, mode: int, caller: Caller, body: Content | str | int | None
    ) -> AnyNode:
        """Make a file of any type; a whiteout that stands there goes, a directory in its place is opaque."""
        if body == 0 and mode & 0o170000 == 0o020000:
            fail(errno.EPERM)
        upper_dir = directory.upper
        if upper_dir is None:
            upper_dir = copy_up(self, directory)
        tree = self.upper
        assert tree is not None
        mode, gid = new_mode(directory, caller, mode)
        upper = tree.new(mode, caller.uid, gid, body)
        over_whiteout = name in upper_dir.children and whiteout.remove_whiteout(self, upper_dir, name)
        tree.attach(upper_dir, name, upper)
        if self.journal is not None or name in directory.children:
            whiteout.forget(self, directory, name)
        directory.listing = None
        node: AnyNode = upper
        if mode & 0o170000 == DIRECTORY:
            node = UnionNode(upper, (), directory, name)
            if over_whiteout or (directory.lowers and not self.options.allows_offline_changes):
                whiteout.make_opaque(self, upper, self.path_of(directory, name))
                node.flags = OPAQUE
            put(self.journal, directory.children, name, node)
        return node

    def make_unnamed(self, directory: UnionNode, mode: int, caller: Caller) -> Inode:
        """Make a regular file without a name (O_TMPFILE)."""
        self._upper_dir(directory)
        assert self.upper is not None
        mode, gid = new_mode(directory, caller, mode)
        upper = self.upper.new(mode, caller.uid, gid)
        upper.nlink = 0
        return upper

    def link(self, node: AnyNode, directory: UnionNode, name: str) -> None:
        """Give ``node`` another name."""
        if isinstance(node, UnionNode):
            copy_up(self, node)
        upper_dir = self._upper_dir(directory)
        tree = self.upper
        assert tree is not None
        upper = node
        if isinstance(node, UnionNode):
            if node.flags & METACOPY:
                rename.set_redirect(self, node, same_parent=False)
            if node.flags & INDEXED:
                index.store_nlink(self, node, against_upper=True)
            if node.lowers and node.flags & CONST_INO:
                index.set_impure(self, directory)
            upper = node.upper  # type: ignore[assignment]
        assert isinstance(upper, Inode)
        whiteout.remove_whiteout(self, upper_dir, name)
        tree.link(upper, upper_dir, name)
        whiteout.forget(self, directory, name)
        if isinstance(node, UnionNode):
            if node.flags & INDEXED:
                assign(self.journal, node, "nlink", node.nlink + 1)
            # The new name is looked up like any other: by its origin, or if it has none by the upper.
            key = node.lowers[0].inode if node.lowers and node.flags & CONST_INO else upper
            put(self.journal, self.shared, key, node)
            if key is not upper and upper not in self.shared and self._splits(node, upper):
                # The kernel makes another inode for the new name, with permissions of its own.
                twin = UnionNode(upper, (), directory, name)
                twin.flags = ALIASED | SPLIT
                assign(self.journal, node, "flags", node.flags | SPLIT)
                node.remember_times()
                put(self.journal, self.shared, upper, twin)
            if not node.flags & ALIASED:
                assign(self.journal, node, "flags", node.flags | ALIASED)
                put(self.journal, node.parent.children, node.name, ABSENT)
                by_name(node, node.parent, node.name)

    def _splits(self, node: UnionNode, upper: Inode) -> bool:
        """Whether a new name leads to another node, as nothing in the upper ties it to the lower file."""
        return not node.flags & METACOPY and index.origin_of(self, upper) is None

    def unlink(self, directory: UnionNode, name: str, node: AnyNode) -> None:
        """Take a name away that is not a directory."""
        rename.use_name(node, directory, name)
        whiteout.remove(self, directory, name, node)

    def rmdir(self, directory: UnionNode, name: str, node: AnyNode) -> None:
        """Take an empty directory away; ENOTEMPTY if it is not."""
        whiteout.remove(self, directory, name, node)

    def rename(
        self,
        source: tuple[UnionNode, str, AnyNode],
        destination: tuple[UnionNode, str, AnyNode | None],
        flags: int,
    ) -> None:
        """Move a name onto another."""
        rename.rename(self, source, destination, flags)

    def change(self, node: AnyNode, values: Mapping[str, int]) -> None:
        """Set attributes, in the upper."""
        assert self.upper is not None
        if not isinstance(node, UnionNode):
            self.upper.change(node, values)
            return
        upper = copy_up(self, node, with_data="size" in values)
        self.upper.change(upper, values)
        self.refresh(node)

    def refresh(self, node: AnyNode) -> None:
        """Let the node's copy of the permissions follow the upper's (ovl_copyattr)."""
        if not isinstance(node, UnionNode) or node.upper is None:
            return
        upper = node.upper
        node.remember_times()
        if (node.mode, node.uid, node.gid) == (upper.mode, upper.uid, upper.gid):
            return
        assign(self.journal, node, "mode", upper.mode)
        assign(self.journal, node, "uid", upper.uid)
        assign(self.journal, node, "gid", upper.gid)
        if node.is_dir:
            self.forget_paths()

    def before_open(self, node: AnyNode, *, writing: bool, truncating: bool) -> None:
        """Opening for writing copies up, whether something is written or not."""
        if not isinstance(node, UnionNode):
            return
        self.find_data(node)
        if writing:
            copy_up(self, node, truncating=truncating, with_data=True)

    def write(self, node: AnyNode, offset: int, piece: bytes) -> None:
        """Write bytes of a regular file."""
        upper = node.upper if isinstance(node, UnionNode) else node
        assert upper is not None
        assert self.upper is not None
        self.upper.write(upper, offset, piece)
        self.refresh(node)
