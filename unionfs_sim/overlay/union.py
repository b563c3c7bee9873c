"""The union: one tree shown from an upper layer and any number of lowers (overlayfs, in memory)."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from unionfs_sim.caller import Caller, Clock
from unionfs_sim.content import Content
from unionfs_sim.events import Events
from unionfs_sim.filesystem import Stat
from unionfs_sim.inode import DEAD, Inode
from unionfs_sim.journal import ABSENT, assign, put
from unionfs_sim.layertree import DAY_NS, LayerTree
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
    UNLINKED,
    WHITEOUTS,
    XWHITEOUTS,
    AnyNode,
    Part,
    UnionNode,
)
from unionfs_sim.overlay.options import Options, Xino
from unionfs_sim.overlay.workdir import WorkDir
from unionfs_sim.permission import fail, new_mode
from unionfs_sim.tree import Tree
from unionfs_sim.xattr import MAX_NAME, check_namespace

DIRECTORY: Final = 0o040000
PRIVATE_INO_SHIFT: Final = 40


class UnionTree(Tree[Any]):
    """The inode operations of a union.

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
        parts = tuple(
            Part(layer, self.stack[layer].root) for layer in range(1, self.last_layer + 1)
        )
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
            index.set_origin(self, upper.root, top)

    def drop_caches(self) -> None:
        """Forget what was looked up: a layer changed behind the union's back."""
        self.root.children.clear()
        self.root.listing = None
        self.shared.clear()
        self._handles = None
        self.forget_paths()

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
        for layer in self.data_layers:
            inode = self.stack[layer].root
            code = errno.ENOENT
            for name in path[1:].split("/"):
                if not inode.is_dir:
                    code = errno.ELOOP if inode.mode & 0o170000 == 0o120000 else errno.ENOTDIR
                    inode = None
                    break
                inode = lookup.child_of(self, layer, inode, name)
                if inode is None:
                    break
            if inode is not None and inode.mode & 0o170000 == 0o100000:
                return inode
        fail(code)

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

    # -- looking

    def lookup(self, directory: UnionNode, name: str) -> AnyNode | None:
        """The inode that ``name`` is, or None."""
        known = directory.children.get(name)
        if known is not None:
            return known  # type: ignore[no-any-return]
        if name in directory.children or directory.children is DEAD:
            return None
        return lookup.lookup(self, directory, name)

    def entries(self, directory: UnionNode) -> list[str]:
        """The names in a directory."""
        if directory.upper is not None and not directory.flags & (WHITEOUTS | IMPURE):
            return list(directory.upper.children)
        return list(readdir.listing(self, directory))

    def hold_listing(self, directory: UnionNode) -> object:
        """The names that a listing has left out because a lookup failed."""
        return readdir.left_out(directory)

    def typed_entries(self, directory: UnionNode) -> list[tuple[str, bool]]:
        """The names in a directory, and whether each is a directory."""
        return list(readdir.listing(self, directory).items())

    def stat(self, node: AnyNode) -> Stat:
        """What stat(2) tells (ovl_getattr)."""
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
            st_ino=self._map_ino(ino, layer), st_dev=self._map_dev(layer), st_nlink=1 if merged else found.st_nlink
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
        return tree.inode_nlink(inode.lowers[0]) if inode.flags & CONST_INO else 1  # type: ignore[no-any-return]

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

    def content(self, node: AnyNode) -> Content:
        """The bytes of a regular file, now."""
        return node.content

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

    # -- changing

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
                lookup.by_name(node, node.parent, node.name)

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
        self._refresh(node, upper)

    def _refresh(self, node: UnionNode, upper: Inode) -> None:
        """Let the node's copy of the permissions follow the upper's (ovl_copyattr)."""
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
        if isinstance(node, UnionNode):
            self._refresh(node, upper)

    # -- extended attributes

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
        real_name = self._real_name(name)
        if len(real_name.encode("utf-8", "surrogateescape")) > MAX_NAME:
            fail(errno.EOPNOTSUPP)
        if isinstance(node, UnionNode):
            if value is None and node.upper is None:
                check_namespace(name)
                if real_name not in self.xattrs_in(*node.real_part):
                    fail(errno.ENODATA)
            upper = node.upper if node.upper is not None else copy_up(self, node)
        else:
            upper = node
        self.upper.setxattr(upper, real_name, value, flags)
        if isinstance(node, UnionNode):
            node.remember_times()

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
        if isinstance(tree, UnionTree):
            return tree.visible_xattrs(inode)
        found: Mapping[str, bytes] = inode.xattrs
        return found


