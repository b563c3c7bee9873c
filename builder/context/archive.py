"""Unpacking for ADD: a tar, plain or compressed, becomes edits. What would leave the destination is refused.

Like docker, what a file is, its bytes say and not its name (moby ``pkg/archive``, ``IsArchivePath``).
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final, cast

from builder.context.copying import Destination, Draft
from builder.context.edit import MakeHardlink, MakeNode, MakeSymlink, WriteFile
from builder.context.paths import Below, join, leaves, lstat
from builder.errors import BuildError
from builder.image.compression import zstd_module
from unionfs_sim.filesystem import Attributes
from unionfs_sim.nodes.content import Content, Slice
from unionfs_sim.tar.compression import Format, decompress

MAX_UNPACKED_BYTES: Final = 2 << 30
MAX_ENTRIES: Final = 1_000_000
_FAILURES: Final = (tarfile.TarError, EOFError, OSError, ValueError)
_PIECE: Final = 1 << 20
_INLINE_BYTES: Final = 256 * 1024
_FORMATS: Final = (Format.GZIP, Format.BZIP2, Format.XZ, Format.ZSTD)


def is_archive(content: Content) -> bool:
    """Whether the bytes are a tar with at least one entry, plain or compressed as docker knows it."""
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Pieces(_plain(content))), mode="r|") as tar:
            return tar.next() is not None
    except _FAILURES:
        return False


def unpack(content: Content, name: str, draft: Draft, to: Destination) -> None:
    """Draft every entry of the archive below the destination; BuildError names what is wrong with it.

    ``name``: what errors call the archive, such as ``ADD src.tar``.

    Entries keep the mode that the archive gives, and the owner unless the copy has one. The destination is
    the root for every symlink, and what is in the way of an entry goes (moby ``chrootarchive``, ``Untar``).
    Large files stay in an unnamed file on disk until they are written.
    """
    top = draft.resolve(to.path)
    draft.directory(top)
    below = draft.below(top)
    try:
        spool, size = _decompressed(content, name)
        with spool, tarfile.open(fileobj=spool, mode="r:") as tar:
            kept = _Descriptor(os.dup(spool.fileno()), size)
            for count, member in enumerate(_members(tar)):
                if count > MAX_ENTRIES:
                    raise BuildError(f"{name}: the archive holds more than {MAX_ENTRIES} entries")
                _Entry(tar, member, kept, name, to.owner).draft(below, draft)
    except _FAILURES as error:
        raise BuildError(f"{name}: the archive is broken: {error}") from None


def _plain(content: Content) -> Iterator[bytes]:
    return decompress(content.chunks(), _FORMATS, zstd=zstd_module)


class _Pieces(io.RawIOBase):
    """Pieces as a file that can only be read from its beginning to its end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._waiting:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._waiting = piece
        size = min(len(buffer), len(self._waiting))
        buffer[:size], self._waiting = self._waiting[:size], self._waiting[size:]
        return size


def _decompressed(content: Content, name: str) -> tuple[BinaryIO, int]:
    """The tar without its compression, in a file that has no name, and its size.

    The last block of a tar may be short, as docker's client leaves it: the file is filled up with zeros.
    """
    spool = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        for piece in _plain(content):
            spool.write(piece)
            if spool.tell() > MAX_UNPACKED_BYTES:
                raise BuildError(f"{name}: the archive unpacks to more than {MAX_UNPACKED_BYTES} bytes")
        size = spool.tell()
        spool.write(bytes(-size % tarfile.BLOCKSIZE))
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return spool, size


class _Descriptor:
    """An open file, closed with the last content that is a slice of it. ``size``: of the tar in it."""

    def __init__(self, number: int, size: int) -> None:
        self.size = size
        self._number = number

    def fileno(self) -> int:
        return self._number

    def __del__(self) -> None:
        os.close(self._number)


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        yield member
        # tarfile keeps every entry it has seen (TarFile.members); a hostile archive has many.
        vars(tar)["members"] = []


@dataclass(frozen=True, slots=True)
class _Entry:
    tar: tarfile.TarFile
    member: tarfile.TarInfo
    spool: _Descriptor
    archive: str
    owner: tuple[int, int] | None

    def draft(self, below: Below, draft: Draft) -> None:
        member = self.member
        if leaves(member.name) or "\0" in member.name:
            raise BuildError(f"{self.archive}: the entry {member.name!r} would leave the destination")
        relative = PurePosixPath(member.name.lstrip("/"))
        if str(relative) == ".":
            return
        parent = below.resolve(str(relative.parent))
        if lstat(draft, parent) is None and self._is_symlink(below, relative.parent):
            raise BuildError(
                f"{self.archive}: the entry {member.name!r} lies below a symlink that leads nowhere"
            )
        draft.directory(parent)
        path = join(parent, relative.name)
        uid, gid = self.owner or (member.uid, member.gid)
        attributes = Attributes(
            mode=None if member.issym() else member.mode & 0o7777,
            uid=uid,
            gid=gid,
            mtime_ns=int(member.mtime * 1_000_000_000),
        )
        source = self._link_source(below) if member.islnk() else ""
        if source == path:
            return
        draft.make_way(path, for_directory=member.isdir())
        if member.isdir():
            draft.copy_directory(path, attributes)
        elif member.issym():
            draft.place(MakeSymlink(path, member.linkname, attributes), stat.S_IFLNK, member.linkname)
        elif member.islnk():
            if lstat(draft, source) is None:
                raise BuildError(
                    f"{self.archive}: the entry {member.name!r} links to {member.linkname!r}, "
                    "which is not there"
                )
            draft.place(MakeHardlink(path, source), stat.S_IFREG)
        elif member.isfile():
            draft.place(WriteFile(path, self._content(), attributes), stat.S_IFREG)
        elif member.isfifo():
            draft.place(MakeNode(path, stat.S_IFIFO | 0o600, 0, attributes), stat.S_IFIFO)

    @staticmethod
    def _is_symlink(below: Below, path: PurePosixPath) -> bool:
        """Whether the name itself is a symlink, wherever the directories on the way lead."""
        place = join(below.resolved(str(path.parent)), path.name)
        found = lstat(below, place)
        return found is not None and stat.S_ISLNK(found.st_mode)

    def _link_source(self, below: Below) -> str:
        """The place of the file that a hard link names; its last component may be a symlink."""
        if leaves(self.member.linkname):
            raise BuildError(f"{self.archive}: the entry {self.member.name!r} links to a file outside")
        relative = PurePosixPath(self.member.linkname.lstrip("/"))
        return join(below.resolve(str(relative.parent)), relative.name)

    def _content(self) -> Content:
        member = self.member
        stored = member.size if not member.issparse() else sum(size for _, size in cast(Any, member.sparse))
        if member.offset_data + stored > self.spool.size:
            raise BuildError(f"{self.archive}: the archive ends in the middle of {member.name!r}")
        if member.size > _INLINE_BYTES and not member.issparse():
            return Slice(cast(BinaryIO, self.spool), member.offset_data, member.size)
        reader = self.tar.extractfile(member)
        body = reader.read() if reader is not None else b""
        if len(body) != member.size:
            raise BuildError(f"{self.archive}: the archive ends in the middle of {member.name!r}")
        return Content.of(body)
