"""How fuse-overlayfs spells deletions in a layer: as the kernel, as OCI tars, and in its own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from unionfs_sim.layers.markers import OPAQUE_MARKER, OPAQUE_XATTR, WHITEOUT_PREFIX
from unionfs_sim.overlay.state import AnyNode

OPAQUE_DEVICE: Final = WHITEOUT_PREFIX + ".opq"
"""A whiteout for the name ``.opq``: old versions took it for an opaque marker, and it is still made."""

PRIVILEGED_OPAQUE: Final = OPAQUE_XATTR
ROOTLESS_OPAQUE: Final = "user.fuseoverlayfs.opaque"
ORIGIN: Final = "user.fuseoverlayfs.origin"
OPAQUE_XATTRS: Final = (PRIVILEGED_OPAQUE, "user.overlay.opaque", ROOTLESS_OPAQUE)
HIDDEN: Final = ("trusted.overlay.", "user.overlay.", "user.fuseoverlayfs.", "user.containers.")
"""Attributes that are not shown."""
REFUSED: Final = ("trusted.overlay.", "user.fuseoverlayfs.", "user.containers.")
"""Attributes that nobody may set; ``user.overlay.`` is not among them, an oversight of version 1.10."""

NAME_MAX: Final = 255 - len(WHITEOUT_PREFIX)
"""A longer name could not be deleted in the OCI spelling."""


def is_marker(name: str) -> bool:
    """Whether a name in a layer is no file but says something of another one."""
    return name.startswith(WHITEOUT_PREFIX)


def hides(children: Mapping[str, AnyNode | None], name: str) -> bool:
    """Whether one directory of one layer deletes ``name``: a device 0:0, or a file ``.wh.NAME``.

    Unlike in an OCI tar, the latter hides a file of its own layer as well.
    """
    child = children.get(name)
    return WHITEOUT_PREFIX + name in children or (child is not None and child.is_whiteout)


def is_opaque(directory: AnyNode) -> bool:
    """Whether a directory of a layer hides what lies below it."""
    return OPAQUE_MARKER in directory.children or any(
        directory.xattrs.get(name) == b"y" for name in OPAQUE_XATTRS
    )


def shown(directory: AnyNode) -> Iterator[tuple[str, AnyNode]]:
    """The files of one directory of one layer, without what deletes."""
    for name, child in directory.children.items():
        if child is not None and not is_marker(name) and not hides(directory.children, name):
            yield name, child


def deleted(directory: AnyNode) -> Iterator[str]:
    """The names that one directory of one layer deletes."""
    for name, child in directory.children.items():
        if child is not None and child.is_whiteout:
            yield name
        elif is_marker(name) and name != OPAQUE_MARKER:
            yield name.removeprefix(WHITEOUT_PREFIX)
