"""What the layers of an image hold, hide and waste; computed from the layers alone.

Bytes are *hidden* when they are in a layer and in no view: a later layer replaced or deleted every name of
the file. They are shipped all the same.
"""

from __future__ import annotations

import enum
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import is_opaque, is_whiteout
from unionfs_sim.nodes.inode import Inode


class Kind(enum.Enum):
    """What an entry of a layer is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    DEVICE = "device"
    FIFO = "fifo"
    SOCKET = "socket"
    WHITEOUT = "whiteout"


_KINDS = MappingProxyType(
    {
        stat.S_IFREG: Kind.FILE,
        stat.S_IFDIR: Kind.DIRECTORY,
        stat.S_IFLNK: Kind.SYMLINK,
        stat.S_IFCHR: Kind.DEVICE,
        stat.S_IFBLK: Kind.DEVICE,
        stat.S_IFIFO: Kind.FIFO,
        stat.S_IFSOCK: Kind.SOCKET,
    }
)


@dataclass(frozen=True, slots=True)
class Held:
    """One entry of one layer. ``size_bytes``: of a file's first name in the layer; other names count 0.

    ``hidden_by``: the layer that took the last name of it out of view; None while it is seen. ``mode``: its
    twelve bits of permissions; ``owner``: uid and gid; ``target``: of a symlink, else empty.
    """

    layer: int
    kind: Kind
    size_bytes: int
    opaque: bool
    hidden_by: int | None = None
    mode: int = 0
    owner: tuple[int, int] = (0, 0)
    target: str = ""

    @property
    def hidden(self) -> bool:
        """Whether no view shows it."""
        return self.hidden_by is not None


@dataclass(frozen=True, slots=True)
class PathRecord:
    """A path and the layers that hold it, base first; ``answers``: the layer whose entry is seen, or None."""

    path: str
    held: tuple[Held, ...]
    answers: int | None

    @property
    def hidden_bytes(self) -> int:
        """Bytes held under this path that no view shows."""
        return sum(each.size_bytes for each in self.held if each.hidden)


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """A layer in numbers. ``entries`` counts everything but the root; sizes are of file contents."""

    index: int
    entries: int
    size_bytes: int
    hidden_bytes: int
    whiteouts: int
    opaque: int


@dataclass(frozen=True, slots=True)
class ImageTree:
    """All paths of an image, sorted, and its layers, base first."""

    layers: tuple[LayerSummary, ...]
    paths: Mapping[str, PathRecord]

    @property
    def size_bytes(self) -> int:
        """Bytes of file contents in all layers."""
        return sum(layer.size_bytes for layer in self.layers)

    @property
    def wasted_bytes(self) -> int:
        """Bytes that are shipped and seen by nobody."""
        return sum(layer.hidden_bytes for layer in self.layers)

    @property
    def visible(self) -> Iterator[PathRecord]:
        """The paths that a container sees."""
        return (record for record in self.paths.values() if record.answers is not None)


@dataclass(slots=True)
class _Seen:
    """A name in the merged view so far: which layer's inode it shows, and what lies below."""

    layer: int
    inode: Inode
    children: dict[str, _Seen] = field(default_factory=dict)


def analyse(layers: Sequence[Layer]) -> ImageTree:
    """What ``layers``, base first, hold, and what of it is seen."""
    view = _Seen(0, Layer().root)
    gone: dict[tuple[int, int], int] = {}
    for index, layer in enumerate(layers):
        for seen in _stack(view, index, layer):
            gone.update(dict.fromkeys(((each.layer, id(each.inode)) for _, each in _walk(seen)), index))
            gone[seen.layer, id(seen.inode)] = index
    answers: dict[str, int] = {}
    for path, seen in _walk(view):
        answers[path] = seen.layer
        gone.pop((seen.layer, id(seen.inode)), None)  # a second name of it is still there
    held: dict[str, list[Held]] = {}
    summaries = []
    for index, layer in enumerate(layers):
        own = dict(_held(index, layer, gone))
        for path, entry in own.items():
            held.setdefault(path, []).append(entry)
        summaries.append(_summary(index, list(own.values())))
    records = {
        path: PathRecord(path, tuple(held[path]), answers.get(path)) for path in sorted(held, key=_path_order)
    }
    return ImageTree(tuple(summaries), MappingProxyType(records))


def _stack(view: _Seen, index: int, layer: Layer) -> Iterator[_Seen]:
    """Put ``layer`` on top of the view (OCI image-spec layer.md, "Applying Changesets"); what it hides."""
    waiting = [(view, layer.root)]
    while waiting:
        seen, directory = waiting.pop()
        if is_opaque(directory):
            yield from seen.children.values()
            seen.children.clear()
        for name, inode in directory.children.items():
            if is_whiteout(inode):
                if name in seen.children:
                    yield seen.children.pop(name)
                continue
            known = seen.children.get(name)
            if known is not None and inode.is_dir and known.inode.is_dir:
                known.layer, known.inode = index, inode
            else:
                if known is not None:
                    yield known
                known = seen.children[name] = _Seen(index, inode)
            if inode.is_dir:
                waiting.append((known, inode))


def _walk(view: _Seen) -> Iterator[tuple[str, _Seen]]:
    waiting = [("", view)]
    while waiting:
        prefix, directory = waiting.pop()
        for name, seen in directory.children.items():
            path = f"{prefix}/{name}"
            yield path, seen
            waiting.append((path, seen))


def _held(index: int, layer: Layer, gone: Mapping[tuple[int, int], int]) -> Iterator[tuple[str, Held]]:
    """The entries of one layer; the bytes of a file belong to the first of its names."""
    counted: set[int] = set()
    for path, inode in layer.inodes():
        if path == "/":
            continue
        deletes = is_whiteout(inode)
        kind = Kind.WHITEOUT if deletes else _KINDS[stat.S_IFMT(inode.mode)]
        size = 0 if id(inode) in counted or kind is not Kind.FILE else inode.content.size
        counted.add(id(inode))
        hidden_by = None if inode.is_dir or deletes else gone.get((index, id(inode)))
        target = inode.target if kind is Kind.SYMLINK else ""
        owner = (inode.uid, inode.gid)
        yield path, Held(index, kind, size, is_opaque(inode), hidden_by, inode.mode & 0o7777, owner, target)


def _summary(index: int, held: Sequence[Held]) -> LayerSummary:
    return LayerSummary(
        index,
        len(held),
        sum(each.size_bytes for each in held),
        sum(each.size_bytes for each in held if each.hidden),
        sum(each.kind is Kind.WHITEOUT for each in held),
        sum(each.opaque for each in held),
    )


def _path_order(path: str) -> list[str]:
    """Parents before children, then by name: ``/a/b`` before ``/a.txt``."""
    return path.split("/")
