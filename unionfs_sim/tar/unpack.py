"""Reads a layer tar into a Layer in the kernel's spelling, trusting nothing in it.

OCI image-spec layer.md, "Applying Changesets". An entry is refused, by name, when it leaves the root, lies
below something that is no directory, links to what is not there, or cannot exist on Linux.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO, Final, cast

from unionfs_sim.filesystem import Filesystem
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import AUFS_PREFIX, OPAQUE_MARKER, OPAQUE_XATTR, WHITEOUT_PREFIX, escaped
from unionfs_sim.nodes.content import EMPTY, Content, Slice, Sparse
from unionfs_sim.nodes.inode import NO_XATTRS, Inode
from unionfs_sim.nodes.kinds import device_number
from unionfs_sim.tar.beneath import Beneath
from unionfs_sim.tar.header import (
    BLOCK_DEVICE,
    CHARACTER,
    DIRECTORY,
    FIFO,
    HARDLINK,
    REGULAR,
    SYMLINK,
    LayerFormatError,
    TarHeader,
)
from unionfs_sim.tar.reader import TarReader

_NAME_MAX: Final = 255
_PATH_MAX: Final = 4096
INLINE_BYTES: Final = 1024
"""Files up to this size are held in memory; what is larger stays a slice of the tar on disk."""

_TYPES: Final = {
    REGULAR: stat.S_IFREG,
    DIRECTORY: stat.S_IFDIR,
    SYMLINK: stat.S_IFLNK | 0o777,
    CHARACTER: stat.S_IFCHR,
    BLOCK_DEVICE: stat.S_IFBLK,
    FIFO: stat.S_IFIFO,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a layer may hold: a hostile one could fill the memory with names, or be all holes.

    ``sparse_bytes``: the sizes of all its sparse files; what has no holes is limited by the tar itself.
    """

    entries: int = 2_000_000
    sparse_bytes: int = 16 << 30


def read_layer(stream: BinaryIO, *, below: Filesystem | None = None, limits: Limits | None = None) -> Layer:
    """The layer that the uncompressed tar in ``stream`` describes.

    ``below``: the merged view under this layer, if known. It gives directories that the tar does not
    mention their attributes, and deletions of what is not there are dropped. Without it such directories
    are 0755 root:root. Contents stay slices of ``stream`` if that is a file on disk (its descriptor is
    duplicated: ``stream`` may be closed). Raises LayerFormatError naming the entry.
    """
    if stream.seekable():
        return _read(stream, below, limits or Limits())
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(stream, spool)
        spool.seek(0)
        return _read(spool, below, limits or Limits())


def _read(stream: BinaryIO, below: Filesystem | None, limits: Limits) -> Layer:
    assembly = LayerAssembly(below)
    contents = _Contents(stream)
    holes = 0
    reader = TarReader(stream)
    for number, header in enumerate(reader):
        if number >= limits.entries:
            raise LayerFormatError(f"more than {limits.entries} entries", header.name)
        if reader.extents is not None:
            holes += header.size
            if holes > limits.sparse_bytes:
                raise LayerFormatError(f"sparse files of more than {limits.sparse_bytes} bytes", header.name)
        content = contents.of(header, reader) if header.kind == REGULAR else EMPTY
        assembly.add(header, content)
    return assembly.finish()


class _Contents:
    """The bytes of a tar's files: what is small in memory, what is large where it lies on disk."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._file: BinaryIO | None = None
        try:
            self._file = cast(BinaryIO, _Descriptor(os.dup(stream.fileno())))
        except OSError:
            pass  # Not on disk: contents are copied out of memory.

    def of(self, header: TarHeader, reader: TarReader) -> Content:
        """The bytes of the entry that ``reader`` is at."""
        if reader.extents is None:
            return self._packed(reader.offset, header.size)
        packed = self._packed(reader.offset, sum(length for _, length in reader.extents))
        return Sparse(packed, reader.extents, header.size)

    def _packed(self, offset: int, size: int) -> Content:
        if self._file is not None and size > INLINE_BYTES:
            return Slice(self._file, offset, size)
        self._stream.seek(offset)
        return Content.of(self._stream.read(size))


class _Descriptor:
    """An open descriptor that is closed with the last slice that reads from it."""

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        return self._number

    def __del__(self) -> None:
        os.close(self._number)


class LayerAssembly:
    """A layer in the making: entries are added one after another, as a tar has them.

    ``below``: as for ``read_layer``. LayerFormatError names the entry that cannot be.
    """

    def __init__(self, below: Filesystem | None = None) -> None:
        self._below = Beneath(below)
        self._layer = Layer()
        self._directories: dict[str, Inode] = {"": self._layer.root}
        self._deleted: list[tuple[str, str]] = []
        self._opaque: list[str] = []
        self._below.describe(self._layer.root, "/")

    def finish(self) -> Layer:
        """The whole layer; nothing may be added any more."""
        for path in self._opaque:
            self._make_opaque(path)
        for path, name in self._deleted:
            self._delete(path, name)
        return self._layer

    def add(self, header: TarHeader, content: Content) -> None:
        """One entry more; ``content``: the bytes of a regular file."""
        parts = _parts(header.name)
        if not parts:
            if header.kind != DIRECTORY:
                raise LayerFormatError("the root must be a directory", header.name)
            self._set_attributes(self._layer.root, header)
            return
        name = parts[-1]
        if any(part.startswith(WHITEOUT_PREFIX) for part in parts):
            self._mark(parts, header)
            return
        path = "/".join(parts[:-1])
        parent = self._directory(path, parts[:-1], header.name)
        existing = parent.children.get(name)
        if header.kind == HARDLINK:
            self._put(parent, name, self._link_target(header), header)
        elif header.kind == DIRECTORY and existing is not None and existing.is_dir:
            self._set_attributes(existing, header)
        else:
            self._put(parent, name, self._inode(header, content), header)

    def _mark(self, parts: Sequence[str], header: TarHeader) -> None:
        """Note a whiteout or an opaque marker; what it means is decided at the end of the layer."""
        at = next(index for index, part in enumerate(parts) if part.startswith(WHITEOUT_PREFIX))
        name, path = parts[at], "/".join(parts[:at])
        if name.startswith(AUFS_PREFIX) and name != OPAQUE_MARKER:
            return
        if at != len(parts) - 1:
            raise LayerFormatError(f"a name that begins with {WHITEOUT_PREFIX} means a deletion", header.name)
        if header.kind not in (REGULAR, HARDLINK):
            raise LayerFormatError("a whiteout must be an empty file", header.name)
        if name == OPAQUE_MARKER:
            self._opaque.append(path)
            return
        hidden = name.removeprefix(WHITEOUT_PREFIX)
        if hidden in ("", ".", "..") or hidden.startswith(WHITEOUT_PREFIX):
            raise LayerFormatError("a whiteout of a name that no file can have", header.name)
        self._deleted.append((path, hidden))

    def _directory(self, path: str, parts: Sequence[str], entry: str) -> Inode:
        """The directory at ``path``, made as it is below where no entry has described it yet."""
        known = self._directories.get(path)
        if known is not None:
            return known
        found = self._layer.root
        for index, part in enumerate(parts):
            child = found.children.get(part)
            if child is None:
                child = self._new(stat.S_IFDIR | 0o755)
                self._below.describe(child, "/" + "/".join(parts[: index + 1]))
                found.adopt(part, child)
            if not child.is_dir:
                what = "a symlink" if stat.S_ISLNK(child.mode) else "no directory"
                raise LayerFormatError(f"{'/'.join(parts[: index + 1])!r} is {what}", entry)
            found = child
        self._directories[path] = found
        return found

    def _new(self, mode: int, body: Content | str | int | None = None) -> Inode:
        return self._layer.tree.new(mode, 0, 0, body)

    def _inode(self, header: TarHeader, content: Content) -> Inode:
        body: Content | str | int | None = None
        if header.kind == REGULAR:
            body = content
        elif header.kind == SYMLINK:
            body = header.link
            if not body or "\0" in body or len(body.encode("utf-8", "surrogateescape")) >= _PATH_MAX:
                raise LayerFormatError("a symlink needs a target of at most 4095 bytes", header.name)
        elif header.kind in (CHARACTER, BLOCK_DEVICE):
            body = _device(header)
        node = self._new(_TYPES[header.kind], body)
        self._set_attributes(node, header)
        return node

    def _set_attributes(self, node: Inode, header: TarHeader) -> None:
        if not stat.S_ISLNK(node.mode):  # Linux gives every symlink 0777, whatever a tar says.
            node.mode = stat.S_IFMT(node.mode) | header.mode
        node.uid, node.gid = header.uid, header.gid
        node.atime_ns = node.mtime_ns = node.ctime_ns = header.mtime_ns
        xattrs = {escaped(name): value for name, value in header.xattrs.items()}
        node.xattrs = MappingProxyType(xattrs) if xattrs else NO_XATTRS

    def _link_target(self, header: TarHeader) -> Inode:
        found: Inode | None = self._layer.root
        for part in _parts(header.link, header.name):
            if found is not None and stat.S_ISLNK(found.mode):
                raise LayerFormatError(f"its target {header.link!r} leads through a symlink", header.name)
            found = found.children.get(part) if found is not None else None
        if found is None:
            raise LayerFormatError(f"links to {header.link!r}, which is not there (yet)", header.name)
        if found.is_dir:
            raise LayerFormatError(f"links to {header.link!r}, which is a directory", header.name)
        return found

    def _put(self, parent: Inode, name: str, node: Inode, header: TarHeader) -> None:
        """Let ``name`` be ``node``; what an earlier entry of the same name put there goes."""
        existing = parent.children.get(name)
        if existing is node:
            raise LayerFormatError("a hard link to itself", header.name)
        if existing is not None:
            if existing.is_dir:
                self._directories = {"": self._layer.root}
                parent.nlink -= 1
            _forget(existing)
        if header.kind == HARDLINK:
            node.nlink += 1
        parent.adopt(name, node)

    def _make_opaque(self, path: str) -> None:
        directory = self._directory(path, path.split("/") if path else [], path or "/")
        if path or not self._below.is_known:
            directory.xattrs = MappingProxyType({**directory.xattrs, OPAQUE_XATTR: b"y"})
            return
        # The kernel ignores the attribute on the root of a layer, so it is spelt out, name by name.
        self._deleted += [("", name) for name in self._below.names()]

    def _delete(self, path: str, name: str) -> None:
        place = f"/{path}/{name}" if path else f"/{name}"
        if self._below.is_known and self._below.lstat(place) is None:
            return
        directory = self._directory(path, path.split("/") if path else [], f"{path}/{name}")
        present = directory.children.get(name)
        if present is not None and present.is_dir:
            present.xattrs = MappingProxyType({**present.xattrs, OPAQUE_XATTR: b"y"})
        elif present is None and directory.xattrs.get(OPAQUE_XATTR) != b"y":
            directory.adopt(name, self._new(stat.S_IFCHR, 0))


def _parts(name: str, entry: str | None = None) -> list[str]:
    """The components of a name in a tar; a leading slash means the layer's root, as docker has it."""
    entry = name if entry is None else entry
    if "\0" in name or not name:
        raise LayerFormatError("a name is empty or holds a NUL", entry)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise LayerFormatError("a name must not lead upwards (..)", entry)
    raw = name.encode("utf-8", "surrogateescape")
    if len(raw) >= _PATH_MAX or any(len(part) > _NAME_MAX for part in raw.split(b"/")):
        raise LayerFormatError("a name is longer than Linux allows", entry)
    return parts


def _forget(node: Inode) -> None:
    """Take away one name of ``node`` and of all that is below it."""
    pending = [node]
    while pending:
        gone = pending.pop()
        gone.nlink -= 1
        if gone.is_dir:
            pending += gone.children.values()


def _device(header: TarHeader) -> int:
    if not (0 <= header.major < 2**12 and 0 <= header.minor < 2**20):
        raise LayerFormatError(f"no device has the number {header.major}:{header.minor}", header.name)
    if header.kind == CHARACTER and header.major == header.minor == 0:
        raise LayerFormatError("a character device 0:0 would be taken for a deletion", header.name)
    return device_number(header.major, header.minor)
