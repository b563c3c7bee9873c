"""The files of a layer literal, as frozen nouns."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from unionfs_sim.content import Content


@dataclass(frozen=True, slots=True)
class File:
    """A regular file of a layer literal."""

    content: str | bytes | Content = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dir:
    """A directory of a layer literal; ``opaque`` hides what lower layers have there."""

    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    xattrs: Mapping[str, bytes] = field(default_factory=dict)
    opaque: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link of a layer literal."""

    target: str
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fifo:
    """A named pipe of a layer literal."""

    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Device:
    """A device node of a layer literal; ``rdev`` as ``os.makedev`` gives it."""

    rdev: int
    mode: int = stat.S_IFCHR | 0o644
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hardlink:
    """Another name of a file that stands earlier in the layer literal."""

    target: str


WHITEOUT: Final = Device(0, mode=stat.S_IFCHR)
"""A deleted name."""

Entry: TypeAlias = str | bytes | Content | File | Dir | Symlink | Fifo | Device | Hardlink
