"""What trees take, counted and never guessed."""

from __future__ import annotations

import stat

from builder.protocols import Usage
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.trees import walk


def usage_of(tree: Filesystem) -> Usage:
    """The bytes of all regular files and the number of inodes; a file with several names counts once."""
    size = inodes = 0
    seen: set[tuple[int, int]] = set()
    for _, status in walk(tree):
        if not stat.S_ISDIR(status.st_mode) and status.st_nlink > 1:
            inode = (status.st_dev, status.st_ino)
            if inode in seen:
                continue
            seen.add(inode)
        inodes += 1
        if stat.S_ISREG(status.st_mode):
            size += status.st_size
    return Usage(size, inodes)
