"""Why a path looks as it does where the rules are not overlayfs's."""

from __future__ import annotations

from collections.abc import Sequence

from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import OPAQUE_XATTR
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.nodes.kinds import CHARACTER_DEVICE
from unionfs_sim.overlay.explain import Answer, Explanation, Says, explain, explain_layers
from unionfs_sim.overlay.options import Settings
from unionfs_sim.overlay.union import Union
from unionfs_sim.profiles import spelling


def explain_as_fuse(union: Union, path: str, names: Sequence[str] = ()) -> Explanation:
    """The search of fuse-overlayfs: its spellings of deletions, told as the kernel's."""
    parts = [part for part in path.split("/") if part]
    lowers = [_chain(each, parts) if isinstance(each, Layer) else each for each in union.lowers]
    upper = _chain(union.upper, parts) if union.upper is not None else None
    return explain_layers(lowers, upper, Settings(), path, names)


def _chain(layer: Layer, parts: Sequence[str]) -> Layer:
    """A layer that holds what leads to a path, with the deletions that fuse-overlayfs sees on the way."""
    made = Layer()
    source: Inode | None = layer.root
    target = made.root
    for name in parts:
        assert source is not None
        if spelling.hides(source.children, name):
            target.adopt(name, made.tree.new(CHARACTER_DEVICE, 0, 0, 0))
            break
        source = source.children.get(name)
        if source is None or spelling.is_marker(name):
            break
        child = made.tree.new(source.mode, source.uid, source.gid, source.body)
        if source.is_dir and spelling.is_opaque(source):
            child.xattrs = {OPAQUE_XATTR: b"y"}
        target.adopt(name, child)
        target = child
    return made


def explain_unpacked(union: Union, path: str, names: Sequence[str] = ()) -> Explanation:
    """The tree answers alone; the layers are told as they were when they were applied."""
    found = explain(union, path, names)
    here, *below = found.answers
    tree = Answer(here.layer, "tree", Says.ANSWERS if here.kind else Says.NOTHING, here.kind, "", asked=True)
    layers = tuple(
        Answer(each.layer, each.name, each.says, each.kind, each.at, asked=False) for each in below
    )
    brought = [each.name for each in below if each.kind]
    if here.kind:
        source = f"; {brought[0]} was the last to unpack it" if brought else "; it was made since"
        rule = f"the plain tree answers, no layer is asked{source}"
    else:
        rule = "the plain tree does not have it, and no layer is asked"
    return Explanation(found.path, (tree, *layers), here.layer if here.kind else None, rule)
