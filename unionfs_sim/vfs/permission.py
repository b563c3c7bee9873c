"""Who may do what: the permission bits, sticky directories and the capabilities of root.

The rules of Linux's ``fs/namei.c`` and ``fs/attr.c``, written once for layers and unions.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final, NoReturn

from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.inode import Node

READ: Final = 4
WRITE: Final = 2
EXECUTE: Final = 1


def fail(code: int) -> NoReturn:
    """Raise the OSError of ``code``; the verb that catches it adds the file's name."""
    raise OSError(code, os.strerror(code))


def permits(node: Node, caller: Caller, wanted: int) -> bool:
    """Whether the permission bits (or being root) let ``caller`` do ``wanted`` (READ | WRITE | EXECUTE)."""
    mode = node.mode
    if caller.uid == 0:
        # CAP_DAC_OVERRIDE: everything, but a file nobody may execute.
        return not wanted & EXECUTE or mode & 0o111 != 0 or mode & 0o170000 == 0o040000
    if caller.uid == node.uid:
        mode >>= 6
    elif node.gid == caller.gid or node.gid in caller.groups:
        mode >>= 3
    return mode & wanted == wanted


def require(node: Node, caller: Caller, wanted: int) -> None:
    """Raise EACCES unless ``permits``."""
    if not permits(node, caller, wanted):
        fail(errno.EACCES)


def owns(node: Node, caller: Caller) -> bool:
    """Whether ``caller`` may change what only an owner may (inode_owner_or_capable)."""
    return caller.uid in (0, node.uid)


def require_owner(node: Node, caller: Caller) -> None:
    """Raise EPERM unless ``owns``."""
    if not owns(node, caller):
        fail(errno.EPERM)


def check_sticky(directory: Node, victim: Node, caller: Caller) -> None:
    """Raise EPERM where a sticky directory lets only the owners remove a name."""
    if directory.mode & stat.S_ISVTX and caller.uid not in (0, victim.uid, directory.uid):
        fail(errno.EPERM)


def check_sticky_creation(directory: Node, node: Node, caller: Caller) -> None:
    """Raise EACCES where O_CREAT meets another's device in a sticky directory (may_create_in_sticky).

    Regular files and fifos are open to it unless sysctls protect them (fs.protected_regular, _fifos: 0 here).
    """
    if directory.mode & 0o1002 != 0o1002 or node.mode & 0o170000 in (0o100000, 0o010000):
        return
    if node.uid not in (directory.uid, caller.uid):
        fail(errno.EACCES)


def asked_mode(directory: Node, caller: Caller, mode: int) -> int:
    """The mode that is asked for a new file: setgid goes, then the umask's bits (vfs_prepare_mode)."""
    wanted, _ = new_mode(directory, caller, mode)
    return wanted & ~caller.umask if mode & 0o170000 != 0o040000 else mode & ~caller.umask


def new_mode(directory: Node, caller: Caller, mode: int) -> tuple[int, int]:
    """(mode, gid) of a new file: setgid directories hand down their group (inode_init_owner)."""
    if not directory.mode & stat.S_ISGID:
        return mode, caller.gid
    gid = directory.gid
    if mode & 0o170000 == 0o040000:
        return mode | stat.S_ISGID, gid
    if mode & 0o2010 == 0o2010 and not (caller.uid == 0 or caller.in_group(gid)):
        mode &= ~stat.S_ISGID
    return mode, gid


def drops_sgid(node: Node, caller: Caller) -> bool:
    """Whether a change of owner or of bytes takes the setgid bit (setattr_should_drop_sgid)."""
    if not node.mode & stat.S_ISGID:
        return False
    return node.mode & stat.S_IXGRP != 0 or not (caller.uid == 0 or caller.in_group(node.gid))


def dropped_by_write(node: Node, caller: Caller) -> int:
    """The mode bits that go once ``caller`` has written: setuid, setgid, unless root writes."""
    mode = node.mode
    if not mode & 0o6000 or caller.uid == 0 or mode & 0o170000 != 0o100000:
        return 0
    bits = mode & stat.S_ISUID
    return bits | stat.S_ISGID if drops_sgid(node, caller) else bits
