"""Trees as values; what a scan of the root finds between two of them; what a reset between stages leaves.

A tree is a table: path → entry, ``{"kind": "file" | "dir" | "link", "mode", "owner", "mtime"}``; a file has
``content`` and ``capability`` beside, a link ``target``. Directories that lead to an entry are entries.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from builder.context.paths import lstat
from builder.image.digest import DiffID, chain_id
from builder.protocols import EMPTY, Snapshot
from builder.snapshotters.fingerprint import Mode
from builder.snapshotters.ignored import IgnoreList
from builder.snapshotters.scan.memory import scanning
from builder.stores.memory import MemoryStore
from unionfs_sim import Dir, File, Layer, layer
from unionfs_sim.filesystem import Attributes
from unionfs_sim.tar.pack import pack
from unionfs_sim.tar.reader import TarReader
from unionfs_sim.trees import remove_tree, walk

Entry: TypeAlias = Mapping[str, Any]
Tree: TypeAlias = Mapping[str, Entry]

SECOND: Final = 10**9
_XATTR: Final = "security.capability"
_CAPABILITIES: Final = {"net_raw": 13, "net_bind_service": 10}


def found(before: Tree, change: Callable[[Layer], object], mode: Mode = Mode.FULL) -> list[str]:
    """The names in the layer that a scan makes of ``change``, sorted; [] if it notices nothing."""
    store = MemoryStore()
    snapshotter = scanning(as_layer(before), store, mode=mode)
    work = snapshotter.prepare(EMPTY)  # what is in the root counts as known
    change(work.rootfs)
    made = store.put(snapshotter.changes(work))
    if not made.size:
        return []
    with store.open(made.digest) as stream:
        return sorted(header.name for header in TarReader(stream))


def become(after: Tree) -> Callable[[Layer], None]:
    """The change that makes of whatever tree there is the tree ``after``."""

    def change(root: Layer) -> None:
        for path, status in reversed(list(walk(root))):
            kind = after.get(path, {}).get("kind")
            if path != "/" and not _KINDS.get(str(kind), _nothing)(status.st_mode):
                remove_tree(root, path)
        for path in sorted(after):
            _make(root, path, after[path])
        for path in sorted(after, reverse=True):
            root.setattr(path, Attributes(mtime_ns=after[path]["mtime"] * SECOND))

    return change


def after_reset(root: Iterable[str], base: Iterable[str], ignored: Iterable[str]) -> list[str]:
    """The paths in the root when the next stage begins, sorted. Directories end with a slash, all of them.

    ``root``: what is there when a stage has ended; ``base``: what the next one starts from.
    """
    store = MemoryStore()
    here = _plain(root)
    snapshotter = scanning(here, store, ignored=IgnoreList.of(ignored))
    snapshotter.discard(snapshotter.prepare(EMPTY))  # whatever is there belongs to no stage
    snapshotter.prepare(_stored(store, _plain(base)))
    return sorted(
        f"{path}/" if stat.S_ISDIR(status.st_mode) else path for path, status in walk(here) if path != "/"
    )


def as_layer(tree: Tree) -> Layer:
    """The layer that holds the tree."""
    made = Layer()
    become(tree)(made)
    return made


def _make(root: Layer, path: str, entry: Entry) -> None:
    """What ``entry`` says at ``path``, where nothing stands or something of its kind."""
    match entry["kind"]:
        case "dir":
            if not root.exists(path):
                root.mkdir(path, 0o755)
        case "link":
            if lstat(root, path) is not None:
                root.unlink(path)
            root.symlink(entry["target"], path)
        case _:
            if not root.exists(path) or root.read_bytes(path) != entry["content"].encode():
                root.write_bytes(path, entry["content"].encode())
    if entry["kind"] != "link":
        root.chmod(path, entry["mode"])
    # A new owner takes a file's capabilities away: they come after it.
    root.setattr(path, Attributes(uid=entry["owner"], xattrs={_XATTR: None}))
    root.setattr(path, Attributes(xattrs=_xattrs(entry)))


def _xattrs(entry: Entry) -> dict[str, bytes | None]:
    """The capability of a file as the kernel writes it (capabilities(7), VFS_CAP_REVISION_2, effective)."""
    name = entry.get("capability", "")
    if not name:
        return {}
    bits = 1 << _CAPABILITIES[name]
    words = (0x02000001, bits, 0, 0, 0)
    return {_XATTR: b"".join(word.to_bytes(4, "little") for word in words)}


def _nothing(_mode: int) -> bool:
    return False


_KINDS: Final[Mapping[str, Callable[[int], bool]]] = {
    "dir": stat.S_ISDIR,
    "file": stat.S_ISREG,
    "link": stat.S_ISLNK,
}


def _plain(paths: Iterable[str]) -> Layer:
    """A tree of empty files, and of directories where a path ends with a slash."""
    return layer({path.rstrip("/"): Dir() if path.endswith("/") else File("") for path in sorted(paths)})


def _stored(store: MemoryStore, tree: Layer) -> Snapshot:
    diff_ids = [DiffID(store.put(pack(tree)).digest)]
    return Snapshot(chain_id(diff_ids), tuple(diff_ids))
