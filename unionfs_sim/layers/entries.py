"""The files of a layer literal, as frozen nouns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.inode import NO_XATTRS
from unionfs_sim.nodes.kinds import CHARACTER_DEVICE
from unionfs_sim.nodes.record import Record


class File(Record):
    """A regular file of a layer literal."""

    content: str | bytes | Content = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    xattrs: Mapping[str, bytes] = NO_XATTRS


class Dir(Record):
    """A directory of a layer literal; ``opaque`` hides what lower layers have there."""

    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    xattrs: Mapping[str, bytes] = NO_XATTRS
    opaque: bool = False


class Symlink(Record):
    """A symbolic link of a layer literal."""

    target: str
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    xattrs: Mapping[str, bytes] = NO_XATTRS


class Fifo(Record):
    """A named pipe of a layer literal."""

    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    xattrs: Mapping[str, bytes] = NO_XATTRS


class Device(Record):
    """A device node of a layer literal; ``rdev`` as ``device_number`` gives it."""

    rdev: int
    mode: int = CHARACTER_DEVICE | 0o644
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    xattrs: Mapping[str, bytes] = NO_XATTRS


class Hardlink(Record):
    """Another name of a file that stands earlier in the layer literal."""

    target: str


WHITEOUT: Final = Device(0, mode=CHARACTER_DEVICE)
"""A deleted name."""

Entry: TypeAlias = str | bytes | Content | File | Dir | Symlink | Fifo | Device | Hardlink
