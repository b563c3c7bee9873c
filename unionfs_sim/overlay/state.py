"""What a union remembers: its layers, and of every file that it shows where the parts of it lie.

The functions of the other modules work on this state; ``operations.UnionTree`` binds them together.
"""

from __future__ import annotations

import errno
import os
import weakref
from collections.abc import Hashable, Iterator, Mapping
from struct import Struct
from typing import Final, NamedTuple, TypeAlias, cast

from unionfs_sim.events import Events
from unionfs_sim.layers.layertree import LayerTree
from unionfs_sim.nodes.caller import Clock
from unionfs_sim.nodes.content import EMPTY, Content
from unionfs_sim.nodes.inode import NO_CHILDREN, Inode, Node, Volume
from unionfs_sim.nodes.journal import assign
from unionfs_sim.nodes.kinds import DIRECTORY, REGULAR, SYMLINK, TYPE
from unionfs_sim.nodes.record import replace
from unionfs_sim.overlay.options import Settings, Xino
from unionfs_sim.overlay.workdir import WorkDir
from unionfs_sim.vfs.tree import Tree

PRIVATE_INO_SHIFT: Final = 40
MAX_ABSENT: Final = 50_000
HANDLE: Final = Struct("<BBBBB16sQQ")
"""A file handle as the origin attribute holds it (struct ovl_fb)."""
HANDLE_VERSION: Final = 0
HANDLE_MAGIC: Final = 0xFB

# Flags of a UnionNode.
OPAQUE: Final = 1
"""The upper directory has the opaque attribute, or lies over nothing."""
IMPURE: Final = 2
"""The upper directory is known to have the impure attribute."""
METACOPY: Final = 4
"""The upper file has attributes only."""
INDEXED: Final = 8
"""The upper file stands in the index: all names of the lower file lead to it."""
WHITEOUTS: Final = 16
"""The directory may hold whiteouts, so that a listing has to look for them."""
XWHITEOUTS: Final = 32
"""A lower directory has whiteouts that are files with an attribute."""
CONST_INO: Final = 64
"""The lower part's inode number is shown, before and after copy-up; "has an origin", to the kernel."""
ALIASED: Final = 128
"""Several names may lead to this non-directory; the name that was used last is remembered."""
UNLINKED: Final = 256
"""The last name of the lower file is gone; only open files still lead to it."""
SPLIT: Final = 512
"""Two nodes of the union stand for one upper inode; each keeps times and permissions of its own."""


class Part(NamedTuple):
    """An inode in a lower layer; ``layer``: 1 is the top lower, as in the kernel's ``lowerdir`` string."""

    layer: int
    inode: AnyNode


class LeftOut(set[str]):
    """Names of a directory that a listing leaves out, while some open directory remembers them."""


class UnionNode(Node):
    """A directory of the union, or a file of which a part lies in a lower layer.

    A non-directory that lies in the upper alone needs no memory of its own: there the upper's ``Inode`` is
    the union's node as well.

    ``lowers``: top first. A non-directory in the upper keeps its copy-up origin there, and one that is a
    metacopy also where its bytes are (``data``: the inode, or a path in the data-only layers).
    ``children``: names looked up so far; None says "not there". ``aliases``: names looked up so far of
    files that have other names as well. ``alias``: the name by which such a file was found last; a copy-up
    puts the file there.
    """

    __slots__ = (
        "alias",
        "aliases",
        "data",
        "flags",
        "ino",
        "left_out",
        "listing",
        "lowers",
        "name",
        "nlink",
        "redirect",
        "times",
        "upper",
    )

    upper: Inode | None
    lowers: tuple[Part, ...]
    parent: UnionNode
    children: dict[str, AnyNode | None]

    def __init__(
        self, upper: Inode | None, lowers: tuple[Part, ...], parent: UnionNode | None, name: str
    ) -> None:
        self.upper = upper
        self.lowers = lowers
        self.parent = parent if parent is not None else self
        self.name = name
        self.flags = 0
        self.ino = 0
        self.nlink = 0
        self.redirect: str | None = None
        self.listing: dict[str, bool] | None = None
        self.left_out: weakref.ref[LeftOut] | None = None
        self.times: tuple[int, int, int] | None = None
        self.data: AnyNode | str | None = None
        self.aliases: dict[str, Alias] | None = None
        self.alias: Alias | None = None
        real = upper if upper is not None else lowers[0].inode
        self.mode = mode = real.mode
        self.uid = real.uid
        self.gid = real.gid
        if mode & TYPE == DIRECTORY:
            self.children = {}
        else:
            self.children = NO_CHILDREN  # type: ignore[assignment] # nothing is ever put there

    @property
    def real(self) -> AnyNode:
        """The inode whose attributes count: the upper's, else the topmost lower's."""
        return self.upper if self.upper is not None else self.lowers[0].inode

    def remember_times(self) -> None:
        """Take (atime, mtime, ctime) over from the upper, for the next decision about the access time."""
        upper = self.upper
        if self.flags & SPLIT and upper is not None:
            self.times = upper.atime_ns, upper.mtime_ns, upper.ctime_ns

    @property
    def real_part(self) -> tuple[int, AnyNode]:
        """``real`` with its layer; the upper is layer 0."""
        return (0, self.upper) if self.upper is not None else self.lowers[0]

    # A union can be a lower layer of another union: then it is asked what an Inode is asked.

    @property
    def body(self) -> Content | str | int | None:
        """As ``Inode.body``."""
        data = self.data
        return self.real.body if data is None or isinstance(data, str) else data.body

    @property
    def content(self) -> Content:
        """The bytes of a regular file; empty for everything else."""
        body = self.body
        return body if isinstance(body, Content) else EMPTY

    @property
    def xattrs(self) -> Mapping[str, bytes]:
        """As ``Inode.xattrs``, as the layer has them (a union shows less: ``Tree.visible_xattrs``)."""
        return self.real.xattrs

    @property
    def is_whiteout(self) -> bool:
        """Never: a union shows no whiteouts."""
        return False

    @property
    def size(self) -> int:
        """As ``Inode.size``: what stat(2) shows."""
        return self.real.size

    @property
    def atime_ns(self) -> int:
        """When it was last read."""
        return self.real.atime_ns

    @property
    def mtime_ns(self) -> int:
        """When it was last written."""
        return self.real.mtime_ns


AnyNode: TypeAlias = UnionNode | Inode


class Alias:
    """One of several names of a file (a dentry, to the kernel); it moves along with a rename.

    ``in_upper``: whether the upper has the file by this name too, or had when the name was removed.
    """

    __slots__ = ("in_upper", "name", "node", "parent")

    def __init__(self, node: UnionNode, parent: UnionNode, name: str) -> None:
        self.node = node
        self.in_upper = (
            node.upper is not None
            and parent.upper is not None
            and parent.upper.children.get(name) is node.upper
        )
        self.parent = parent
        self.name = name

    def use(self) -> UnionNode:
        """The node, which remembers that it was reached by this name."""
        node = self.node
        node.parent, node.name, node.alias = self.parent, self.name, self
        return node


class State(Tree[UnionNode, AnyNode]):
    """The layers of a union, and what holds for all of its files.

    ``stack``: the upper's tree at 0 (or the top lower's again, if there is no upper), then the lowers top
    first, then data-only layers. ``layers``: the same, None where a lower is a union itself.
    """

    root: UnionNode

    def __init__(
        self,
        lowers: list[LayerTree | State],
        upper: LayerTree | None,
        work: WorkDir,
        *,
        data_layers: list[LayerTree | State],
        options: Settings,
        clock: Clock,
        dev: int,
    ) -> None:
        super().__init__(clock)
        self.has_nested = any(isinstance(tree, State) for tree in lowers)
        if options.index and self.has_nested:
            options = replace(options, index=False)  # a union below gives out no file handles
        self.options = options
        self.upper = upper
        self.work = work
        self.events = Events()
        self.read_only = upper is None
        self.is_union = True
        stack = [upper if upper is not None else lowers[0], *lowers, *data_layers]
        # A tree of the stack is handed no other nodes than those that it gave out.
        self.stack = cast("list[Tree[AnyNode, AnyNode]]", stack)
        self.layers = [tree if isinstance(tree, LayerTree) else None for tree in stack]
        self.last_layer = len(lowers)
        self.data_layers = range(len(lowers) + 1, len(stack))
        self.shared: dict[AnyNode, UnionNode] = {}
        self.has_redirects = False
        self.xwhiteout_layers: set[int] = set()
        self.last_dir_ino = 1 << 32  # beyond the numbers of any layer
        self._absent = 0
        self._handles: dict[tuple[int, int], Part] | None = None
        prefix = options.xattr_prefix
        self.xattr_prefix = prefix
        self.xattr_escaped = prefix + "overlay."
        self.xattr_opaque = prefix + "opaque"
        self.xattr_redirect = prefix + "redirect"
        self.xattr_origin = prefix + "origin"
        self.xattr_impure = prefix + "impure"
        self.xattr_nlink = prefix + "nlink"
        self.xattr_metacopy = prefix + "metacopy"
        self.xattr_whiteout = prefix + "whiteout"
        self.xattr_uuid = prefix + "uuid"
        self.dev = dev
        self._number_volumes()
        self.root = self._make_root()

    # -- mounting

    def _number_volumes(self) -> None:
        """Which layers lie on one file system (fsid), and what their files' st_dev and st_ino become."""
        private: list[Volume | None] = [None if layer is None else layer.volume for layer in self.layers]
        volumes: list[Hashable] = []
        self.fsids: list[int] = []
        together = all(volume is not None and volume.is_private for volume in private)
        for layer, volume in enumerate(private):
            is_private = volume is not None and volume.is_private
            key: Hashable = "private" if is_private else volume or self.stack[layer]
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
        if self.xattr_uuid not in known and self.xattr_impure not in known:
            upper.store_xattr(upper.root, self.xattr_uuid, bytes(16))
        if self.options.index and self.xattr_origin not in known:
            upper.store_xattr(upper.root, self.xattr_origin, self.file_handle(top))

    def raw_layers(self) -> Iterator[LayerTree]:
        """The layers that are no unions, each once."""
        return iter({layer: None for layer in self.layers if layer is not None})

    def leave(self) -> None:
        """Let go of the layers: nothing is written any more, and nobody tells what changes in them."""
        self.drop_caches()
        for layer in self.raw_layers():
            kept = tuple(mounted for mounted in layer.mounts if mounted is not self)
            layer.watch(None if layer is self.upper else layer.journal, kept)
        self.read_only = True

    # -- memory

    def note_absent(self, directory: UnionNode, name: str) -> None:
        """Remember that no layer has a name; of too many such names all are forgotten."""
        self._absent += 1
        if self._absent > MAX_ABSENT:
            self._absent = 0
            todo = [self.root]
            while todo:
                node = todo.pop()
                for known in [known for known, child in node.children.items() if child is None]:
                    del node.children[known]
                todo.extend(child for child in node.children.values() if isinstance(child, UnionNode))
        directory.children[name] = None

    def drop_caches(self) -> None:
        """Forget what was looked up: a layer changed behind the union's back."""
        self.root.children.clear()
        self.root.aliases = None
        self.root.listing = None
        self.shared.clear()
        self._handles = None
        self.clear_prefixes()

    def heed_freeze(self, tree: object) -> None:
        """With a frozen upper the union is read-only; lowers are not written anyway."""
        if tree is self.upper:
            self.read_only = True

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
        if node.mode & TYPE == DIRECTORY:
            self.forget_paths()

    # -- about layers and their inodes

    def child_of(self, layer: int, directory: AnyNode, name: str) -> AnyNode | None:
        """What a layer has by that name, or None."""
        child = directory.children.get(name)
        if child is None and self.stack[layer].is_union:
            child = self.stack[layer].lookup(directory, name)
        return child

    def is_whiteout(self, layer: int, inode: AnyNode) -> bool:
        """Whether an inode says "deleted": a device 0:0, or an empty file with the whiteout attribute."""
        if inode.is_whiteout:
            return True
        return (
            inode.mode & TYPE == REGULAR
            and bool(inode.xattrs)
            and self.xattr_whiteout in self.xattrs_in(layer, inode)
            and inode.content.size == 0
        )

    def xattrs_in(self, layer: int, inode: AnyNode) -> Mapping[str, bytes]:
        """The attributes of a layer's inode; a union below shows fewer than its own layers have."""
        return self.stack[layer].visible_xattrs(inode)

    def volume_number(self, layer: int) -> int:
        """Which file system a layer lies on, as file handles name it."""
        return self.fsids[layer] if self.ino_base[layer] == 0 else layer

    def file_handle(self, part: Part) -> bytes:
        """The file handle of a lower inode; empty for a union's, which gives none out."""
        inode = part.inode
        if self.stack[part.layer].is_union or not isinstance(inode, Inode):
            return b""
        volume = self.volume_number(part.layer)
        return HANDLE.pack(HANDLE_VERSION, HANDLE_MAGIC, HANDLE.size, 0, 1, bytes(16), volume, inode.ino)

    def origin_of(self, upper: Inode) -> Part | None:
        """The lower inode that the upper's origin attribute names, if a layer of this mount has it."""
        value = upper.xattrs.get(self.xattr_origin)
        if value is None or len(value) != HANDLE.size:
            return None
        *_, volume, ino = HANDLE.unpack(value)
        return self._decode(volume, ino)

    def _decode(self, volume: int, ino: int) -> Part | None:
        if self._handles is None:
            self._handles = {}
            for layer in range(self.last_layer, 0, -1):
                tree = self.layers[layer]
                todo = [] if tree is None else [tree.root]
                while todo:
                    inode = todo.pop()
                    self._handles[self.volume_number(layer), inode.ino] = Part(layer, inode)
                    todo.extend(inode.children.values())
        return self._handles.get((volume, ino))

    def nlink_of(self, part: Part) -> int:
        """The link count of a lower inode."""
        inode = part.inode
        return inode.nlink if isinstance(inode, Inode) else self.stack[part.layer].stat(inode).st_nlink

    def inode_nlink(self, part: Part) -> int:
        """The link count that the kernel keeps in a lower inode; in a union's it can lack names."""
        inode, tree = part.inode, self.stack[part.layer]
        if isinstance(inode, Inode) or not isinstance(tree, State):
            return inode.nlink
        if inode.flags & INDEXED:
            return inode.nlink
        if inode.upper is not None:
            return inode.upper.nlink
        return tree.inode_nlink(inode.lowers[0]) if inode.flags & CONST_INO else 1

    def find_data(self, node: UnionNode) -> None:
        """Look for bytes in the data-only layers, if that was not done yet."""
        if isinstance(node.data, str):
            node.data = self._find_data(node.data)

    def _find_data(self, path: str) -> AnyNode:
        """The file at an absolute path of the data-only layers, top first; no symlink is followed."""
        code = errno.ENOENT
        for layer in self.data_layers:
            inode: AnyNode | None = self.stack[layer].root
            code = errno.ENOENT
            for name in path[1:].split("/"):
                if inode is None:
                    break
                if not inode.is_dir:
                    code = errno.ELOOP if inode.mode & TYPE == SYMLINK else errno.ENOTDIR
                    inode = None
                    break
                inode = self.child_of(layer, inode, name)
            if inode is not None and inode.mode & TYPE == REGULAR:
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
        return not self.options.userxattr or inode.mode & TYPE in (REGULAR, DIRECTORY)

    def copies_xattr(self, name: str) -> bool:
        """Whether copy-up takes an attribute along: all but the union's own."""
        return not name.startswith(self.xattr_prefix) or name.startswith(self.xattr_escaped)
