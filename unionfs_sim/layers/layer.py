"""One layer: a tree of inodes, seen raw, as it lies on disk below a union.

A whiteout is a character device 0:0 here, an opaque directory has an extended attribute, and so a layer
can be compared with the upper directory of a real overlay mount.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from unionfs_sim.layers.entries import WHITEOUT, Device, Dir, Entry, Fifo, File, Hardlink, Symlink
from unionfs_sim.layers.layertree import LayerTree
from unionfs_sim.nodes.caller import Caller, Clock, TickingClock
from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.inode import NO_XATTRS, Inode, Volume
from unionfs_sim.vfs.posix import Posix

__all__ = [
    "OPAQUE_XATTR",
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

OPAQUE_XATTR: Final = "trusted.overlay.opaque"


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

    __slots__ = ("__weakref__",)

    _tree: LayerTree

    def __init__(
        self,
        *,
        caller: Caller | None = None,
        clock: Clock | None = None,
        volume: Volume | None = None,
    ) -> None:
        tree = LayerTree(clock or TickingClock(), volume or Volume(is_private=True))
        super().__init__(tree, caller or Caller())

    @property
    def root(self) -> Inode:
        """The inode of ``/``."""
        return self._tree.root

    @property
    def tree(self) -> LayerTree:
        """The operations on inodes, for who puts a union on top."""
        return self._tree

    @property
    def is_frozen(self) -> bool:
        """Whether writing raises EROFS."""
        return self._tree.read_only

    def freeze(self) -> Layer:
        """This layer, which from now on cannot change: writing raises EROFS."""
        self._tree.read_only = True
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
    seen: dict[int, Inode] = {}

    def clone(inode: Inode) -> Inode:
        known = seen.get(id(inode))
        if known is not None:
            return known
        content = inode.body
        body = Content.of(content.read()) if isinstance(content, Content) and content.is_mutable else content
        twin = Inode(copy.tree.volume.next_ino(), inode.mode, inode.uid, inode.gid, body=body)
        twin.nlink = inode.nlink
        twin.xattrs = inode.xattrs
        twin.atime_ns, twin.mtime_ns, twin.ctime_ns = inode.atime_ns, inode.mtime_ns, inode.ctime_ns
        seen[id(inode)] = twin
        return twin

    root = clone(source.root)
    root.parent = root
    todo = [(source.root, root)]
    while todo:
        old, new = todo.pop()
        for name, child in old.children.items():
            twin = new.children[name] = clone(child)
            if child.is_dir:
                twin.parent = new
                todo.append((child, twin))
    copy.tree.root = copy._root = copy._cwd = root
    copy._known.clear()
    return copy


def layer(
    entries: Mapping[str, Entry],
    *,
    root: Dir | None = None,
    clock: Clock | None = None,
    volume: Volume | None = None,
) -> Layer:
    """The layer that has these entries; directories that lead to one are made, 0755 and root's.

    >>> layer({"/etc/motd": "hello", "/bin": Symlink("usr/bin"), "/tmp/gone": WHITEOUT})
    Layer(/bin, /etc/, /etc/motd, /tmp/, /tmp/gone (whiteout))
    """
    made = Layer(clock=clock, volume=volume)
    if root is not None:
        _set_attributes(made.root, root)
    for path, entry in entries.items():
        _add(made, path, entry)
    return made


def _add(made: Layer, path: str, entry: Entry) -> None:
    names = [name for name in path.split("/") if name]
    tree = made.tree
    directory = made.root
    for name in names[:-1]:
        child = directory.children.get(name)
        if child is None:
            child = tree.new(stat.S_IFDIR | 0o755, 0, 0)
            tree.attach(directory, name, child)
        directory = child
    if not names:
        if isinstance(entry, Dir):
            _set_attributes(directory, entry)
            return
        raise ValueError("the root of a layer is a directory")
    last = names[-1]
    if isinstance(entry, Hardlink):
        tree.link(made._find(entry.target, follow=False), directory, last)
        return
    known = directory.children.get(last)
    if known is not None and isinstance(entry, Dir):
        _set_attributes(known, entry)
        return
    inode = _inode(tree, entry)
    if known is not None:
        raise ValueError(f"{path} stands twice in the layer")
    tree.attach(directory, last, inode)


def _inode(tree: LayerTree, entry: str | bytes | Content | File | Dir | Symlink | Fifo | Device) -> Inode:
    if isinstance(entry, (str, bytes, Content)):
        entry = File(entry)
    match entry:
        case File(content):
            body = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
            inode = tree.new(stat.S_IFREG, 0, 0, body if isinstance(body, Content) else Content.of(body))
        case Dir():
            inode = tree.new(stat.S_IFDIR, 0, 0)
        case Symlink(target):
            inode = tree.new(stat.S_IFLNK | 0o777, 0, 0, target)
        case Fifo():
            inode = tree.new(stat.S_IFIFO, 0, 0)
        case Device(rdev):
            inode = tree.new(stat.S_IFMT(entry.mode) or stat.S_IFCHR, 0, 0, rdev)
    _set_attributes(inode, entry)
    return inode


def _set_attributes(inode: Inode, entry: File | Dir | Symlink | Fifo | Device) -> None:
    inode.uid, inode.gid = entry.uid, entry.gid
    if not isinstance(entry, Symlink):
        inode.mode = stat.S_IFMT(inode.mode) | stat.S_IMODE(entry.mode)
    inode.atime_ns = inode.mtime_ns = entry.mtime_ns
    xattrs = dict(entry.xattrs)
    if isinstance(entry, Dir) and entry.opaque:
        xattrs[OPAQUE_XATTR] = b"y"
    inode.xattrs = MappingProxyType(xattrs) if xattrs else NO_XATTRS
