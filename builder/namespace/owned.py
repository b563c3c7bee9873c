"""Who owns a file where there is a single id: an attribute of the file keeps it.

The attribute survives what RUN does to a file of a lower layer (overlayfs copies it up). A symlink can bear
none, so its directory bears it.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from builder.namespace.stack import Ownership, Stack
from unionfs_sim.filesystem import Attributes, Stat
from unionfs_sim.host.directory import HostDirectory
from unionfs_sim.nodes.record import replace

OWNER: Final = "user.layerlab.owner"
"""The attribute's name; its value is ``UID:GID``. A dot and a name after it: of that symlink in here."""

UNIONS: Final = tuple(each.unions for each in Ownership)
"""How attributes begin that belong to a union, never to a file."""

CAPABILITY: Final = "security.capability"
_CANNOT: Final = frozenset([errno.EPERM, errno.ENOTSUP, errno.ENOSPC, errno.E2BIG, errno.ERANGE])
_NAME_MAX: Final = 255


def is_files_own(xattr: str) -> bool:
    """Whether an attribute belongs to a file of an image and root inside may set it (xattr(7))."""
    return xattr == CAPABILITY or (xattr.startswith("user.") and not xattr.startswith((*UNIONS, OWNER)))


def owner_of(xattrs: Mapping[str, bytes], link: str | None = None) -> tuple[int, int] | None:
    """The owner that the attributes of a file keep, or those of a directory for a ``link`` in it."""
    value = xattrs.get(OWNER if link is None else name_for(link))
    uid, _, gid = (value or b"").partition(b":")
    if uid.isdigit() and gid.isdigit() and max(int(uid), int(gid)) < 2**32 - 1:
        return int(uid), int(gid)
    return None


def name_for(link: str) -> str:
    """The attribute of a directory that keeps the owner of the symlink, fifo or device ``link`` in it."""
    return f"{OWNER}.{link}".encode("utf-8", "surrogateescape")[:_NAME_MAX].decode("utf-8", "surrogateescape")


class OwnedDirectory(HostDirectory):
    """A real directory whose files have the owners that they should, one way or the other."""

    def __init__(self, path: str, ownership: Ownership) -> None:
        super().__init__(path)
        self._is_kept = ownership is Ownership.KEPT

    def lstat(self, path: str | bytes, /) -> Stat:
        """The attributes of the name itself, with the owner that it should have."""
        status = super().lstat(path)
        if not self._is_kept:
            return status
        where, link = _place(os.fsdecode(path), status)
        owner = owner_of(super().xattrs(where), link)
        return status if owner is None else status._replace(st_uid=owner[0], st_gid=owner[1])

    def xattrs(self, path: str | bytes, /) -> dict[str, bytes]:
        """The extended attributes of the file itself, without the union's."""
        found = super().xattrs(path)
        return {name: value for name, value in found.items() if not name.startswith((*UNIONS, OWNER))}

    def setattr(self, path: str | bytes, change: Attributes, /) -> None:
        """Change attributes of the name itself; those that only the machine's root may set are left out."""
        if change.xattrs:
            wanted = {name: value for name, value in change.xattrs.items() if is_files_own(name)}
            change = replace(change, xattrs=wanted or None)
        if self._is_kept and not (change.uid is None and change.gid is None):
            self._keep(os.fsdecode(path), change)
            change = replace(change, uid=None, gid=None)
        super().setattr(path, change)

    def _keep(self, path: str, change: Attributes) -> None:
        status = self.lstat(path)
        uid = status.st_uid if change.uid is None else change.uid
        gid = status.st_gid if change.gid is None else change.gid
        where, link = _place(path, status)
        name = OWNER if link is None else name_for(link)
        if uid == gid == 0 and name not in super().xattrs(where):
            return
        value = None if uid == gid == 0 else f"{uid}:{gid}".encode()
        try:
            super().setattr(where, Attributes(xattrs={name: value}))
        except OSError as error:
            if error.errno not in _CANNOT:
                raise


def _place(path: str, status: Stat) -> tuple[str, str | None]:
    """Whose attribute says who owns ``path``: its own, or its directory's, for a link of that name."""
    if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
        return path, None
    above, name = posixpath.split(path.rstrip("/"))
    return above or "/", name


@contextmanager
def opened(stack: Stack) -> Iterator[OwnedDirectory]:
    """The root that ``stack`` describes, to be read and changed by this process."""
    mounted = stack.mount()
    try:
        directory = OwnedDirectory(f"/proc/self/fd/{mounted}", stack.ownership)
    finally:
        os.close(mounted)
    with directory:
        yield directory
