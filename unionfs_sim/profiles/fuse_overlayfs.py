"""The union of fuse-overlayfs 1.10: simpler than the kernel's, and with other marks in the upper.

No index, no redirects, no metacopies: a lower directory cannot be renamed (EXDEV), and a copied-up file
remembers the path that it came from only. Everything here was observed (docs/profiles.md); no code of
fuse-overlayfs was used.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, Final

from unionfs_sim.caller import Caller
from unionfs_sim.content import Content
from unionfs_sim.events import CopiedUp, LookedUp, OpaqueMade, WhiteoutMade
from unionfs_sim.filesystem import Stat
from unionfs_sim.inode import DEAD, NO_XATTRS, Inode
from unionfs_sim.journal import assign, put
from unionfs_sim.markers import OPAQUE_MARKER, WHITEOUT_PREFIX
from unionfs_sim.overlay import whiteout
from unionfs_sim.overlay.copying import copied_up
from unionfs_sim.overlay.node import CONST_INO, AnyNode, Part, UnionNode
from unionfs_sim.overlay.nodes import by_name
from unionfs_sim.overlay.union import UnionTree
from unionfs_sim.permission import fail, new_mode
from unionfs_sim.profiles import spelling
from unionfs_sim.xattr import check_namespace

DIRECTORY: Final = 0o040000
REGULAR: Final = 0o100000
DEVICE: Final = 0o020000
EXCHANGE: Final = 2
WHITEOUT: Final = 4


class FuseOverlayTree(UnionTree):
    """The inode operations as fuse-overlayfs does them."""

    makes_devices = True
    """Whether the upper takes devices 0:0; else a deletion is a file ``.wh.NAME``."""
    _leaves: tuple[UnionNode, str] | None = None
    """Where the rename that is going on shall leave a whiteout."""

    # -- mounting

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

    # -- looking

    def lookup(self, directory: UnionNode, name: str) -> AnyNode | None:
        """The inode that ``name`` is, or None."""
        known: AnyNode | None = directory.children.get(name)
        if known is not None:
            return known
        if name in directory.children or directory.children is DEAD or spelling.is_marker(name):
            return None
        if directory.aliases is not None and name in directory.aliases:
            return directory.aliases[name].use()
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
            node = self.shared.get(inode)
            if node is None:
                node = self.shared[inode] = UnionNode(None, tuple(parts), directory, name)
            return by_name(node, directory, name)
        node = UnionNode(upper, tuple(parts[upper is not None :]), directory, name)
        node.flags = CONST_INO
        directory.children[name] = node
        return node

    def typed_entries(self, directory: UnionNode) -> list[tuple[str, bool]]:
        """The names in a directory, and whether each is a directory."""
        return list(self._listing(directory).items())

    def entries(self, directory: UnionNode) -> list[str]:
        """The names in a directory."""
        return list(self._listing(directory))

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
        if isinstance(node, UnionNode) and node.is_dir and node.children is not DEAD:
            return found._replace(st_nlink=2 + sum(self._listing(node).values()))
        return found

    # -- copying up

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
        lower = node.lowers[0].inode
        body: Any = lower.body
        if lower.mode & 0o170000 == REGULAR:
            body = copied_up(lower.content, 0 if truncating else lower.size)
        upper = Inode(tree.volume.next_ino(), lower.mode, lower.uid, lower.gid, body=body)
        upper.atime_ns, upper.mtime_ns = lower.atime_ns, lower.mtime_ns
        upper.ctime_ns = self.clock()
        upper.xattrs = self._copied_xattrs(node, lower)
        tree.attach(target, node.name, upper)
        assign(self.journal, node, "upper", upper)
        if node.alias is not None:
            assign(self.journal, node.alias, "in_upper", value=True)
        if self.events.listeners:
            size = upper.size if body is not None and not upper.is_dir else 0
            self.events.tell(CopiedUp(self.path_of(node.parent, node.name), node.mode, size))
        return upper

    def _copied_xattrs(self, node: UnionNode, lower: Any) -> Mapping[str, bytes]:
        kept = {name: value for name, value in lower.xattrs.items() if not name.startswith(spelling.HIDDEN)}
        if lower.mode & 0o170000 == REGULAR:
            path = self.path_of(node.parent, node.name)[1:]
            kept[spelling.ORIGIN] = path.encode("utf-8", "surrogateescape")
        return kept or NO_XATTRS

    def _upper_dir(self, directory: UnionNode) -> Inode:
        return self._copy_up(directory)

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
        mode, gid = new_mode(directory, caller, mode)
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
            made = tree.new(DEVICE, 0, 0, 0)
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

    def link(self, node: AnyNode, directory: UnionNode, name: str) -> None:
        """Give ``node`` another name, in the upper."""
        self._check_new(name)
        upper = self._copy_up(node)
        upper_dir = self._copy_up(directory)
        tree = self.upper
        assert tree is not None
        self._clear(upper_dir, name)
        tree.link(upper, upper_dir, name)
        whiteout.forget(self, directory, name)

    # -- taking away and moving

    def _lower_has(self, directory: UnionNode, name: str) -> bool:
        for part in directory.lowers:
            if spelling.hides(part.inode.children, name):
                return False
            if name in part.inode.children:
                return True
        return False

    def unlink(self, directory: UnionNode, name: str, node: AnyNode) -> None:
        """Take a name away that is not a directory."""
        tree, upper_dir = self.upper, self._copy_up(directory)
        assert tree is not None
        upper = upper_dir.children.get(name)
        if upper is not None:
            tree.unlink(upper_dir, name, upper)
        if self._lower_has(directory, name):
            self._make_whiteout(directory, name)
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
        self._check_new(new_name)
        if isinstance(node, UnionNode) and node.is_dir and (node.lowers or node.upper is None):
            fail(errno.EXDEV)
        if (
            isinstance(other, UnionNode)
            and other.is_dir
            and not flags & EXCHANGE
            and self._listing(other)
        ):
            fail(errno.ENOTEMPTY)
        upper = self._copy_up(node)
        old_upper, new_upper = self._copy_up(old_dir), self._copy_up(new_dir)
        tree = self.upper
        assert tree is not None
        if flags & EXCHANGE and other is not None:
            tree.rename((old_upper, old_name, upper), (new_upper, new_name, self._copy_up(other)), EXCHANGE)
            self._place(other, old_dir, old_name)
            self._place(node, new_dir, new_name)
            self.forget_paths()
            return
        if isinstance(other, UnionNode) and other.is_dir:
            self._take_over_whiteouts(other, upper)
        there = new_upper.children.get(new_name)
        self._clear(new_upper, new_name)
        if there is not None and not there.is_whiteout:
            tree.detach(new_upper, new_name, there)
            tree.drop(there)
        tree.detach(old_upper, old_name, upper)
        tree.attach(new_upper, new_name, upper)
        assign(self.journal, upper, "ctime_ns", self.clock())
        if flags & WHITEOUT:
            self._leaves = old_dir, old_name
        elif self._lower_has(old_dir, old_name):
            self._make_whiteout(old_dir, old_name)
        if isinstance(other, UnionNode) and other.is_dir:
            assign(self.journal, other, "children", DEAD)
        whiteout.forget(self, old_dir, old_name)
        self._place(node, new_dir, new_name)
        self.forget_paths()

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

    # -- changing

    def change(self, node: AnyNode, values: Mapping[str, int]) -> None:
        """Set attributes, in the upper."""
        assert self.upper is not None
        upper = self._copy_up(node)
        self.upper.change(upper, values)
        if isinstance(node, UnionNode):
            self._follow(node, upper)

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

    # -- extended attributes

    def getxattr(self, node: AnyNode, name: str) -> bytes | None:
        """An extended attribute, or None."""
        if name.startswith(spelling.HIDDEN):
            fail(errno.ENODATA)
        check_namespace(name)
        real = node.real if isinstance(node, UnionNode) else node
        value: bytes | None = real.xattrs.get(name)
        return value

    def setxattr(self, node: AnyNode, name: str, value: bytes | None, flags: int) -> None:
        """Set or remove an extended attribute; the file is copied up even if there is nothing to remove."""
        assert self.upper is not None
        if name.startswith(spelling.REFUSED):
            fail(errno.EPERM)
        self.upper.setxattr(self._copy_up(node), name, value, flags)

    def visible_xattrs(self, node: AnyNode) -> Mapping[str, bytes]:
        """What is shown of a layer's attributes: all but the marks of unions."""
        real = node.real if isinstance(node, UnionNode) else node
        return {name: value for name, value in real.xattrs.items() if not name.startswith(spelling.HIDDEN)}


def _overlay(names: dict[str, bool], directory: Any) -> None:
    for name in spelling.deleted(directory):
        names.pop(name, None)
    names.update((name, child.is_dir) for name, child in spelling.shown(directory))


class NoDeviceTree(FuseOverlayTree):
    """On an upper that takes no devices: deletions are files ``.wh.NAME``."""

    makes_devices = False
