"""Unpacking for ADD: a tar, plain or compressed, becomes edits. What would leave the destination is refused.

Like docker, what a file is, its bytes say and not its name (moby ``pkg/archive``, ``IsArchivePath``).
"""

from __future__ import annotations

import stat
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from builder.context.copying import Destination, Draft
from builder.context.edit import MakeHardlink, MakeNode, MakeSymlink, WriteFile
from builder.context.paths import join, leaves
from builder.errors import BuildError
from unionfs_sim.content import Content
from unionfs_sim.filesystem import Attributes

MAX_UNPACKED_BYTES: Final = 2 << 30
MAX_ENTRIES: Final = 1_000_000
_FAILURES: Final = (tarfile.TarError, EOFError, zlib.error, OSError, ValueError)


def is_archive(content: Content) -> bool:
    """Whether the bytes are a tar with at least one entry, plain or compressed with gzip, bzip2 or xz."""
    try:
        with content.open() as stream, tarfile.open(fileobj=stream, mode="r:*") as tar:
            return tar.next() is not None
    except _FAILURES:
        return False


def unpack(content: Content, name: str, draft: Draft, to: Destination) -> None:
    """Draft every entry of the archive below the destination; BuildError names what is wrong with it.

    Entries keep the owner and mode that the archive gives; only directories that it does not hold belong
    to the owner of the copy.
    """
    top = draft.resolve(to.path)
    draft.directory(top)
    total = 0
    try:
        with content.open() as stream, tarfile.open(fileobj=stream, mode="r:*") as tar:
            for count, member in enumerate(_members(tar)):
                total += member.size
                if count > MAX_ENTRIES or total > MAX_UNPACKED_BYTES:
                    raise BuildError(f"ADD {name}: the archive unpacks to more than can be held")
                _entry(tar, member, top, name, draft)
    except _FAILURES as error:
        raise BuildError(f"ADD {name}: the archive is broken: {error}") from None


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        yield member
        tar.members = []  # type: ignore[misc]  # else every entry is kept until the end


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo, top: str, name: str, draft: Draft) -> None:
    if leaves(member.name) or "\0" in member.name:
        raise BuildError(f"ADD {name}: the entry {member.name!r} would leave the destination")
    relative = str(PurePosixPath(member.name.lstrip("/")))
    if relative == ".":
        return
    parent = draft.resolve(join(top, str(PurePosixPath(relative).parent)))
    draft.directory(parent)
    path = join(parent, PurePosixPath(relative).name)
    attributes = Attributes(
        mode=None if member.issym() else member.mode & 0o7777,
        uid=member.uid,
        gid=member.gid,
        mtime_ns=int(member.mtime * 1_000_000_000),
    )
    if member.isdir():
        draft.copy_directory(path, attributes)
    elif member.issym():
        draft.place(MakeSymlink(path, member.linkname, attributes), stat.S_IFLNK, member.linkname)
    elif member.islnk():
        if leaves(member.linkname):
            raise BuildError(f"ADD {name}: the entry {member.name!r} links to a file outside")
        draft.place(MakeHardlink(path, draft.resolve(join(top, member.linkname))), stat.S_IFREG)
    elif member.isfile():
        reader = tar.extractfile(member)
        body = reader.read() if reader is not None else b""
        if len(body) != member.size:
            raise BuildError(f"ADD {name}: the archive ends in the middle of {member.name!r}")
        draft.place(WriteFile(path, Content.of(body), attributes), stat.S_IFREG)
    elif member.isfifo():
        draft.place(MakeNode(path, stat.S_IFIFO | 0o600, 0, attributes), stat.S_IFIFO)
