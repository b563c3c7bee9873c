"""One layer: a tree of inodes, seen raw, as it lies on disk below a union.

A whiteout is a character device 0:0 here, an opaque directory has an extended attribute, and so a layer
can be compared with the upper directory of a real overlay mount.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unionfs_sim.layers.entries import WHITEOUT, Device, Dir, Entry, Fifo, File, Hardlink, Symlink
from unionfs_sim.layers.layertree import LayerTree
from unionfs_sim.layers.literal import fill
from unionfs_sim.layers.markers import OPAQUE_XATTR
from unionfs_sim.nodes.caller import Caller, Clock, TickingClock
from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.inode import Inode, Volume
from unionfs_sim.vfs.posix import Posix
from unionfs_sim.vfs.showing import kind_mode_owner, table

__all__ = [
    "WHITEOUT",
    "Device",
    "Dir",
    "Entry",
    "Fifo",
    "File",
    "Hardlink",
    "Layer",
    "Symlink",
    "equal_trees",
    "layer",
]


class Layer(Posix):
    """One tree of inodes, seen raw.

    Two layers are equal when their trees are: names, types, modes, owners, contents, extended attributes
    and groups of hard links; not times and inode numbers.

    >>> fs = Layer()
    >>> fs.mkdir("/etc")
    >>> fs.write_bytes("/etc/motd", b"hello")
    >>> fs == layer({"/etc/motd": "hello"})
    True
    """

    __slots__ = ("__weakref__", "tree")

    def __init__(
        self,
        *,
        caller: Caller | None = None,
        clock: Clock | None = None,
        volume: Volume | None = None,
    ) -> None:
        self.tree = LayerTree(clock or TickingClock(), volume or Volume(is_private=True))
        super().__init__(self.tree.for_views(), caller or Caller())

    @property
    def root(self) -> Inode:
        """The inode of ``/``."""
        return self.tree.root

    @property
    def is_frozen(self) -> bool:
        """Whether writing raises EROFS."""
        return self.tree.read_only

    def freeze(self) -> Layer:
        """This layer, which from now on cannot change, through unions neither: writing raises EROFS."""
        self.tree.freeze()
        return self

    def copy(self) -> Layer:
        """A layer with an equal tree that can be written; contents are shared while they are equal."""
        return _copied(self)

    def inodes(self) -> Iterator[tuple[str, Inode]]:
        """(path, inode) of everything, ``/`` first, parents before children, names sorted."""
        todo = [("", self.root)]
        while todo:
            path, inode = todo.pop()
            yield path or "/", inode
            names = sorted(inode.children, reverse=True)
            todo.extend((f"{path}/{name}", inode.children[name]) for name in names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layer):
            return NotImplemented
        return equal_trees(self, other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        names = [f"{path}{_sign(inode)}" for path, inode in self.inodes() if path != "/"]
        more = f", … {len(names) - 12} more" if len(names) > 12 else ""
        return f"Layer({', '.join(names[:12])}{more})"

    def _repr_html_(self) -> str:
        """The layer in a notebook: a row for each entry, the first of them."""
        return table(("path", "type", "mode", "owner", "bytes, target"), self._rows())

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for path, inode in self.inodes():
            if path == "/":
                continue
            if inode.is_whiteout:
                yield path, "whiteout", "", "", ""
                continue
            kind, mode, owner = kind_mode_owner(inode.mode, inode.uid, inode.gid)
            opaque = " (opaque)" if inode.is_dir and OPAQUE_XATTR in inode.xattrs else ""
            size = "" if inode.is_dir else inode.target or f"{inode.size:,}"
            yield path, kind + opaque, mode, owner, size


def _sign(inode: Inode) -> str:
    if inode.is_whiteout:
        return " (whiteout)"
    if inode.is_dir:
        return "/ (opaque)" if OPAQUE_XATTR in inode.xattrs else "/"
    return ""


def equal_trees(left: Layer, right: Layer) -> bool:
    """Whether two layers have the same names, attributes, contents and groups of hard links."""
    partner: dict[int, Inode] = {}
    claimed: dict[int, Inode] = {}
    todo = [(left.root, right.root)]
    while todo:
        one, two = todo.pop()
        if (one.mode, one.uid, one.gid) != (two.mode, two.uid, two.gid) or one.xattrs != two.xattrs:
            return False
        if one.is_dir:
            if one.children.keys() != two.children.keys():
                return False
            todo.extend((child, two.children[name]) for name, child in one.children.items())
        elif one.is_whiteout:
            continue  # the kernel makes all whiteouts of an upper names of one inode
        else:
            if partner.setdefault(id(one), two) is not two or claimed.setdefault(id(two), one) is not one:
                return False
            if one.body != two.body:
                return False
    return True


def _copied(source: Layer) -> Layer:
    tree = source.tree
    volume = Volume(tree.volume.dev, is_private=tree.volume.is_private)
    copy = Layer(caller=source.caller, clock=tree.clock, volume=volume)
    seen: dict[Inode, Inode] = {}

    def clone(inode: Inode) -> Inode:
        known = seen.get(inode)
        if known is not None:
            return known
        content = inode.body
        body = Content.of(content.read()) if isinstance(content, Content) and content.is_mutable else content
        twin = Inode(volume.next_ino(), inode.mode, inode.uid, inode.gid, body=body)
        twin.take_attributes(inode)
        seen[inode] = twin
        return twin

    root = copy.root
    root.take_attributes(source.root)
    todo = [(source.root, root)]
    while todo:
        old, new = todo.pop()
        for name, child in old.children.items():
            twin = clone(child)
            new.adopt(name, twin)
            if child.is_dir:
                todo.append((child, twin))
    for inode, twin in seen.items():
        twin.nlink = inode.nlink
    root.nlink = source.root.nlink
    return copy


def layer(
    entries: Mapping[str, Entry],
    *,
    root: Dir | None = None,
    clock: Clock | None = None,
    volume: Volume | None = None,
) -> Layer:
    """The layer that has these entries; directories that lead to one are made, 0755 and root's.

    Raises ValueError, which names the path, for what no disk can hold; TypeError for what is no entry at all.

    >>> layer({"/etc/motd": "hello", "/bin": Symlink("usr/bin"), "/tmp/gone": WHITEOUT})
    Layer(/bin, /etc/, /etc/motd, /tmp/, /tmp/gone (whiteout))
    """
    made = Layer(clock=clock, volume=volume)
    fill(made.tree, entries, root)
    return made
