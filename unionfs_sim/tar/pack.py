"""A layer ↔ the canonical tar that carries it between machines (OCI image-spec layer.md).

Writing is here; reading, which trusts nothing, is in ``layerreader.py`` and offered from here as well.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from unionfs_sim.filesystem import Filesystem
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import (
    ESCAPED,
    OPAQUE_MARKER,
    PRIVATE,
    WHITEOUT_PREFIX,
    is_opaque,
    is_whiteout,
    unescaped,
)
from unionfs_sim.nodes.content import EMPTY, Content
from unionfs_sim.nodes.inode import NO_XATTRS, Inode
from unionfs_sim.nodes.kinds import major_of, minor_of
from unionfs_sim.tar.header import (
    BLOCK_DEVICE,
    CHARACTER,
    DIRECTORY,
    END_OF_ARCHIVE,
    FIFO,
    HARDLINK,
    REGULAR,
    SYMLINK,
    TarHeader,
    encode,
    padding,
)
from unionfs_sim.tar.header import LayerFormatError as LayerFormatError
from unionfs_sim.tar.unpack import Limits as Limits
from unionfs_sim.tar.unpack import read_layer as read_layer

_CANNOT_TRAVEL: Final = {
    PRIVATE + "redirect": "a renamed directory (redirect_dir)",
    PRIVATE + "metacopy": "a file without its content (metacopy)",
}
_NAMES_ELSEWHERE: Final = PRIVATE + "nlink"
_ALL_NAMES_HERE: Final = b"U-1"
"""What the index notes of a file (names that are shown, less the upper's) if no name is a lower's alone."""

_KINDS: Final = {
    stat.S_IFREG: REGULAR,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFLNK: SYMLINK,
    stat.S_IFCHR: CHARACTER,
    stat.S_IFBLK: BLOCK_DEVICE,
    stat.S_IFIFO: FIFO,
}
_PLAIN_ROOT: Final[tuple[int, int, int, Mapping[str, bytes]]] = (0o755, 0, 0, NO_XATTRS)


class Entry(NamedTuple):
    """One entry of a layer tar: its header, and the bytes of a regular file."""

    header: TarHeader
    content: Content = EMPTY


def entries(upper: Layer, *, below: Filesystem | None = None) -> Iterator[Entry]:
    """What ``upper`` changes, as the canonical entries of a layer tar.

    Sorted by name, parents first, hard links after their target; directories that lead to a change are
    entries with their own attributes; sockets are left out. The root is an entry only where its
    attributes differ from those of ``below`` (from 0755 root:root without it).
    LayerFormatError: a name, or a union's private attribute, that no layer tar can express.
    """
    known: dict[int, str] = {}
    yield from _root(upper.root, below)
    waiting = _children("", upper.root)
    while waiting:
        path, node = waiting.pop()
        yield _entry(path, node, known)
        if node is not None and node.is_dir:
            waiting += _children(path + "/", node)


def pack(upper: Layer, *, below: Filesystem | None = None, latest_ns: int | None = None) -> Iterator[bytes]:
    """The canonical layer tar of what ``upper`` changes, in pieces."""
    return write_tar(entries(upper, below=below), latest_ns=latest_ns)


def write_tar(
    changes: Iterable[Entry],
    *,
    latest_ns: int | None = None,
    written: Callable[[Entry, int], None] | None = None,
) -> Iterator[bytes]:
    """The uncompressed tar of ``changes``, in pieces; equal changes give equal bytes.

    ``latest_ns``: no file is later than this (SOURCE_DATE_EPOCH, else 0); None keeps all times.
    ``written`` is told of each entry as it stands in the tar, and where in the tar its bytes begin.
    """
    place = 0
    for entry in changes:
        header, content = entry
        if latest_ns is not None and header.mtime_ns > latest_ns:
            header = header._replace(mtime_ns=latest_ns)
        head = encode(header)
        yield head
        place += len(head)
        if written is not None:
            written(Entry(header, content), place)
        if header.size:
            yield from _whole(header, content)
            filling = padding(header.size)
            yield filling
            place += header.size + len(filling)
    yield END_OF_ARCHIVE


def _whole(header: TarHeader, content: Content) -> Iterator[bytes]:
    """The bytes of a file: as many as were announced, or the rest of the tar would be nonsense."""
    left = header.size
    for piece in content.chunks():
        left -= len(piece)
        if left < 0:
            break
        yield piece
    if left:
        raise LayerFormatError("the file changed its size while it was read", header.name)


def _children(prefix: str, directory: Inode) -> list[tuple[str, Inode | None]]:
    """The entries of one directory, last first; a marker has no inode."""
    found: list[tuple[str, Inode | None]] = [(prefix + OPAQUE_MARKER, None)] if is_opaque(directory) else []
    for name, node in directory.children.items():
        if name.startswith(WHITEOUT_PREFIX):
            taken = f"a name that begins with {WHITEOUT_PREFIX} means a deletion"
            raise LayerFormatError(taken, prefix + name)
        if is_whiteout(node):
            found.append((prefix + WHITEOUT_PREFIX + name, None))
        elif not stat.S_ISSOCK(node.mode):
            found.append((prefix + name, node))
    # Order is part of the bytes: the same change must give the same digest on every machine.
    found.sort(key=_tar_order, reverse=True)
    return found


def _tar_order(child: tuple[str, Inode | None]) -> bytes:
    return child[0].encode("utf-8", "surrogateescape")


def _root(root: Inode, below: Filesystem | None) -> Iterator[Entry]:
    before = _PLAIN_ROOT
    if below is not None:
        known = below.lstat("/")
        before = (stat.S_IMODE(known.st_mode), known.st_uid, known.st_gid, below.xattrs("/"))
    xattrs = _public(root, "/")
    if (stat.S_IMODE(root.mode), root.uid, root.gid, xattrs) != before:
        yield Entry(_header("./", DIRECTORY, root, xattrs))


def _entry(path: str, node: Inode | None, known: dict[int, str]) -> Entry:
    if node is None:
        return Entry(TarHeader(path, REGULAR, 0))
    kind = _KINDS[stat.S_IFMT(node.mode)]
    if node.nlink > 1 and kind != DIRECTORY:
        first = known.setdefault(id(node), path)
        if first != path:
            return Entry(_header(path, HARDLINK, node, {})._replace(link=first))
    header = _header(path + "/" if kind == DIRECTORY else path, kind, node, _public(node, path))
    match kind:
        case _ if kind == REGULAR:
            return Entry(header._replace(size=node.content.size), node.content)
        case _ if kind == SYMLINK:
            return Entry(header._replace(link=node.target))
        case _ if kind in (CHARACTER, BLOCK_DEVICE):
            return Entry(header._replace(major=major_of(node.rdev), minor=minor_of(node.rdev)))
    return Entry(header)


def _header(name: str, kind: int, node: Inode, xattrs: Mapping[str, bytes]) -> TarHeader:
    return TarHeader(
        name, kind, stat.S_IMODE(node.mode), node.uid, node.gid, mtime_ns=node.mtime_ns, xattrs=xattrs
    )


def _public(node: Inode, path: str) -> dict[str, bytes]:
    """The extended attributes of the file itself, sorted; those of the union are left out."""
    if not node.xattrs:
        return {}
    for name in _CANNOT_TRAVEL.keys() & node.xattrs.keys():
        raise LayerFormatError(f"a layer tar cannot hold {_CANNOT_TRAVEL[name]}", path)
    if node.xattrs.get(_NAMES_ELSEWHERE, _ALL_NAMES_HERE) != _ALL_NAMES_HERE:
        raise LayerFormatError(
            "a layer tar cannot hold a change to one name of a hard link that the index (index=on) shows "
            "by its other names too; change them all, or mount without the index",
            path,
        )
    return {
        unescaped(name): node.xattrs[name]
        for name in sorted(node.xattrs)
        if not name.startswith(PRIVATE) or name.startswith(ESCAPED)
    }
