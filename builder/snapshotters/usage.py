"""What trees take, counted and never guessed."""

from __future__ import annotations

import stat

from builder.context.paths import join
from builder.protocols import Usage
from unionfs_sim.filesystem import Filesystem


def usage_of(tree: Filesystem) -> Usage:
    """The bytes of all regular files and the number of inodes; a file with several names counts once."""
    size = inodes = 0
    seen: set[tuple[int, int]] = set()
    pending = ["/"]
    while pending:
        path = pending.pop()
        status = tree.lstat(path)
        if stat.S_ISDIR(status.st_mode):
            pending.extend(join(path, name) for name in tree.listdir(path))
        elif status.st_nlink > 1:
            inode = (status.st_dev, status.st_ino)
            if inode in seen:
                continue
            seen.add(inode)
        inodes += 1
        if stat.S_ISREG(status.st_mode):
            size += status.st_size
    return Usage(size, inodes)
