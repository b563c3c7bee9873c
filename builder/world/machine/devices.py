"""The names under /dev that every container has, whatever its image holds.

OCI runtime-spec, config-linux.md, "Default Devices".

A runtime mounts /dev when it starts a container, so these names are never part of a layer.
"""

from __future__ import annotations

import errno
import os
import posixpath
import re
from collections.abc import Mapping
from typing import Final

from builder.world.machine.descriptor import Check, Descriptor, Stream, duplicate, opened
from unionfs_sim.vfs.posix import Posix
from unionfs_sim.vfs.walk import MAX_LINKS

_DESCRIPTOR: Final = re.compile(r"/dev/(?:fd/(\d+)|(stdin|stdout|stderr))|/proc/self/fd/(\d+)")
_STANDARD: Final = {"stdin": 0, "stdout": 1, "stderr": 2}


class Null:
    """/dev/null: empty, and takes everything."""

    def read(self, size: int = -1, /) -> bytes:  # noqa: ARG002
        """The end."""
        return b""

    def write(self, data: bytes, /) -> int:
        """Forget ``data``."""
        return len(data)

    def close(self) -> None:
        """Nothing to release."""


class Zero(Null):
    """/dev/zero: as many zero bytes as are asked for."""

    def read(self, size: int = -1, /) -> bytes:
        """``size`` zero bytes; whoever asks for all of them gets an error, since there is no end."""
        if size < 0:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        return bytes(size)


class Full(Zero):
    """/dev/full: no room, ever."""

    def write(self, data: bytes, /) -> int:  # noqa: ARG002
        """Refused: ENOSPC."""
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Random(Zero):
    """/dev/urandom: bytes that look random and are the same in every run (an xorshift generator)."""

    def __init__(self) -> None:
        self._state = 0x9E3779B97F4A7C15

    def read(self, size: int = -1, /) -> bytes:
        """The next ``size`` bytes of the sequence."""
        super().read(size if size < 0 else 0)
        pieces = bytearray()
        while len(pieces) < size:
            self._state ^= (self._state << 13) & 0xFFFFFFFFFFFFFFFF
            self._state ^= self._state >> 7
            self._state ^= (self._state << 17) & 0xFFFFFFFFFFFFFFFF
            pieces += self._state.to_bytes(8, "little")
        return bytes(pieces[:size])


_DEVICES: Final = {
    "/dev/null": Null,
    "/dev/zero": Zero,
    "/dev/full": Full,
    "/dev/random": Random,
    "/dev/urandom": Random,
}


def open_path(
    fs: Posix, fds: Mapping[int, Stream], path: str, flags: int, mode: int = 0o666, *, check: Check
) -> Descriptor:
    """What ``path`` names for a process with the table ``fds``, opened; OSError as open(2) has it.

    ``check`` raises when the process must end; it is called before each read and write.
    """
    special = _special(fds, path, check)
    if special is not None:
        return special
    try:
        return opened(fs.open(path, flags, mode), check)
    except OSError as error:
        # An image's log file may be a link to /dev/stdout, which leads to a descriptor of whoever opens it.
        if error.errno not in (errno.ENOENT, errno.EROFS):
            raise
        special = _special(fds, _linked(fs, path), check)
        if special is None:
            raise
        return special


def _special(fds: Mapping[int, Stream], path: str, check: Check) -> Descriptor | None:
    """What a name under /dev means that no file stands for; None for every other path."""
    if not path.startswith(("/dev/", "/proc/self/fd/")):
        return None
    device = _DEVICES.get(path)
    if device is not None:
        return opened(device(), check)
    if path == "/dev/tty":
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO), path)
    match = _DESCRIPTOR.fullmatch(path)
    if match is None:
        return None
    number = _STANDARD[match[2]] if match[2] else int(match[1] or match[3])
    if number not in fds:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return duplicate(fds[number])


def _linked(fs: Posix, path: str) -> str:
    """Where a chain of symlinks leads, as text."""
    for _ in range(MAX_LINKS):
        try:
            target = fs.readlink(path)
        except (OSError, ValueError):
            break
        path = posixpath.join(posixpath.dirname(path), target)
    return path
