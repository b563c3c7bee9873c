"""The few system calls that ``os`` does not wrap, by ctypes: mounts, rename flags, linking a descriptor."""

from __future__ import annotations

import ctypes
import os
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS: Final = 0x00020000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 1 << 18
MS_RDONLY: Final = 1
MNT_DETACH: Final = 2
AT_FDCWD: Final = -100
AT_SYMLINK_FOLLOW: Final = 0x400
AT_EMPTY_PATH: Final = 0x1000
RENAME_NOREPLACE: Final = 1
RENAME_EXCHANGE: Final = 2
RENAME_WHITEOUT: Final = 4


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def enter_private_mounts() -> None:
    """Move this process into a mount namespace of its own, whose mounts nobody else sees."""
    _check(_LIBC.unshare(CLONE_NEWNS))
    mount("none", "/", "", flags=MS_REC | MS_PRIVATE)


def mount(source: str, target: str, kind: str, *, flags: int = 0, options: str = "") -> None:
    """Mount a file system; raises OSError as mount(2) does."""
    _check(
        _LIBC.mount(
            source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode() or None
        )
    )


def unmount(target: str, *, flags: int = 0) -> None:
    """Unmount ``target``; raises OSError EBUSY while somebody still uses it (but with MNT_DETACH)."""
    _check(_LIBC.umount2(target.encode(), flags))


def renameat2(source: bytes, target: bytes, flags: int) -> None:
    """Rename with the flags of renameat2(2)."""
    _check(_LIBC.renameat2(AT_FDCWD, source, AT_FDCWD, target, flags))


def link(source: bytes, target: bytes, flags: int) -> None:
    """Give a file a second name with the flags of linkat(2)."""
    _check(_LIBC.linkat(AT_FDCWD, source, AT_FDCWD, target, flags))


def link_descriptor(descriptor: int, target: bytes) -> None:
    """Give the open file a name, as an O_TMPFILE needs it (linkat with AT_EMPTY_PATH)."""
    _check(_LIBC.linkat(descriptor, b"", AT_FDCWD, target, AT_EMPTY_PATH))
