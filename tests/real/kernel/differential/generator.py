"""Random calls, steered so that most of them can succeed."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from typing import Final

from .arguments import Arguments
from .modes import Mode
from .operation import CALLERS, Op
from .shadow import Shadow

WEIGHTS: Final[Mapping[str, int]] = {
    "stat": 4,
    "lstat": 6,
    "access": 4,
    "readlink": 3,
    "listdir": 4,
    "mkdir": 7,
    "rmdir": 6,
    "unlink": 8,
    "rename": 11,
    "renameat2": 6,
    "link": 6,
    "symlink": 4,
    "mknod": 4,
    "chmod": 5,
    "chown": 5,
    "utime": 4,
    "utime_now": 1,
    "chdir": 1,
    "truncate": 4,
    "getxattr": 3,
    "setxattr": 6,
    "listxattr": 3,
    "removexattr": 3,
    "statvfs": 1,
    "open": 11,
    "close": 1,
    "read": 3,
    "write": 4,
    "pread": 2,
    "pwrite": 3,
    "seek": 2,
    "ftruncate": 2,
    "fstat": 3,
    "fsync": 1,
    "fchmod": 1,
    "fchown": 1,
    "futime": 1,
    "fsetxattr": 1,
    "fgetxattr": 1,
    "flistdir": 1,
    "link_open": 2,
    "read_file": 4,
    "write_file": 6,
}
_VERBS: Final = tuple(WEIGHTS)
_SHARES: Final = tuple(WEIGHTS.values())
_ON_SLOTS: Final = frozenset(
    (
        *("close", "read", "write", "pread", "pwrite", "seek", "ftruncate", "fstat", "fsync"),
        *("fchmod", "fchown", "futime", "fsetxattr", "fgetxattr", "flistdir", "link_open"),
    )
)


class Generator:
    """Draws one call after the other."""

    def __init__(self, rng: random.Random, mode: Mode, shadow: Shadow) -> None:
        self._rng = rng
        self._shadow = shadow
        self._arguments = Arguments(rng, mode, shadow)

    def next(self) -> Op:
        """The next call."""
        rng = self._rng
        verb = rng.choices(_VERBS, _SHARES)[0]
        if verb in _ON_SLOTS and not self._shadow.slots and rng.random() < 0.9:
            verb = "open"
        held = self._shadow.slots.values()
        if verb == "link_open" and rng.random() < 0.3:
            return Op("open", 0, self._arguments.open_unnamed())
        if verb == "flistdir" and not any(flags & os.O_DIRECTORY for flags in held):
            return Op("open", 0, self._arguments.open_directory())
        if verb == "fgetxattr" and not self._shadow.slot_xattrs:
            verb = "fsetxattr"
        # Root alone may link a descriptor; and it changes the directory for all, so that relative paths
        # start at the same place.
        caller = (
            0 if verb in ("chdir", "link_open") or rng.random() < 0.58 else rng.randrange(1, len(CALLERS))
        )
        return Op(verb, caller, self._arguments.of(verb))
