"""Locks on open files (flock(2)): the kernel drops them with the process that held them."""

from __future__ import annotations

import enum
from types import ModuleType


class Lock(enum.Enum):
    """What a descriptor may hold of its file."""

    SHARED = "shared"
    ALONE = "alone"
    NONE = "none"


def hold(descriptor: int, lock: Lock) -> None:
    """Take or change the lock; waits for others. Where a system has no such locks, everybody has them."""
    fcntl = _fcntl()
    if fcntl is not None:
        operation = {Lock.SHARED: fcntl.LOCK_SH, Lock.ALONE: fcntl.LOCK_EX, Lock.NONE: fcntl.LOCK_UN}[lock]
        fcntl.flock(descriptor, operation)


def try_alone(descriptor: int) -> bool:
    """Whether the lock could be had at once, without anybody else holding one."""
    fcntl = _fcntl()
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fcntl() -> ModuleType | None:
    """The module fcntl, which Windows and WebAssembly lack."""
    try:
        import fcntl
    except ImportError:
        return None
    return fcntl
