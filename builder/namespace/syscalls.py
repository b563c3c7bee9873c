"""The few system calls that Python 3.11 lacks; the only user of ctypes in the builder."""

from __future__ import annotations

import ctypes
import os
import signal
from functools import cache
from typing import Any, Final

CLONE_NEWNS: Final = 0x0002_0000
CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWPID: Final = 0x2000_0000
MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18
MNT_DETACH: Final = 2
PR_SET_PDEATHSIG: Final = 1


@cache
def _libc() -> Any:
    # PyDLL keeps the GIL, so that no other thread runs between a call and its errno.
    return ctypes.PyDLL(None, use_errno=True)


def _checked(name: str, status: int, path: str | None = None) -> None:
    if status < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}", path)


def unshare(flags: int) -> None:
    """Leave namespaces for new ones (unshare(2))."""
    _checked("unshare", _libc().unshare(ctypes.c_int(flags)))


def mount(source: str, target: str, kind: str | None, flags: int = 0, options: str | None = None) -> None:
    """Attach a file system (mount(2))."""
    status = _libc().mount(
        os.fsencode(source),
        os.fsencode(target),
        os.fsencode(kind) if kind is not None else None,
        ctypes.c_ulong(flags),
        os.fsencode(options) if options is not None else None,
    )
    _checked("mount", status, target)


def unmount(target: str, flags: int = MNT_DETACH) -> None:
    """Detach a file system, even one in use (umount2(2))."""
    _checked("umount", _libc().umount2(os.fsencode(target), ctypes.c_int(flags)), target)


def die_with_parent() -> None:
    """From now on the kernel kills this process when the one that forked it ends (prctl(2)).

    A later change of credentials takes it back; a parent that is dead already is not noticed.
    """
    _checked("prctl", _libc().prctl(ctypes.c_int(PR_SET_PDEATHSIG), ctypes.c_ulong(signal.SIGKILL)))
