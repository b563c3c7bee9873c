"""The messages of FUSE: numbers and layouts, from the kernel's include/uapi/linux/fuse.h (version 7.36)."""

from __future__ import annotations

import enum
from struct import Struct
from typing import Final

from unionfs_sim.filesystem import Stat


class Op(enum.IntEnum):
    """What is asked."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    READLINK = 5
    SYMLINK = 6
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    LINK = 13
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    SETXATTR = 21
    GETXATTR = 22
    LISTXATTR = 23
    REMOVEXATTR = 24
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    CREATE = 35
    INTERRUPT = 36
    DESTROY = 38
    BATCH_FORGET = 42
    FALLOCATE = 43
    READDIRPLUS = 44
    RENAME2 = 45
    LSEEK = 46
    TMPFILE = 51


MAJOR: Final = 7
MINOR: Final = 36
ROOT_ID: Final = 1
MAX_WRITE: Final = 1 << 20

# Abilities of INIT (FUSE_*). No WRITEBACK_CACHE: times would be the kernel's, not the model's clock.
ASYNC_READ: Final = 1 << 0
ATOMIC_O_TRUNC: Final = 1 << 3
BIG_WRITES: Final = 1 << 5
DO_READDIRPLUS: Final = 1 << 13
READDIRPLUS_AUTO: Final = 1 << 14
MAX_PAGES: Final = 1 << 22
HANDLE_KILLPRIV_V2: Final = 1 << 28
WANTED: Final = (
    ASYNC_READ
    | ATOMIC_O_TRUNC
    | BIG_WRITES
    | DO_READDIRPLUS
    | READDIRPLUS_AUTO
    | MAX_PAGES
    | HANDLE_KILLPRIV_V2  # else every write is preceded by a question for security.capability
)

OPEN_DIRECT_IO: Final = 1 << 0
OPEN_KEEP_CACHE: Final = 1 << 1

WRITE_KILLS_SUID: Final = 1 << 2
FALLOCATE_KEEP_SIZE: Final = 1

# Bits of SETATTR's ``valid`` (FATTR_*).
SET_MODE: Final = 1 << 0
SET_UID: Final = 1 << 1
SET_GID: Final = 1 << 2
SET_SIZE: Final = 1 << 3
SET_ATIME: Final = 1 << 4
SET_MTIME: Final = 1 << 5
SET_ATIME_NOW: Final = 1 << 7
SET_MTIME_NOW: Final = 1 << 8
BY_DESCRIPTOR: Final = 1 << 6
KILLS_SUID: Final = 1 << 11
SETS_SOMETHING: Final = SET_MODE | SET_UID | SET_GID | SET_SIZE | SET_ATIME | SET_MTIME

REQUEST: Final = Struct("<IIQQIIIHH")  # length, op, unique, node, uid, gid, pid, extensions, padding
REPLY: Final = Struct("<IiQ")  # length, minus errno, unique
INIT_IN: Final = Struct("<4I")  # major, minor, read-ahead, flags
INIT_OUT: Final = Struct("<4IHHIIHHII24x")
ENTRY: Final = Struct("<4Q2I")  # node, generation, entry valid s, attr valid s, and their ns
ATTR_OUT: Final = Struct("<QII")  # valid s, valid ns, padding
ATTR: Final = Struct("<6Q10I")
SETATTR_IN: Final = Struct("<II6Q8I")
OPEN_IN: Final = Struct("<II")
OPEN_OUT: Final = Struct("<QIi")
CREATE_IN: Final = Struct("<4I")
MKNOD_IN: Final = Struct("<4I")
MKDIR_IN: Final = Struct("<II")
RENAME_IN: Final = Struct("<Q")
RENAME2_IN: Final = Struct("<QII")
LINK_IN: Final = Struct("<Q")
READ_IN: Final = Struct("<QQIIQI")
WRITE_IN: Final = Struct("<QQIIQII")
WRITE_OUT: Final = Struct("<II")
STATFS_OUT: Final = Struct("<5Q4I24x")
XATTR_IN: Final = Struct("<II")
LSEEK_IN: Final = Struct("<QQII")
LSEEK_OUT: Final = Struct("<Q")
FALLOCATE_IN: Final = Struct("<QQQII")
FORGET_IN: Final = Struct("<Q")
FORGET_ONE: Final = Struct("<QQ")
DIRENT: Final = Struct("<QQII")

ENTRY_SIZE: Final = ENTRY.size + ATTR.size

_SECOND: Final = 10**9
_U32: Final = (1 << 32) - 1


def attributes(told: Stat) -> bytes:
    """fuse_attr: what stat(2) shall tell."""
    a, m, c = told.st_atime_ns, told.st_mtime_ns, told.st_ctime_ns
    return ATTR.pack(
        told.st_ino,
        told.st_size,
        told.st_blocks,
        a // _SECOND,
        m // _SECOND,
        c // _SECOND,
        a % _SECOND,
        m % _SECOND,
        c % _SECOND,
        told.st_mode,
        told.st_nlink,
        told.st_uid & _U32,
        told.st_gid & _U32,
        told.st_rdev & _U32,
        4096,
        0,
    )


def entry(node: int, told: Stat | None, seconds: int) -> bytes:
    """fuse_entry_out: what a name is, or without ``told`` that it is nothing; true for ``seconds``."""
    if told is None:
        return ENTRY.pack(0, 0, seconds, 0, 0, 0) + bytes(ATTR.size)
    return ENTRY.pack(node, 0, seconds, seconds, 0, 0) + attributes(told)


def dirent(name: bytes, ino: int, position: int, kind: int) -> bytes:
    """fuse_dirent: a name in a directory, padded to eight bytes; ``kind``: the type bits, DT_*."""
    return DIRENT.pack(ino, position, len(name), kind) + name + bytes(-len(name) % 8)
