"""Fills a tree from a layer literal: paths and what lies there, each checked before it is made."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from unionfs_sim.layers.entries import Device, Dir, Entry, Fifo, File, Hardlink, Symlink
from unionfs_sim.layers.layertree import LayerTree
from unionfs_sim.layers.markers import OPAQUE_XATTR
from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.inode import NO_XATTRS, Inode
from unionfs_sim.nodes.kinds import (
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    DIRECTORY,
    EVERYTHING,
    FIFO,
    PERMISSIONS,
    REGULAR,
    SYMLINK,
    TYPE,
)
from unionfs_sim.vfs.walk import NAME_MAX, PATH_MAX


def fill(tree: LayerTree, entries: Mapping[str, Entry], root: Dir | None = None) -> None:
    """Make ``entries`` in an empty tree; directories that lead to one are made, 0755 and root's.

    Raises ValueError, which names the path, for what no disk can hold; TypeError for what is no entry at all.
    """
    if root is not None:
        _set_attributes(tree.root, root)
    for path, entry in entries.items():
        try:
            _add(tree, path, entry)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"layer({{{path!r}: …}}): {error}") from None


def _add(tree: LayerTree, path: str, entry: Entry) -> None:
    names = _names(path)
    if not names:
        if not isinstance(entry, Dir):
            raise ValueError("the root of a layer is a directory")
        _set_attributes(tree.root, entry)
        return
    directory = tree.root
    for depth, name in enumerate(names[:-1], 1):
        child = directory.children.get(name)
        if child is None:
            child = tree.new(DIRECTORY | 0o755, 0, 0)
            tree.attach(directory, name, child)
        if not child.is_dir:
            raise ValueError(f"/{'/'.join(names[:depth])} is no directory, nothing can lie in it")
        directory = child
    last = names[-1]
    known = directory.children.get(last)
    if isinstance(entry, Dir) and known is not None and known.is_dir:
        _set_attributes(known, entry)
        return
    if known is not None:
        raise ValueError(f"{path} stands twice in the layer")
    if path.endswith("/") and not isinstance(entry, Dir):
        raise ValueError("a path that ends in / is a directory: give Dir()")
    if isinstance(entry, Hardlink):
        tree.link(_linked(tree, entry.target), directory, last)
    else:
        tree.attach(directory, last, _inode(tree, entry))


def _names(path: str) -> list[str]:
    """The names on a path; ValueError for one that no file can have."""
    if not isinstance(path, str):
        raise TypeError(f"a path is text, not {type(path).__name__}")
    if not path or "\0" in path:
        raise ValueError("a path is neither empty nor does it hold a NUL")
    names = [name for name in path.split("/") if name]
    if "." in names or ".." in names:
        raise ValueError("say where it lies, without . and ..")
    if any(len(_raw(name)) > NAME_MAX for name in names):
        raise ValueError(f"a name has at most {NAME_MAX} bytes")
    if len(_raw(path)) >= PATH_MAX:
        raise ValueError(f"a path has at most {PATH_MAX - 1} bytes")
    return names


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _linked(tree: LayerTree, target: str) -> Inode:
    """What a hard link gives another name."""
    found = tree.root
    for name in _names(target):
        child = found.children.get(name)
        if child is None:
            raise ValueError(f"links to {target!r}, which does not stand before it")
        found = child
    if found.is_dir:
        raise ValueError(f"links to {target!r}, and a directory has one name only")
    return found


def _inode(tree: LayerTree, entry: Entry) -> Inode:
    match entry:
        case str() | bytes() | Content():
            return _inode(tree, File(entry))
        case File():
            inode = tree.new(REGULAR, 0, 0, _content(entry.content))
        case Dir():
            inode = tree.new(DIRECTORY, 0, 0)
        case Symlink():
            inode = tree.new(SYMLINK | EVERYTHING, 0, 0, _target(entry.target))
        case Fifo():
            inode = tree.new(FIFO, 0, 0)
        case Device():
            kind = entry.mode & TYPE or CHARACTER_DEVICE
            if kind not in (CHARACTER_DEVICE, BLOCK_DEVICE):
                raise ValueError("a device is of type S_IFCHR or S_IFBLK")
            inode = tree.new(kind, 0, 0, _number("rdev", entry.rdev))
        case _:
            raise TypeError(
                f"{type(entry).__name__} is nothing that a layer can hold: "
                "give text, bytes, File, Dir, Symlink, Fifo, Device, Hardlink or WHITEOUT"
            )
    _set_attributes(inode, entry)
    return inode


def _content(given: str | bytes | Content) -> Content:
    if isinstance(given, Content):
        return given
    if isinstance(given, str):
        return Content.of(_raw(given))
    if isinstance(given, bytes):
        return Content.of(given)
    raise TypeError(f"the content of a file is text or bytes, not {type(given).__name__}")


def _target(target: str) -> str:
    if not isinstance(target, str):
        raise TypeError(f"the target of a symlink is text, not {type(target).__name__}")
    if not target or "\0" in target or len(_raw(target)) >= PATH_MAX:
        raise ValueError(f"the target of a symlink has 1 to {PATH_MAX - 1} bytes, none of them NUL")
    return target


def _number(what: str, number: int) -> int:
    if type(number) is not int:
        raise TypeError(f"{what} is a whole number, not {type(number).__name__}")
    if number < 0:
        raise ValueError(f"{what} is not below 0")
    return number


def _set_attributes(inode: Inode, entry: File | Dir | Symlink | Fifo | Device) -> None:
    inode.uid, inode.gid = _number("uid", entry.uid), _number("gid", entry.gid)
    if not isinstance(entry, Symlink):
        inode.mode = inode.mode & TYPE | _number("mode", entry.mode) & PERMISSIONS
    if type(entry.mtime_ns) is not int:
        raise TypeError("mtime_ns is a whole number of nanoseconds")
    inode.atime_ns = inode.mtime_ns = entry.mtime_ns
    xattrs = {name: bytes(value) for name, value in entry.xattrs.items()}
    if isinstance(entry, Dir) and entry.opaque:
        xattrs[OPAQUE_XATTR] = b"y"
    inode.xattrs = MappingProxyType(xattrs) if xattrs else NO_XATTRS
