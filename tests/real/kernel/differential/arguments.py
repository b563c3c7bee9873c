"""Random arguments for each verb."""

from __future__ import annotations

import os
import random
import stat
import struct
from typing import Any, Final

from .modes import Mode
from .operation import SLOTS
from .paths import ALL, Paths
from .shadow import Shadow
from .stacks import CONTENTS, DEVICE, DIRECTORY_MODES, FILE_MODES, GIDS, OLD_NS, TARGETS, UIDS

SIZES: Final = (0, 0, 1, 3, 100, 4095, 4096, 4097, 9000, 70000, 1 << 20)
FAR: Final = ((1 << 20) + 1, 3 << 20, (5 << 20) + 4097, 1 << 40, (1 << 63) - 1)
"""Places beyond the first chunk of a copy-up, beyond all memory, and the last that there is."""
CAPABILITIES: Final = (
    struct.pack("<5I", 0x02000001, 1, 0, 0, 0),
    struct.pack("<5I", 0x02000000, 1, 0, 0, 0),
    struct.pack("<6I", 0x03000001, 1, 0, 0, 0, 0),
    struct.pack("<6I", 0x03000001, 1, 0, 0, 0, 1000),
    struct.pack("<6I", 0x03000001, 1, 0, 0, 0, 0xFFFFFFFF),
    struct.pack("<5I", 0x02000002, 1, 0, 0, 0),
    struct.pack("<3I", 0x01000001, 1, 0),
    b"",
    b"value",
)
WRITES: Final = (b"w", b"write", b"", b"z" * 4096, bytes(3), b"m" * 5000)
ACCESS: Final = (os.F_OK, os.R_OK, os.W_OK, os.X_OK, os.R_OK | os.W_OK, os.R_OK | os.X_OK, 7)
OPEN_EXTRAS: Final = (
    (os.O_CREAT, 0.4),
    (os.O_EXCL, 0.12),
    (os.O_TRUNC, 0.2),
    (os.O_APPEND, 0.15),
    (os.O_NOFOLLOW, 0.12),
    (os.O_DIRECTORY, 0.1),
    (os.O_PATH, 0.06),
    (os.O_NOATIME, 0.05),
)


class Arguments(Paths):
    """Draws the arguments of a call; a method for each verb."""

    def __init__(self, rng: random.Random, mode: Mode, shadow: Shadow) -> None:
        super().__init__(rng, shadow)
        self._mode = mode

    def of(self, verb: str) -> tuple[Any, ...]:
        """Arguments for the verb."""
        drawn: tuple[Any, ...] = getattr(self, "_" + verb)()
        return drawn

    def _stat(self) -> tuple[Any, ...]:
        return (self._existing(),)

    _lstat = _statvfs = _stat

    def _access(self) -> tuple[Any, ...]:
        return self._existing(), self._rng.choice(ACCESS)

    def _readlink(self) -> tuple[Any, ...]:
        return (self._existing("l", surely=0.9),)

    def _listdir(self) -> tuple[Any, ...]:
        return (self._existing("d"),)

    def _mkdir(self) -> tuple[Any, ...]:
        return self._fresh(), self._rng.choice(DIRECTORY_MODES)

    def _rmdir(self) -> tuple[Any, ...]:
        empty = self._chance(0.75)
        return (self._spell(self._shadow.empty_directory(self._rng)) if empty else self._existing("d"),)

    def _unlink(self) -> tuple[Any, ...]:
        return (self._existing("fls"),)

    def _pair(self) -> tuple[str, str]:
        rng = self._rng
        kinds = rng.choice(("d", "d", "f", "f", "l", "s"))
        source = self._existing(kinds)
        if self._chance(0.55):
            return source, self._fresh()
        if kinds == "d" and self._chance(0.6):
            return source, self._spell(self._shadow.empty_directory(rng))
        return source, self._existing("d" if kinds == "d" else "fls" if self._chance(0.9) else ALL)

    def _rename(self) -> tuple[Any, ...]:
        return self._pair()

    def _renameat2(self) -> tuple[Any, ...]:
        flags = self._rng.choice((0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 4, 8))
        source, target = self._pair()
        if flags == 2:
            target = self._existing(ALL, surely=1)
        elif flags == 1:
            target = self._fresh()
        return source, target, flags

    def _link(self) -> tuple[Any, ...]:
        return self._existing("fffls"), self._fresh(), self._chance(0.3)

    def _symlink(self) -> tuple[Any, ...]:
        return self._rng.choice(TARGETS) if self._chance(0.6) else self._existing(), self._fresh()

    def _mknod(self) -> tuple[Any, ...]:
        rng = self._rng
        kind, rdev = rng.choice(
            (
                (stat.S_IFREG, 0),
                (0, 0),
                (stat.S_IFIFO, 0),
                (stat.S_IFIFO, 0),
                (stat.S_IFSOCK, 0),
                (stat.S_IFCHR, DEVICE),
                (stat.S_IFBLK, DEVICE),
                (stat.S_IFCHR, 0),
                (stat.S_IFDIR, 0),
            )
        )
        return self._fresh(), kind | rng.choice(FILE_MODES), rdev

    def _chmod(self) -> tuple[Any, ...]:
        return self._existing(), self._rng.choice(DIRECTORY_MODES + FILE_MODES)

    def _chown(self) -> tuple[Any, ...]:
        rng = self._rng
        return self._existing(), rng.choice((-1, *UIDS)), rng.choice((-1, -1, *GIDS)), self._chance(0.5)

    def _utime(self) -> tuple[Any, ...]:
        rng = self._rng
        return self._existing(), rng.choice(OLD_NS), rng.choice(OLD_NS), self._chance(0.5)

    def _utime_now(self) -> tuple[Any, ...]:
        return (self._existing(),)

    def _chdir(self) -> tuple[Any, ...]:
        return ("/" + self._existing("d"),)

    def _truncate(self) -> tuple[Any, ...]:
        return self._existing("f"), self._rng.choice((*SIZES, -1) if self._chance(0.1) else SIZES)

    def _place(self) -> int:
        return self._rng.choice(FAR if self._chance(0.06) else SIZES)

    def _xattr_name(self) -> str:
        names: tuple[str, ...] = (
            "user.k",
            "user.k",
            "user.k",
            "user.l",
            "user.l",
            "trusted.k",
            "security.k",
            "security.capability",
            "security.capability",
            "system.k",
            "trusted.",
            "user.",
            "bad",
            "user." + "n" * 251,
        )
        if self._chance(0.25):
            mark = self._rng.choice(
                ("opaque", "redirect", "metacopy", "whiteout", "origin", "x", "overlay.opaque", "")
            )
            return self._mode.prefix + mark
        return self._rng.choice(names)

    def _getxattr(self) -> tuple[Any, ...]:
        follow = self._chance(0.5)
        if self._shadow.xattrs and self._chance(0.85):
            return (*self._rng.choice(self._shadow.xattrs), self._chance(0.3))
        return self._existing(), self._xattr_name(), follow

    _removexattr = _getxattr

    def _setxattr(self) -> tuple[Any, ...]:
        rng = self._rng
        flags = rng.choice((0, 0, 0, os.XATTR_CREATE, os.XATTR_REPLACE, 3))
        name = self._xattr_name()
        values = (b"", b"y", b"x", b"value", b"/a", b"v" * 300)
        value = rng.choice(CAPABILITIES if name == "security.capability" else values)
        return self._existing("dff"), name, value, flags, self._chance(0.5)

    def _listxattr(self) -> tuple[Any, ...]:
        return self._existing(), self._chance(0.5)

    def _open(self) -> tuple[Any, ...]:
        rng = self._rng
        if self._chance(0.05):
            return self.open_unnamed()
        flags = rng.choice((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR))
        for bit, probability in OPEN_EXTRAS:
            if self._chance(probability):
                flags |= bit
        if flags & os.O_CREAT and self._chance(0.6):
            path = self._fresh()
        else:
            path = self._existing("d" if flags & os.O_DIRECTORY else "fffd" if flags & 3 == 0 else "f")
        return rng.randrange(SLOTS), path, flags, rng.choice(FILE_MODES)

    def _slot(self, *, writable: bool | None = None) -> int:
        slots = [
            number
            for number, flags in self._shadow.slots.items()
            if writable is None or (flags & 3 != 0) == writable or flags & 3 == 2
        ]
        return self._rng.choice(slots) if slots and self._chance(0.9) else self._rng.randrange(SLOTS)

    def _close(self) -> tuple[Any, ...]:
        return (self._slot(),)

    _fstat = _fsync = _close

    def _file_slot(self) -> int:
        """A slot that holds no removed directory: changing such a one is beyond what is simulated."""
        slots = [number for number in self._shadow.slots if number not in self._shadow.doubtful_slots]
        return self._rng.choice(slots) if slots else -1

    def _fchmod(self) -> tuple[Any, ...]:
        return self._file_slot(), self._rng.choice(FILE_MODES)

    def _fchown(self) -> tuple[Any, ...]:
        return self._file_slot(), *self._chown()[1:3]

    def _futime(self) -> tuple[Any, ...]:
        return self._file_slot(), *self._utime()[1:3]

    def _fsetxattr(self) -> tuple[Any, ...]:
        if self._chance(0.4):
            return self._file_slot(), "user.k", b"v", 0
        return self._file_slot(), *self._setxattr()[1:4]

    def _fgetxattr(self) -> tuple[Any, ...]:
        if self._shadow.slot_xattrs and self._chance(0.8):
            return self._rng.choice(self._shadow.slot_xattrs)
        return self._slot(), self._getxattr()[1]

    def open_unnamed(self) -> tuple[Any, ...]:
        """The arguments of an open that makes a file without a name."""
        rng = self._rng
        flags = os.O_TMPFILE | rng.choice((os.O_WRONLY, os.O_RDWR, os.O_RDWR, os.O_RDWR, os.O_RDONLY))
        return rng.randrange(SLOTS), self._existing("d"), flags, rng.choice(FILE_MODES)

    def open_directory(self) -> tuple[Any, ...]:
        """The arguments of an open that gives a directory."""
        return self._rng.randrange(SLOTS), self._existing("d"), os.O_RDONLY | os.O_DIRECTORY, 0

    def _flistdir(self) -> tuple[Any, ...]:
        directories = [n for n, flags in self._shadow.slots.items() if flags & os.O_DIRECTORY]
        return (self._rng.choice(directories) if directories else self._slot(),)

    def _link_open(self) -> tuple[Any, ...]:
        unnamed = [n for n, flags in self._shadow.slots.items() if flags & os.O_TMPFILE == os.O_TMPFILE]
        held = unnamed if unnamed and self._chance(0.6) else [*self._shadow.slots]
        return self._rng.choice(held) if held else -1, self._fresh()

    def _read(self) -> tuple[Any, ...]:
        return self._slot(writable=False), self._rng.choice(SIZES)

    def _write(self) -> tuple[Any, ...]:
        return self._slot(writable=True), self._rng.choice(WRITES)

    def _pread(self) -> tuple[Any, ...]:
        return self._slot(writable=False), self._rng.choice(SIZES), self._place()

    def _pwrite(self) -> tuple[Any, ...]:
        return self._slot(writable=True), self._rng.choice(WRITES), self._place() if self._chance(0.9) else -1

    def _seek(self) -> tuple[Any, ...]:
        whence = self._rng.choice((0, 0, 1, 2, os.SEEK_DATA, os.SEEK_HOLE))
        return self._slot(), self._place() if self._chance(0.8) else self._rng.choice((-1, -10)), whence

    def _ftruncate(self) -> tuple[Any, ...]:
        return self._slot(writable=True), self._place()

    def _read_file(self) -> tuple[Any, ...]:
        return (self._existing("f"),)

    def _write_file(self) -> tuple[Any, ...]:
        rng = self._rng
        path = self._fresh() if self._chance(0.4) else self._existing("f")
        return path, rng.choice(CONTENTS), rng.choice(FILE_MODES)
