"""The union of fuse-overlayfs 1.10: simpler than the kernel's, and with other marks in the upper.

No index, no redirects, no metacopies: a lower directory cannot be renamed (EXDEV), and a copied-up file
remembers only the path that it came from. Everything was found by observation (docs/profiles.md).
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Final

from unionfs_sim.events import CopiedUp, LookedUp, OpaqueMade, WhiteoutMade
from unionfs_sim.filesystem import Stat
from unionfs_sim.layers.markers import OPAQUE_MARKER, WHITEOUT_PREFIX
from unionfs_sim.nodes.caller import ROOT, Caller
from unionfs_sim.nodes.content import EMPTY, Content
from unionfs_sim.nodes.inode import DEAD, NO_XATTRS, Inode
from unionfs_sim.nodes.journal import assign, put
from unionfs_sim.nodes.kinds import (
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    DIRECTORY,
    EVERYTHING,
    FIFO,
    GROUP_EXECUTE,
    PERMISSIONS,
    REGULAR,
    SET_IDS,
    SETGID,
    SETUID,
    SOCKET,
    SYMLINK,
    TYPE,
)
from unionfs_sim.overlay import getattr as attributes
from unionfs_sim.overlay import operations, readdir, whiteout
from unionfs_sim.overlay.copying import copied_up
from unionfs_sim.overlay.state import CONST_INO, AnyNode, Part, State, UnionNode
from unionfs_sim.profiles import spelling
from unionfs_sim.vfs.flags import RENAME_EXCHANGE, RENAME_WHITEOUT
from unionfs_sim.vfs.permission import fail, new_mode
from unionfs_sim.vfs.tree import Change, Dentry
from unionfs_sim.vfs.xattr import check_namespace

_UNCOPYABLE: Final = (SOCKET, CHARACTER_DEVICE, BLOCK_DEVICE)
"""Sockets and devices: to copy them, they would have to be opened."""


class FuseOverlayTree(State):
    """The inode operations as fuse-overlayfs does them."""

    makes_devices = True
    """Whether the upper takes devices 0:0; else a deletion is a file ``.wh.NAME``."""
    _leaves: tuple[UnionNode, str] | None = None
    """Where the rename that is going on shall leave a whiteout."""

    hold_listing = readdir.hold_listing
    is_unlinked = attributes.is_unlinked
    content = operations.content
    real = operations.real
    target = operations.target
    accessed = operations.accessed

    # -- looking

    def _make_root(self) -> UnionNode:
        self._linked: dict[AnyNode, tuple[UnionNode, list[tuple[UnionNode, str]]]] = {}
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
        known = directory.children.get(name)
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
                elif child.mode & TYPE not in (REGULAR, SYMLINK):
                    continue  # between directories, neither a fifo nor a device cuts the merge
                break
            parts.append(Part(layer, child))
            if spelling.is_opaque(child):
                break
        return parts

    def _node(self, directory: UnionNode, name: str, parts: list[Part]) -> AnyNode:
        layer, inode = parts[0]
        upper = inode if layer == 0 and isinstance(inode, Inode) else None
        if upper is not None and not upper.is_dir:
            return upper
        if not inode.is_dir and inode.nlink > 1:
            return self._linked_node(inode, directory, name, tuple(parts))
        node = UnionNode(upper, tuple(parts[upper is not None :]), directory, name)
        node.flags = CONST_INO if node.lowers else 0
        directory.children[name] = node
        return node

    def _linked_node(
        self, inode: AnyNode, directory: UnionNode, name: str, parts: tuple[Part, ...]
    ) -> UnionNode:
        """The node of a lower file with several names: it is copied up at the one found last."""
        known = self._linked.get(inode)
        if known is None:
            known = self._linked[inode] = UnionNode(None, parts, directory, name), []
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
            found = (each.inode.children.get(name) for each in directory.lowers)
            child = next((each for each in found if each is not None), None)
            if child is not None and child.nlink > 1:
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
        found = attributes.stat(self, node)
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
        return real.xattrs.get(name)

    def visible_xattrs(self, node: AnyNode) -> Mapping[str, bytes]:
        """What is shown of a layer's attributes: all but the marks of unions."""
        real = node.real if isinstance(node, UnionNode) else node
        return {name: value for name, value in real.xattrs.items() if not name.startswith(spelling.HIDDEN)}

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
        kind = lower.mode & TYPE
        self._require_copyable(node)
        if kind == SYMLINK:
            # Made anew by the server: owner, times and attributes are lost.
            return tree.new(lower.mode | EVERYTHING, 0, new_mode(target, ROOT, kind)[1], lower.body)
        body: Content | str | int | None = lower.body
        mode = kept_mode(lower.mode) if lower.uid or lower.gid or lower.is_dir else lower.mode
        if kind == FIFO:
            mode, body = REGULAR | mode & PERMISSIONS, EMPTY  # what could be read from it: nothing
        elif kind == REGULAR:
            body = copied_up(lower.content, 0 if truncating else lower.size)
        upper = Inode(tree.volume.next_ino(), mode, lower.uid, lower.gid, body=body)
        upper.atime_ns, upper.mtime_ns = lower.atime_ns, lower.mtime_ns
        upper.ctime_ns = self.clock()
        upper.xattrs = self._copied_xattrs(node, lower)
        return upper

    def _copied_xattrs(self, node: UnionNode, lower: AnyNode) -> Mapping[str, bytes]:
        kept = {name: value for name, value in lower.xattrs.items() if not name.startswith(spelling.HIDDEN)}
        if not lower.is_dir:
            path = self.path_of(node.parent, node.name)[1:]
            kept[spelling.ORIGIN] = path.encode("utf-8", "surrogateescape") + b"\0"
        return kept or NO_XATTRS

    def _upper_dir(self, directory: UnionNode) -> Inode:
        return self._copy_up(directory)

    def _require_copyable(self, node: AnyNode) -> None:
        """What goes is set aside in the upper first, which fails for a socket or device below."""
        if isinstance(node, UnionNode) and node.upper is None and node.mode & TYPE in _UNCOPYABLE:
            fail(errno.ENXIO)

    def change(self, node: AnyNode, change: Change) -> None:
        """Set attributes, in the upper."""
        assert self.upper is not None
        if change.dropped and not node.mode & GROUP_EXECUTE:
            change = change._replace(dropped=change.dropped & ~SETGID)  # without x it is no privilege
        was_fifo = isinstance(node, UnionNode) and node.mode & TYPE == FIFO
        if was_fifo and change.mode is not None and isinstance(node, UnionNode) and node.lowers:
            change = change._replace(mode=REGULAR | change.mode & PERMISSIONS)
        upper = self._copy_up(node)
        self.upper.change(upper, change)
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
        if body == 0 and mode & TYPE == CHARACTER_DEVICE:
            if self._leaves == (directory, name):  # RENAME_WHITEOUT, which is allowed here
                self._leaves = None
                return self._make_whiteout(directory, name)
            fail(errno.ENOENT if self.makes_devices else errno.EPERM)
        upper_dir = self._copy_up(directory)
        tree = self.upper
        assert tree is not None
        gid = caller.gid
        kind = mode & TYPE
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
            tree.attach(upper, spelling.OPAQUE_DEVICE, tree.new(CHARACTER_DEVICE | 0o700, 0, 0, 0))
        assign(self.journal, upper, "mtime_ns", kept)
        if self.events.listeners:
            self.events.tell(OpaqueMade(path))

    def _make_whiteout(self, directory: UnionNode, name: str) -> Inode:
        tree, upper = self.upper, directory.upper
        assert tree is not None
        assert upper is not None
        if self.makes_devices:
            _, gid = new_mode(upper, ROOT, CHARACTER_DEVICE)
            made = tree.new(CHARACTER_DEVICE, 0, gid, 0)
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
        if not isinstance(node, UnionNode) or not node.lowers or node.lowers[0].inode not in self._linked:
            return node
        names = self._linked[node.lowers[0].inode][1]
        if (directory, name) not in names:
            return node
        names.remove((directory, name))
        return UnionNode(None, node.lowers, directory, name)

    def link(self, node: AnyNode, directory: UnionNode, name: str) -> None:
        """Give ``node`` another name, in the upper."""
        self._check_new(name)
        was_fifo = isinstance(node, UnionNode) and node.mode & TYPE == FIFO
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
        if not isinstance(node, UnionNode) or not node.lowers or node.lowers[0].inode not in self._linked:
            return
        names = self._linked[node.lowers[0].inode][1]
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
        source: Dentry[UnionNode, AnyNode],
        destination: Dentry[UnionNode, AnyNode],
        flags: int,
    ) -> None:
        """Move a name onto another; EXDEV for a directory with a part in a lower layer."""
        (old_dir, old_name, node), (new_dir, new_name, other) = source, destination
        assert node is not None
        self._check_rename(node, new_name, other, exchanging=bool(flags & RENAME_EXCHANGE))
        node = self._apart(old_dir, old_name, node)
        old_upper, new_upper = self._copy_up(old_dir), self._copy_up(new_dir)
        upper = self._copy_up(node)
        tree = self.upper
        assert tree is not None
        if flags & RENAME_EXCHANGE and other is not None:
            there = self._copy_up(other)
            tree.rename(
                Dentry(old_upper, old_name, upper), Dentry(new_upper, new_name, there), RENAME_EXCHANGE
            )
            self._place(other, old_dir, old_name)
        else:
            known = new_upper.children.get(new_name)
            self._put_in_place((old_upper, old_name, upper), (new_upper, new_name, other))
            if flags & RENAME_WHITEOUT:
                self._leaves = old_dir, old_name
            elif self._lower_has(old_dir, old_name) or (known is not None and known.is_whiteout):
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


def _overlay(names: dict[str, bool], directory: AnyNode) -> None:
    for name in spelling.deleted(directory):
        names.pop(name, None)
    names.update((name, child.is_dir) for name, child in spelling.shown(directory))


def kept_mode(mode: int) -> int:
    """What is left of a mode: the owner is set last, which takes setuid and setgid away (chown(2))."""
    if mode & TYPE == DIRECTORY:
        return mode & ~SETGID
    return mode & ~(SET_IDS if mode & GROUP_EXECUTE else SETUID)
