"""A mounted union of fuse-overlayfs, whose layers are explained in the spelling that it reads."""

from __future__ import annotations

from collections.abc import Sequence

from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import OPAQUE_XATTR
from unionfs_sim.mounting import Union
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.overlay.explain import Explanation, explain
from unionfs_sim.overlay.options import Options
from unionfs_sim.profiles import spelling


class FuseUnion(Union):
    """A union under the profile of fuse-overlayfs."""

    __slots__ = ()

    def explain(self, path: str, names: Sequence[str] = ()) -> Explanation:
        """Which layer answers ``path``, which were asked, and why the search stopped."""
        parts = [part for part in path.split("/") if part]
        read = _Read(
            tuple(_chain(each, parts) if isinstance(each, Layer) else each for each in self.lowers),
            _chain(self.upper, parts) if self.upper is not None else None,
        )
        return explain(read, path, names)


class _Read:
    """The layers along one path, in the kernel's spelling."""

    def __init__(self, lowers: tuple[Layer | Union, ...], upper: Layer | None) -> None:
        self.lowers = lowers
        self.upper = upper
        self.options = Options()


def _chain(layer: Layer, parts: Sequence[str]) -> Layer:
    """A layer that holds what leads to a path, with the deletions that fuse-overlayfs sees on the way."""
    made = Layer()
    source: Inode | None = layer.root
    target = made.root
    for name in parts:
        assert source is not None
        if spelling.hides(source.children, name):
            target.children[name] = made.tree.new(0o020000, 0, 0, 0)
            break
        source = source.children.get(name)
        if source is None or spelling.is_marker(name):
            break
        child = made.tree.new(source.mode, source.uid, source.gid, source.body)
        if source.is_dir and spelling.is_opaque(source):
            child.xattrs = {OPAQUE_XATTR: b"y"}
        target.children[name] = child
        child.parent = target
        target = child
    return made
