"""The verbs that every tree of files has: a raw layer, a union, a real directory.

Whoever copies, scans or packs a tree needs no more than these eleven. Paths are absolute within
the tree or relative to its root, ``str`` (surrogateescape for bytes that are not UTF-8) or ``bytes``; an
answer has the type of the question. Failures are ``OSError`` with the errno that Linux gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import AnyStr, NamedTuple, Protocol

from unionfs_sim.nodes.record import Record


class Stat(NamedTuple):
    """What lstat(2) tells; named as ``os.stat_result`` names it, times in nanoseconds only."""

    st_mode: int
    st_ino: int
    st_dev: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_size: int
    st_atime_ns: int
    st_mtime_ns: int
    st_ctime_ns: int
    st_rdev: int
    st_blocks: int

    def __repr__(self) -> str:
        fields = zip(self._fields, self, strict=True)
        told = (f"{name}={oct(value) if name == 'st_mode' else value}" for name, value in fields)
        return f"Stat({', '.join(told)})"


class Attributes(Record, kw_only=True):
    """A change of attributes; None leaves an attribute as it is.

    ``xattrs`` is merged into what is there; a value of None removes that name.
    """

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    atime_ns: int | None = None
    mtime_ns: int | None = None
    xattrs: Mapping[str, bytes | None] | None = None


class OpenFile(Protocol):
    """An open file description (open(2)): what a descriptor of some process refers to."""

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes from the position on (-1: all); b"" at the end."""
        ...

    def write(self, data: bytes, /) -> int:
        """The number of bytes written at the position (at the end under O_APPEND)."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """The new position, in bytes."""
        ...

    def truncate(self, size: int, /) -> None:
        """Cut or extend (with a hole) to ``size`` bytes."""
        ...

    def stat(self) -> Stat:
        """What fstat(2) tells."""
        ...

    def close(self) -> None:
        """Release it; a second close does nothing."""
        ...


class Filesystem(Protocol):
    """A tree of files. No verb follows a symlink in the last component of its path, but ``open``.

    Law suite: ``tests/laws/test_filesystem_laws.py``.
    """

    def lstat(self, path: str | bytes, /) -> Stat:
        """The attributes of the name itself."""
        ...

    def listdir(self, path: AnyStr, /) -> list[AnyStr]:
        """The names in a directory, without ``.`` and ``..``; order is not promised."""
        ...

    def readlink(self, path: AnyStr, /) -> AnyStr:
        """The target of a symlink, as stored."""
        ...

    def xattrs(self, path: str | bytes, /) -> dict[str, bytes]:
        """All extended attributes that the caller may read, by full name."""
        ...

    def open(self, path: str | bytes, flags: int = 0, mode: int = 0o666, /) -> OpenFile:
        """An open file; ``flags`` and ``mode`` are those of the system call (``os.O_*``)."""
        ...

    def mkdir(self, path: str | bytes, mode: int = 0o777, /) -> None:
        """Make a directory."""
        ...

    def mknod(self, path: str | bytes, mode: int = 0o600, rdev: int = 0, /) -> None:
        """Make a regular file, fifo, socket or device; the S_IFMT bits of ``mode`` say which."""
        ...

    def symlink(self, target: str | bytes, path: str | bytes, /) -> None:
        """Make a symlink at ``path``."""
        ...

    def link(self, source: str | bytes, path: str | bytes, /) -> None:
        """Give the file at ``source`` a second name."""
        ...

    def remove(self, path: str | bytes, /) -> None:
        """Take a name away: unlink(2), or rmdir(2) if it is a directory."""
        ...

    def setattr(self, path: str | bytes, change: Attributes, /) -> None:
        """Change owner, then mode, xattrs and times, of the name itself (as root would restore them)."""
        ...
