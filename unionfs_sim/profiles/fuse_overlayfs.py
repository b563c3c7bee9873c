"""The union of fuse-overlayfs 1.10: simpler than the kernel's, and with other marks in the upper.

No index, no redirects, no metacopies: a lower directory cannot be renamed (EXDEV), and a copied-up file
remembers only the path that it came from. Everything was found by observation (docs/profiles.md).
"""

from __future__ import annotations

import errno
from typing import Final

from unionfs_sim.events import OpaqueMade, WhiteoutMade
from unionfs_sim.layers.markers import OPAQUE_MARKER, WHITEOUT_PREFIX
from unionfs_sim.nodes.caller import ROOT, Caller
from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.inode import DEAD, Inode
from unionfs_sim.nodes.journal import assign, put
from unionfs_sim.overlay import whiteout
from unionfs_sim.overlay.node import AnyNode, UnionNode
from unionfs_sim.profiles import spelling
from unionfs_sim.profiles.fuse_copyup import FIFO, CopiedByFuse, kept_mode
from unionfs_sim.vfs.permission import fail, new_mode

DIRECTORY: Final = 0o040000
REGULAR: Final = 0o100000
DEVICE: Final = 0o020000
EXCHANGE: Final = 2
WHITEOUT: Final = 4


class FuseOverlayTree(CopiedByFuse):
    """The inode operations as fuse-overlayfs does them."""

    makes_devices = True
    """Whether the upper takes devices 0:0; else a deletion is a file ``.wh.NAME``."""
    _leaves: tuple[UnionNode, str] | None = None
    """Where the rename that is going on shall leave a whiteout."""

    # -- making

    def _check_new(self, name: str) -> None:
        """Refuse a name that means something, or that could not be deleted."""
        if spelling.is_marker(name):
            fail(errno.EINVAL)
        if len(name.encode("utf-8", "surrogateescape")) > spelling.NAME_MAX:
            fail(errno.ENAMETOOLONG)

    def make(
        self, directory: UnionNode, name: str, mode: int, caller: Caller, body: Content | str | int | None
    ) -> AnyNode:
        """Make a file of any type; a directory is opaque wherever it is made."""
        self._check_new(name)
        if body == 0 and mode & 0o170000 == DEVICE:
            if self._leaves == (directory, name):  # RENAME_WHITEOUT, which is allowed here
                self._leaves = None
                return self._make_whiteout(directory, name)
            fail(errno.ENOENT if self.makes_devices else errno.EPERM)
        upper_dir = self._copy_up(directory)
        tree = self.upper
        assert tree is not None
        gid = caller.gid
        kind = mode & 0o170000
        if not caller.uid and kind != DIRECTORY:
            gid = new_mode(upper_dir, caller, mode)[1]  # left as it was made
        if caller.uid or kind != REGULAR:
            mode = kept_mode(mode)
        upper = tree.new(mode, caller.uid, gid, body)
        self._clear(upper_dir, name)
        tree.attach(upper_dir, name, upper)
        whiteout.forget(self, directory, name)
        if not upper.is_dir:
            return upper
        node = UnionNode(upper, (), directory, name)
        put(self.journal, directory.children, name, node)
        self._make_opaque(upper, self.path_of(directory, name), is_over_lower=bool(directory.lowers))
        return node

    def make_unnamed(self, directory: UnionNode, mode: int, caller: Caller) -> Inode:
        """O_TMPFILE is not supported."""
        del directory, mode, caller
        fail(errno.EOPNOTSUPP)

    def _make_opaque(self, upper: Inode, path: str, *, is_over_lower: bool) -> None:
        """All spellings of "opaque" at once."""
        tree = self.upper
        assert tree is not None
        mark = spelling.ROOTLESS_OPAQUE if self.options.userxattr else spelling.PRIVILEGED_OPAQUE
        kept = upper.mtime_ns
        tree.store_xattr(upper, mark, b"y")
        tree.attach(upper, OPAQUE_MARKER, tree.new(REGULAR | 0o700, 0, 0))
        if is_over_lower and self.makes_devices:
            tree.attach(upper, spelling.OPAQUE_DEVICE, tree.new(DEVICE | 0o700, 0, 0, 0))
        assign(self.journal, upper, "mtime_ns", kept)
        if self.events.listeners:
            self.events.tell(OpaqueMade(path))

    def _make_whiteout(self, directory: UnionNode, name: str) -> Inode:
        tree, upper = self.upper, directory.upper
        assert tree is not None
        assert upper is not None
        if self.makes_devices:
            _, gid = new_mode(upper, ROOT, DEVICE)
            made = tree.new(DEVICE, 0, gid, 0)
            tree.attach(upper, name, made)
        else:
            made = tree.new(REGULAR | 0o700, 0, 0)
            tree.attach(upper, WHITEOUT_PREFIX + name, made)
        if self.events.listeners:
            self.events.tell(WhiteoutMade(self.path_of(directory, name)))
        return made

    def _clear(self, directory: Inode, name: str) -> None:
        """Take away whatever deletes ``name`` in an upper directory."""
        tree = self.upper
        assert tree is not None
        for each in (name, WHITEOUT_PREFIX + name):
            there = directory.children.get(each)
            if there is not None and (each != name or there.is_whiteout):
                tree.detach(directory, each, there)
                tree.drop(there)

    def _apart(self, directory: UnionNode, name: str, node: AnyNode) -> AnyNode:
        """A node for one name alone of a lower file with several: such a name is moved by itself."""
        if not isinstance(node, UnionNode) or not node.lowers or node.lowers[0].inode not in self.shared:
            return node
        names = self.shared[node.lowers[0].inode][1]
        if (directory, name) not in names:
            return node
        names.remove((directory, name))
        return UnionNode(None, node.lowers, directory, name)

    def link(self, node: AnyNode, directory: UnionNode, name: str) -> None:
        """Give ``node`` another name, in the upper."""
        self._check_new(name)
        was_fifo = isinstance(node, UnionNode) and node.mode & 0o170000 == FIFO
        upper = self._copy_up(node)
        upper_dir = self._copy_up(directory)
        tree = self.upper
        assert tree is not None
        self._clear(upper_dir, name)
        tree.link(upper, upper_dir, name)
        whiteout.forget(self, directory, name)
        if was_fifo:
            fail(errno.EIO)

    # -- taking away and moving

    def _lower_has(self, directory: UnionNode, name: str) -> bool:
        """Whether a lower layer has the name, be it as a whiteout."""
        return any(
            name in part.inode.children or spelling.hides(part.inode.children, name)
            for part in directory.lowers
        )

    def _lose_name(self, directory: UnionNode, name: str, node: AnyNode) -> None:
        """One name less of a lower file with several: it is copied up at one that is left."""
        if not isinstance(node, UnionNode) or not node.lowers or node.lowers[0].inode not in self.shared:
            return
        names = self.shared[node.lowers[0].inode][1]
        if (directory, name) in names:
            names.remove((directory, name))
        if not names:
            return
        if (node.parent, node.name) == (directory, name):
            assign(self.journal, node, "parent", names[-1][0])
            assign(self.journal, node, "name", names[-1][1])
            assign(self.journal, node, "upper", None)
        self._copy_up(node)

    def unlink(self, directory: UnionNode, name: str, node: AnyNode) -> None:
        """Take a name away that is not a directory."""
        tree, upper_dir = self.upper, self._copy_up(directory)
        self._require_copyable(node)
        assert tree is not None
        upper = upper_dir.children.get(name)
        if upper is not None:
            tree.unlink(upper_dir, name, upper)
        if self._lower_has(directory, name):
            self._make_whiteout(directory, name)
        self._lose_name(directory, name, node)
        whiteout.forget(self, directory, name)
        self.forget_paths()

    def rmdir(self, directory: UnionNode, name: str, node: AnyNode) -> None:
        """Take an empty directory away; in a merged directory a whiteout is left in any case."""
        assert isinstance(node, UnionNode)
        if self._listing(node):
            fail(errno.ENOTEMPTY)
        tree, upper_dir = self.upper, self._copy_up(directory)
        assert tree is not None
        if node.upper is not None:
            whiteout.clear_upper(self, node.upper)
            tree.rmdir(upper_dir, name, node.upper)
        if self._lower_has(directory, name) or (self.makes_devices and directory.lowers):
            self._make_whiteout(directory, name)
        whiteout.forget(self, directory, name)
        assign(self.journal, node, "children", DEAD)
        self.forget_paths()

    def rename(
        self,
        source: tuple[UnionNode, str, AnyNode],
        destination: tuple[UnionNode, str, AnyNode | None],
        flags: int,
    ) -> None:
        """Move a name onto another; EXDEV for a directory with a part in a lower layer."""
        (old_dir, old_name, node), (new_dir, new_name, other) = source, destination
        self._check_rename(node, new_name, other, exchanging=bool(flags & EXCHANGE))
        node = self._apart(old_dir, old_name, node)
        old_upper, new_upper = self._copy_up(old_dir), self._copy_up(new_dir)
        upper = self._copy_up(node)
        tree = self.upper
        assert tree is not None
        if flags & EXCHANGE and other is not None:
            tree.rename((old_upper, old_name, upper), (new_upper, new_name, self._copy_up(other)), EXCHANGE)
            self._place(other, old_dir, old_name)
        else:
            there = new_upper.children.get(new_name)
            self._put_in_place((old_upper, old_name, upper), (new_upper, new_name, other))
            if flags & WHITEOUT:
                self._leaves = old_dir, old_name
            elif self._lower_has(old_dir, old_name) or (there is not None and there.is_whiteout):
                # Onto a whiteout the two names are exchanged: it is left where the file was.
                self._make_whiteout(old_dir, old_name)
            if other is not None and not other.is_dir:
                self._lose_name(new_dir, new_name, other)
            whiteout.forget(self, old_dir, old_name)
        self._place(node, new_dir, new_name)
        self.forget_paths()

    def _check_rename(self, node: AnyNode, name: str, other: AnyNode | None, *, exchanging: bool) -> None:
        self._check_new(name)
        if isinstance(node, UnionNode) and node.is_dir and (node.lowers or node.upper is None):
            fail(errno.EXDEV)
        if not isinstance(other, UnionNode):
            return
        if exchanging and node.is_dir and other.lowers:
            fail(errno.EXDEV)
        if not exchanging and other.is_dir and self._listing(other):
            fail(errno.ENOTEMPTY)
        if not other.is_dir:
            self._require_copyable(other)

    def _put_in_place(
        self, source: tuple[Inode, str, Inode], destination: tuple[Inode, str, AnyNode | None]
    ) -> None:
        """Move a name in the upper over whatever is there."""
        (old_upper, old_name, upper), (new_upper, new_name, other) = source, destination
        tree = self.upper
        assert tree is not None
        if isinstance(other, UnionNode) and other.is_dir:
            self._take_over_whiteouts(other, upper)
            assign(self.journal, other, "children", DEAD)
        there = new_upper.children.get(new_name)
        self._clear(new_upper, new_name)
        if there is not None and not there.is_whiteout:
            tree.detach(new_upper, new_name, there)
            tree.drop(there)
        tree.detach(old_upper, old_name, upper)
        tree.attach(new_upper, new_name, upper)
        assign(self.journal, upper, "ctime_ns", self.clock())

    def _take_over_whiteouts(self, target: UnionNode, upper: Inode) -> None:
        """A directory that replaces another one gets its deletions."""
        tree = self.upper
        assert tree is not None
        if target.upper is None:
            return
        for name, child in list(target.upper.children.items()):
            tree.detach(target.upper, name, child)
            if name in upper.children:
                tree.drop(child)
            else:
                tree.attach(upper, name, child)

    def _place(self, node: AnyNode, directory: UnionNode, name: str) -> None:
        whiteout.forget(self, directory, name)
        if isinstance(node, UnionNode):
            assign(self.journal, node, "parent", directory)
            assign(self.journal, node, "name", name)
            put(self.journal, directory.children, name, node)


class NoDeviceTree(FuseOverlayTree):
    """On an upper that takes no devices: deletions are files ``.wh.NAME``."""

    makes_devices = False
