"""Comparable answers: inode and device numbers become classes, fresh times become ``now``."""

from __future__ import annotations

import hashlib
import stat
from typing import Any, Final, NamedTuple

FRESH_NS: Final = 1_600_000_000 * 10**9
"""Times from here on were given by a clock; older ones by utime or a layer, and are compared exactly."""

NOW: Final = "now"


class Record(NamedTuple):
    """What lstat tells, as far as it must be equal on both sides."""

    mode: int
    identity: int
    device: int
    nlink: int
    uid: int
    gid: int
    size: int
    mtime: int | str
    atime: int | str | None
    rdev: int
    blocks: int | None

    def differences(self, other: Record) -> str:
        """The fields that differ, as ``name kernel/model``."""
        pairs = zip(self._fields, self, other, strict=True)
        return ", ".join(f"{name} {mine!r}/{theirs!r}" for name, mine, theirs in pairs if mine != theirs)


LONGEST: Final = 256


def content(data: bytes) -> bytes:
    """The content of a file as it is compared and written down: what is long stands there as its digest."""
    if len(data) <= LONGEST:
        return data
    return b"%d bytes, sha256 %s" % (len(data), hashlib.sha256(data).hexdigest().encode())


def _time(time_ns: int) -> int | str:
    return NOW if time_ns >= FRESH_NS else time_ns


class Classes:
    """Numbers inodes and devices in the order of their appearance, so that only relations are compared.

    ``together``: all layers lie on one file system, so that the union's inode numbers are the layers'.
    ``reads``: access times are compared, of files with one name: two inodes of a union may stand for one
    of the upper, and whether a read then moves its time depends on the ticks of the kernel's clock.
    """

    def __init__(self, *, together: bool = False, reads: bool = True) -> None:
        self._together = together
        self._reads = reads
        self._inodes: dict[tuple[int, int], int] = {}
        self._devices: dict[int, int] = {}

    def forget_devices(self) -> None:
        """A mount or unmount: device numbers are handed out anew by the kernel."""
        self._devices.clear()
        if not self._together:
            self._inodes.clear()

    def record(self, st: Any) -> Record:
        """The comparable form of a stat result (``os.stat_result`` or the model's ``Stat``)."""
        kind = stat.S_IFMT(st.st_mode)
        reads = self._reads and kind != stat.S_IFDIR and st.st_nlink <= 1
        return Record(
            st.st_mode,
            self._inodes.setdefault((0 if self._together else st.st_dev, st.st_ino), len(self._inodes)),
            self._devices.setdefault(st.st_dev, len(self._devices)),
            st.st_nlink,
            st.st_uid,
            st.st_gid,
            st.st_size,
            _time(st.st_mtime_ns),
            _time(st.st_atime_ns) if reads else None,
            st.st_rdev,
            st.st_blocks if kind == stat.S_IFREG else None,
        )
