"""What a mode says: the type of a file and its bits, as Linux numbers them (inode(7)); and device numbers.

Written once: the numbers are the same on every machine, whatever its own ``stat`` module holds.
"""

from __future__ import annotations

from typing import Final

TYPE: Final = 0o170000
"""The bits of a mode that tell the type: ``mode & TYPE == DIRECTORY``."""
SOCKET: Final = 0o140000
SYMLINK: Final = 0o120000
REGULAR: Final = 0o100000
BLOCK_DEVICE: Final = 0o060000
DIRECTORY: Final = 0o040000
CHARACTER_DEVICE: Final = 0o020000
FIFO: Final = 0o010000

PERMISSIONS: Final = 0o7777
"""All bits that chmod(2) can set."""
SETUID: Final = 0o4000
SETGID: Final = 0o2000
STICKY: Final = 0o1000
SET_IDS: Final = SETUID | SETGID
EVERYTHING: Final = 0o777
EXECUTABLE: Final = 0o111
GROUP_EXECUTE: Final = 0o010
SETGID_PROGRAM: Final = SETGID | GROUP_EXECUTE
"""Setgid where the group may execute; without that bit setgid once meant mandatory locks."""
STICKY_FOR_ALL: Final = STICKY | 0o002
"""A sticky directory in which everybody may write."""

READ: Final = 4
WRITE: Final = 2
EXECUTE: Final = 1
"""What somebody wants to do, or may: three bits of a mode."""

WORDS: Final = {
    REGULAR: "file",
    DIRECTORY: "directory",
    SYMLINK: "symlink",
    FIFO: "fifo",
    SOCKET: "socket",
    CHARACTER_DEVICE: "device",
    BLOCK_DEVICE: "device",
}
"""What each type is called."""


def device_number(major: int, minor: int) -> int:
    """The number of a device as Linux encodes it (makedev(3)).

    >>> device_number(1, 3), major_of(259), minor_of(259)
    (259, 1, 3)
    """
    return (major & 0xFFF) << 8 | (major & 0xFFFFF000) << 32 | (minor & 0xFF) | (minor & 0xFFFFFF00) << 12


def major_of(number: int) -> int:
    """The driver's part of a device number."""
    return (number >> 8) & 0xFFF | (number >> 32) & 0xFFFFF000


def minor_of(number: int) -> int:
    """The device's part of a device number."""
    return number & 0xFF | (number >> 12) & 0xFFFFFF00
