"""Who may do what: sticky directories, owners, and which bits of a mode go (fs/namei.c, fs/attr.c).

Whether the permission bits let somebody do something, an inode says itself (``Node.permits``).
"""

from __future__ import annotations

import errno
import os
from typing import NoReturn

from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.inode import Node
from unionfs_sim.nodes.kinds import (
    DIRECTORY,
    FIFO,
    GROUP_EXECUTE,
    REGULAR,
    SET_IDS,
    SETGID,
    SETGID_PROGRAM,
    SETUID,
    STICKY,
    STICKY_FOR_ALL,
    TYPE,
)


def fail(code: int) -> NoReturn:
    """Raise the OSError of ``code``; the verb that catches it adds the file's name."""
    raise OSError(code, os.strerror(code))


def require(node: Node, caller: Caller, wanted: int) -> None:
    """Raise EACCES unless the node ``permits``."""
    if not node.permits(caller, wanted):
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
    if directory.mode & STICKY and caller.uid not in (0, victim.uid, directory.uid):
        fail(errno.EPERM)


def check_sticky_creation(directory: Node, node: Node, caller: Caller) -> None:
    """Raise EACCES where O_CREAT meets another's device in a sticky directory (may_create_in_sticky).

    Regular files and fifos are open to it unless sysctls protect them (fs.protected_regular, _fifos: 0 here).
    """
    if directory.mode & STICKY_FOR_ALL != STICKY_FOR_ALL or node.mode & TYPE in (REGULAR, FIFO):
        return
    if node.uid not in (directory.uid, caller.uid):
        fail(errno.EACCES)


def asked_mode(directory: Node, caller: Caller, mode: int) -> int:
    """The mode that is asked for a new file: setgid goes, then the umask's bits (vfs_prepare_mode)."""
    wanted, _ = new_mode(directory, caller, mode)
    return wanted & ~caller.umask if mode & TYPE != DIRECTORY else mode & ~caller.umask


def new_mode(directory: Node, caller: Caller, mode: int) -> tuple[int, int]:
    """(mode, gid) of a new file: setgid directories hand down their group (inode_init_owner)."""
    if not directory.mode & SETGID:
        return mode, caller.gid
    gid = directory.gid
    if mode & TYPE == DIRECTORY:
        return mode | SETGID, gid
    if mode & SETGID_PROGRAM == SETGID_PROGRAM and not (caller.uid == 0 or caller.in_group(gid)):
        mode &= ~SETGID
    return mode, gid


def drops_sgid(node: Node, caller: Caller) -> bool:
    """Whether a change of owner or of bytes takes the setgid bit (setattr_should_drop_sgid)."""
    if not node.mode & SETGID:
        return False
    return node.mode & GROUP_EXECUTE != 0 or not (caller.uid == 0 or caller.in_group(node.gid))


def dropped_by_write(node: Node, caller: Caller) -> int:
    """The mode bits that go once ``caller`` has written: setuid, setgid, unless root writes."""
    mode = node.mode
    if not mode & SET_IDS or caller.uid == 0 or mode & TYPE != REGULAR:
        return 0
    bits = mode & SETUID
    return bits | SETGID if drops_sgid(node, caller) else bits
