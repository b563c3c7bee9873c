"""How a deletion is spelt: in a layer, as the kernel has it, and in a tar. ``.wh.`` is written only here.

Inside a layer a deletion is a character device 0:0 and an opaque directory bears an extended attribute
(overlayfs.rst, "whiteouts and opaque directories"); in a tar they are the empty files ``.wh.NAME`` and
``.wh..wh..opq`` (OCI image-spec layer.md, "Whiteouts"), which speak of lower layers only, wherever they
stand.
"""

from __future__ import annotations

from typing import Final

from unionfs_sim.nodes.inode import Inode
from unionfs_sim.nodes.kinds import REGULAR, TYPE

WHITEOUT_PREFIX: Final = ".wh."
OPAQUE_MARKER: Final = ".wh..wh..opq"
AUFS_PREFIX: Final = ".wh..wh."
"""Names that AUFS kept for itself; docker's extractors pass them over, and so do ours."""

PRIVATE: Final = "trusted.overlay."
"""Attributes by this name belong to the union, not to the file."""

OPAQUE_XATTR: Final = PRIVATE + "opaque"
WHITEOUT_XATTR: Final = PRIVATE + "whiteout"
ESCAPED: Final = PRIVATE + "overlay."


def is_whiteout(node: Inode) -> bool:
    """Whether the inode deletes its name: 0:0, or the extended attribute that stands for it."""
    return node.is_whiteout or (WHITEOUT_XATTR in node.xattrs and node.mode & TYPE == REGULAR)


def is_opaque(node: Inode) -> bool:
    """Whether the directory hides what lies below it."""
    return node.is_dir and node.xattrs.get(OPAQUE_XATTR) == b"y"


def unescaped(name: str) -> str:
    """How an attribute is called in the union: ``trusted.overlay.overlay.x`` is ``trusted.overlay.x``."""
    return PRIVATE + name.removeprefix(ESCAPED) if name.startswith(ESCAPED) else name


def escaped(name: str) -> str:
    """How an attribute is called inside a layer, so that nobody's tar can pose as the union.

    >>> escaped("trusted.overlay.opaque"), escaped("user.note")
    ('trusted.overlay.overlay.opaque', 'user.note')
    """
    return ESCAPED + name.removeprefix(PRIVATE) if name.startswith(PRIVATE) else name


def is_private(name: str) -> bool:
    """Whether an attribute inside a layer is the union's own, not an escaped one of the file.

    >>> is_private("trusted.overlay.opaque"), is_private("trusted.overlay.overlay.opaque")
    (True, False)
    """
    return name.startswith(PRIVATE) and not name.startswith(ESCAPED)
