"""How a layer or a merged view is written down: for a learner to read, and as a value to predict."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence

from unionfs_sim import Layer, Union
from unionfs_sim.layers.markers import is_opaque, is_whiteout
from unionfs_sim.nodes.inode import Inode


def entries(layer: Layer) -> dict[str, str]:
    """Path → what the layer holds there: ``file``, ``dir``, ``opaque dir``, ``symlink`` or ``whiteout``.

    >>> from unionfs_sim import WHITEOUT, Dir, layer
    >>> entries(layer({"/etc/motd": WHITEOUT, "/srv": Dir(opaque=True)}))
    {'/etc': 'dir', '/etc/motd': 'whiteout', '/srv': 'opaque dir'}
    """
    return {path: _kind(inode) for path, inode in sorted(layer.inodes()) if path != "/"}


def _kind(inode: Inode) -> str:
    if is_whiteout(inode):
        return "whiteout"
    if inode.is_dir:
        return "opaque dir" if is_opaque(inode) else "dir"
    return "symlink" if stat.S_ISLNK(inode.mode) else "file"


def spelt(layer: Layer) -> str:
    """The entries of a layer in one line each, directories with a slash at their end."""
    return "\n".join(_lines(layer)) or "(empty)"


def _lines(layer: Layer) -> Iterator[str]:
    for path, kind in entries(layer).items():
        slash = "/" if kind.endswith("dir") else ""
        mark = f"   ({kind})" if kind in ("whiteout", "opaque dir", "symlink") else ""
        yield f"{path}{slash}{mark}"


def stacked(lowers: Sequence[Layer], upper: Layer | None = None) -> str:
    """Layers below each other, the top first, as a picture of the stack has them."""
    blocks = [("upper", upper)] if upper is not None else []
    blocks += [(f"lower {number}", lowers[number]) for number in reversed(range(len(lowers)))]
    out = []
    for title, layer in blocks:
        out.append(f"{title}:")
        out += [f"  {line}" for line in spelt(layer).splitlines()]
    return "\n".join(out)


def visible(union: Union) -> list[str]:
    """All paths that a process sees below the root, sorted; directories without a slash."""
    return sorted(
        f"{top.rstrip('/')}/{name}" for top, dirs, files in union.walk("/") for name in (*dirs, *files)
    )
