"""Flags of system calls: the running Python's own, so that ``os.O_*`` means here what it means there.

A flag that this machine's ``os`` lacks (macOS, Windows, WebAssembly) gets a bit that no system uses: it can
be asked for by its name here, and never be mistaken for another one (macOS's O_CREAT is Linux's O_TRUNC).
"""

from __future__ import annotations

import os
from typing import Final

_PRIVATE: Final = 1 << 40


def _flag(name: str, place: int) -> int:
    """A flag of ``os``, or a private bit."""
    found = getattr(os, name, None)
    return found if isinstance(found, int) else _PRIVATE << place


RDONLY: Final = os.O_RDONLY
WRONLY: Final = os.O_WRONLY
RDWR: Final = os.O_RDWR
ACCESS: Final = 3
"""The bits that say how a file is opened (O_ACCMODE), everywhere 0, 1, 2."""
CREAT: Final = os.O_CREAT
EXCL: Final = os.O_EXCL
TRUNC: Final = os.O_TRUNC
APPEND: Final = os.O_APPEND
PATH: Final = _flag("O_PATH", 0)
DIRECTORY: Final = _flag("O_DIRECTORY", 1)
NOFOLLOW: Final = _flag("O_NOFOLLOW", 2)
CLOEXEC: Final = _flag("O_CLOEXEC", 3)
NONBLOCK: Final = _flag("O_NONBLOCK", 4)
NOATIME: Final = _flag("O_NOATIME", 5)
UNNAMED: Final = _flag("O_TMPFILE", 6) & ~DIRECTORY
"""O_TMPFILE without its O_DIRECTORY bit (__O_TMPFILE)."""
TMPFILE: Final = UNNAMED | DIRECTORY

SEEK_SET: Final = 0
SEEK_CUR: Final = 1
SEEK_END: Final = 2
SEEK_DATA: Final = getattr(os, "SEEK_DATA", 3)
SEEK_HOLE: Final = getattr(os, "SEEK_HOLE", 4)

XATTR_CREATE: Final = 1
XATTR_REPLACE: Final = 2

RENAME_NOREPLACE: Final = 1
RENAME_EXCHANGE: Final = 2
RENAME_WHITEOUT: Final = 4

ST_RDONLY: Final = 1
ST_RELATIME: Final = 4096
