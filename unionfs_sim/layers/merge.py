"""What a stack of layers shows, as one layer: the rules of OCI image-spec layer.md, carried out on trees.

A union answers path by path and leaves its layers alone; this makes a new tree, which shares the contents.
That the two agree is a law (``tests/laws``).
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import is_opaque, is_private, is_whiteout
from unionfs_sim.nodes.inode import NO_XATTRS, Inode


def merged(lowers: Iterable[Layer]) -> Layer:
    """The tree that ``lowers`` (base first) show together.

    >>> from unionfs_sim import WHITEOUT, layer
    >>> merged([layer({"/a": "1", "/b": "2"}), layer({"/a": WHITEOUT})])
    Layer(/b)
    """
    result = Layer()
    for each in lowers:
        apply(each, result)
    return result


def apply(upper: Layer, onto: Layer) -> None:
    """Change the tree ``onto`` as ``upper`` says; contents are shared, not copied."""
    clones: dict[int, Inode] = {}
    _take_attributes(upper.root, onto.root)
    if is_opaque(upper.root):
        for name in list(onto.root.children):
            _unname(onto.root, name)
    waiting = [(upper.root, onto.root)]
    while waiting:
        source, target = waiting.pop()
        for name in sorted(source.children):
            node = source.children[name]
            known = target.children.get(name)
            if node.is_dir and known is not None and known.is_dir and not is_opaque(node):
                _take_attributes(node, known)
                waiting.append((node, known))
                continue
            if known is not None:
                _unname(target, name)
            if is_whiteout(node):
                continue
            clone = clones.get(id(node))
            if clone is None:
                clone = clones[id(node)] = onto.tree.new(node.mode, node.uid, node.gid, node.body)
                _take_attributes(node, clone)
            else:
                clone.nlink += 1
            target.adopt(name, clone)
            if node.is_dir:
                waiting.append((node, clone))


def _take_attributes(source: Inode, target: Inode) -> None:
    target.take_attributes(source)
    public = {name: value for name, value in source.xattrs.items() if not is_private(name)}
    target.xattrs = MappingProxyType(public) if public else NO_XATTRS


def _unname(directory: Inode, name: str) -> None:
    """Take a name away; names of the same file that lie below a removed directory lose theirs as well."""
    waiting = [directory.children.pop(name)]
    directory.nlink -= waiting[0].is_dir
    while waiting:
        node = waiting.pop()
        node.nlink -= 1
        waiting += node.children.values()
