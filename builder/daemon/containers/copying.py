"""Files of a container as a tar: ``docker cp`` out of it (Engine API, "ContainerArchive")."""

from __future__ import annotations

import base64
import json
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from builder.context.paths import clean, lstat, resolve
from builder.context.sending import entries_below
from builder.daemon.http.errors import NotFound
from unionfs_sim.filesystem import Filesystem, Stat
from unionfs_sim.tar.pack import write_tar

STAT_HEADER: Final = "X-Docker-Container-Path-Stat"
_GO_KINDS: Final = {
    stat.S_IFDIR: 1 << 31,
    stat.S_IFLNK: 1 << 27,
    stat.S_IFBLK: 1 << 26,
    stat.S_IFIFO: 1 << 25,
    stat.S_IFSOCK: 1 << 24,
    stat.S_IFCHR: 1 << 26 | 1 << 21,
}
"""The bits by which Go's ``fs.FileMode`` says what a file is."""

_GO_BITS: Final = ((stat.S_ISUID, 1 << 23), (stat.S_ISGID, 1 << 22), (stat.S_ISVTX, 1 << 20))


@dataclass(frozen=True, slots=True)
class Place:
    """What a path of a container leads to. ``path``: of the file itself; ``name``: as the archive has it."""

    path: str
    name: str
    status: Stat
    link: str

    def header(self) -> str:
        """What the header of the answer says of it."""
        mode = stat.S_IMODE(self.status.st_mode) & 0o777 | _GO_KINDS.get(stat.S_IFMT(self.status.st_mode), 0)
        for bit, go in _GO_BITS:
            mode |= go if self.status.st_mode & bit else 0
        seconds = self.status.st_mtime_ns // 1_000_000_000
        told = {
            "name": self.name,
            "size": self.status.st_size,
            "mode": mode,
            "mtime": datetime.fromtimestamp(max(seconds, 0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "linkTarget": self.link,
        }
        return base64.b64encode(json.dumps(told).encode()).decode()


def place_of(tree: Filesystem, written: str) -> Place:
    """What ``written`` leads to; NotFound if nothing. A symlink is meant itself, unless ``/`` follows."""
    path = clean(written)
    parent, name = posixpath.split(path)
    follows = written.endswith(("/", "/."))
    real = resolve(tree, path) if follows else posixpath.join(resolve(tree, parent), name)
    status = lstat(tree, real)
    if status is None or (follows and not stat.S_ISDIR(status.st_mode)):
        raise NotFound(f"Could not find the file {written} in the container")
    link = tree.readlink(real) if stat.S_ISLNK(status.st_mode) else ""
    return Place(real, name or "/", status, link)


def archived(tree: Filesystem, place: Place) -> Iterator[bytes]:
    """The tar of a file, or of a directory with all that is below it; sockets are left out."""
    return write_tar(entries_below(tree, place.path, place.name.strip("/") or "."))
