"""Files on their way out of any tree: as the entries of a plain tar, in which nothing means a deletion."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator
from typing import Final

from builder.context.content import content_of
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.nodes.kinds import major_of, minor_of
from unionfs_sim.tar.header import (
    BLOCK_DEVICE,
    CHARACTER,
    DIRECTORY,
    FIFO,
    HARDLINK,
    REGULAR,
    SYMLINK,
    TarHeader,
)
from unionfs_sim.tar.pack import Entry
from unionfs_sim.trees import walk

_KINDS: Final = {
    stat.S_IFREG: REGULAR,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFLNK: SYMLINK,
    stat.S_IFCHR: CHARACTER,
    stat.S_IFBLK: BLOCK_DEVICE,
    stat.S_IFIFO: FIFO,
}


def entries_below(tree: Filesystem, top: str, called: str) -> Iterator[Entry]:
    """What is at ``top``, and below it, as entries below the name ``called``; sockets are left out.

    Parents come first and names sorted; a file with several names is one entry and links to it.
    """
    known: dict[tuple[int, int], str] = {}
    for path, status in walk(tree, top):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind is None:
            continue
        below = path.removeprefix(top).strip("/")
        name = posixpath.join(called, below) if below else called
        header = TarHeader(
            f"{name}/" if kind == DIRECTORY else name,
            kind,
            stat.S_IMODE(status.st_mode),
            status.st_uid,
            status.st_gid,
            mtime_ns=status.st_mtime_ns,
        )
        if kind != DIRECTORY and status.st_nlink > 1:
            first = known.setdefault((status.st_dev, status.st_ino), name)
            if first != name:
                yield Entry(header._replace(kind=HARDLINK, link=first))
                continue
        match kind:
            case _ if kind == REGULAR:
                yield Entry(header._replace(size=status.st_size), content_of(tree, path, status))
            case _ if kind == SYMLINK:
                yield Entry(header._replace(link=tree.readlink(path)))
            case _ if kind in (CHARACTER, BLOCK_DEVICE):
                yield Entry(header._replace(major=major_of(status.st_rdev), minor=minor_of(status.st_rdev)))
            case _:
                yield Entry(header)
