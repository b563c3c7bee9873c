"""Files that are replaced as a whole, so that nobody ever sees half of the new content."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress

from unionfs_sim.filesystem import Stat
from unionfs_sim.vfs.posix import Posix


def replace_file(fs: Posix, path: str, pieces: Iterable[bytes], before: Stat) -> None:
    """Give ``path`` new content and a new inode, with the mode and, if permitted, the owner of ``before``."""
    temporary = f"{path}.new"
    stream = fs.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, before.st_mode & 0o777)
    for piece in pieces:
        stream.write(piece)
    stream.close()
    with suppress(PermissionError):
        # Else the new file belongs to whoever made it.
        fs.chown(temporary, before.st_uid, before.st_gid)
    fs.chmod(temporary, stat.S_IMODE(before.st_mode))
    fs.rename(temporary, path)
