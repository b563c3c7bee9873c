"""How a scan tells whether a path changed: Kaniko's three modes (``--snapshot-mode``).

Kaniko v1.24 ``pkg/util/util.go``: ``Hasher``, ``RedoHasher``, ``MtimeHasher``. The digests there are
HighwayHash and MD5; here BLAKE2, because which change is noticed depends on the fields alone.
"""

from __future__ import annotations

import enum
import hashlib
import stat
from typing import Final, NamedTuple

from builder.context.content import content_of
from unionfs_sim.filesystem import Filesystem, Stat

_CAPABILITY: Final = "security.capability"


class Mode(enum.Enum):
    """What a scan looks at: everything, the attributes, or the time of the last change alone."""

    FULL = "full"
    REDO = "redo"
    TIME = "time"


class Fingerprint(NamedTuple):
    """What stands for a path's state, and how many bytes of content were read for it."""

    digest: bytes
    bytes_hashed: int


def fingerprint(fs: Filesystem, path: str, status: Stat, mode: Mode) -> Fingerprint:
    """The state of ``path`` as ``mode`` sees it; never follows a symlink."""
    match mode:
        case Mode.TIME:
            return Fingerprint(_digest(status.st_mtime_ns), 0)
        case Mode.REDO:
            known = (status.st_mode, status.st_mtime_ns, status.st_size, status.st_uid, status.st_gid)
            return Fingerprint(_digest(*known), 0)
    fields = (status.st_mode, status.st_mtime_ns, status.st_uid, status.st_gid)
    if stat.S_ISREG(status.st_mode):
        capability = fs.xattrs(path).get(_CAPABILITY, b"")
        content = content_of(fs, path, status)
        return Fingerprint(_digest(*fields, capability, content.digest()), status.st_size)
    if stat.S_ISLNK(status.st_mode):
        return Fingerprint(_digest(*fields, fs.readlink(path)), 0)
    return Fingerprint(_digest(*fields), 0)


def _digest(*fields: object) -> bytes:
    """A digest of ``fields`` that keeps them apart."""
    return hashlib.blake2b(repr(fields).encode("utf-8", "backslashreplace"), digest_size=32).digest()
