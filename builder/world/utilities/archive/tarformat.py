"""The members of a tar archive: read (ustar, GNU, pax) and written (as busybox writes them)."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.utilities.streams import octets, words
from unionfs_sim.nodes.kinds import device_number, major_of, minor_of

BLOCK: Final = 512
MAX_EXTENDED: Final = 1 << 20
"""Bytes of an extended header or a long name that are read; more is hostile."""

KINDS: Final = {
    b"0": stat.S_IFREG,
    b"\0": stat.S_IFREG,
    b"7": stat.S_IFREG,
    b"1": 0,
    b"2": stat.S_IFLNK,
    b"3": stat.S_IFCHR,
    b"4": stat.S_IFBLK,
    b"5": stat.S_IFDIR,
    b"6": stat.S_IFIFO,
}
"""The file type that a type flag means; 0 for a hard link."""


class TarError(Exception):
    """An archive that cannot be read; the text is what busybox says."""


@dataclass(slots=True)
class Member:
    """One member. ``kind``: a S_IFMT value, or 0 for a hard link to ``link``."""

    name: str
    kind: int
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    link: str = ""
    user: str = ""
    group: str = ""
    rdev: int = 0


class MemberReader:
    """Reads the members of a stream in order; ``content`` gives the pieces of the one read last."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._left = 0
        self._padding = 0
        self._begun = False

    def _read(self, size: int) -> bytes:
        pieces = []
        while size and (piece := self._stream.read(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _exactly(self, size: int) -> bytes:
        read = self._read(size)
        if len(read) < size:
            raise TarError("short read")
        return read

    def content(self) -> Iterator[bytes]:
        """The content of the last member, in pieces. Raises TarError if it is cut off."""
        while self._left:
            piece = self._stream.read(min(self._left, 1 << 16))
            if not piece:
                raise TarError("short read")
            self._left -= len(piece)
            yield piece

    def _skip(self) -> None:
        for _ in self.content():
            pass
        self._read(self._padding)
        self._padding = 0

    def __iter__(self) -> Iterator[Member]:
        pax: dict[str, bytes] = {}
        common: dict[str, bytes] = {}
        long: dict[str, str] = {}
        while (block := self._block()) is not None:
            flag = block[156:157]
            size = _number(block[124:136])
            if flag in (b"L", b"K", b"x", b"g"):
                extended = self._extended(size)
                if flag in (b"L", b"K"):
                    long["name" if flag == b"L" else "link"] = words(extended.split(b"\0", 1)[0])
                else:
                    (pax if flag == b"x" else common).update(_records(extended))
                continue
            member = _member(block, flag, size, {**common, **pax}, long)
            pax, long = {}, {}
            if member is None:
                raise TarError(f"unknown typeflag: 0x{flag[0]:x}")
            self._left = member.size if member.kind == stat.S_IFREG else 0
            self._padding = -self._left % BLOCK
            yield member
            self._skip()

    def _block(self) -> bytes | None:
        block = self._read(BLOCK)
        if not block and self._begun:
            return None  # busybox does not ask for the zero blocks at the end
        if len(block) < BLOCK:
            raise TarError("short read")
        self._begun = True
        if not block.strip(b"\0"):
            self._stream.read(BLOCK)
            return None
        if block[257:262] != b"ustar" and block[257:265].strip(b"\0"):
            raise TarError("invalid tar magic")
        written = _number(block[148:156])
        blank = block[:148] + b" " * 8 + block[156:]
        if written != sum(blank):
            raise TarError("invalid tar header checksum")
        return block

    def _extended(self, size: int) -> bytes:
        if size > MAX_EXTENDED:
            raise TarError("extended header is too long")
        extended = self._exactly(size)
        self._read(-size % BLOCK)
        return extended


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.strip(b" \0")
    try:
        return int(digits or b"0", 8)
    except ValueError as error:
        raise TarError("invalid octal number in a header") from error


def _records(extended: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    while extended:
        length, _, _ = extended.partition(b" ")
        if not length.isdigit() or int(length) > len(extended) or int(length) < len(length) + 3:
            raise TarError("malformed extended header")
        key, _, value = extended[len(length) + 1 : int(length) - 1].partition(b"=")
        found[words(key)] = value
        extended = extended[int(length) :]
    return found


def _field(block: bytes, start: int, size: int) -> str:
    return words(block[start : start + size].split(b"\0", 1)[0])


def _member(
    block: bytes, flag: bytes, size: int, pax: dict[str, bytes], long: dict[str, str]
) -> Member | None:
    if flag not in KINDS:
        return None
    name = _field(block, 0, 100)
    if block[257:263] == b"ustar\0" and block[345:346] != b"\0":
        name = f"{_field(block, 345, 155)}/{name}"
    name = long.get("name", words(pax["path"]) if "path" in pax else name)
    link = long.get("link", words(pax["linkpath"]) if "linkpath" in pax else _field(block, 157, 100))
    kind = KINDS[flag]
    if kind == stat.S_IFREG and name.endswith("/"):
        kind = stat.S_IFDIR  # how archives older than ustar write a directory

    def decimal(key: str, field: bytes) -> int:
        text = pax[key].split(b".")[0] if key in pax else b""
        return int(text) if text.lstrip(b"-").isdigit() and len(text) < 20 else _number(field)

    rdev = device_number(_number(block[329:337]), _number(block[337:345])) if flag in (b"3", b"4") else 0
    return Member(
        name,
        kind,
        _number(block[100:108]) & 0o7777,
        decimal("uid", block[108:116]),
        decimal("gid", block[116:124]),
        decimal("size", block[124:136]) if "size" in pax else size,
        decimal("mtime", block[136:148]),
        link if flag in (b"1", b"2") else "",
        words(pax["uname"]) if "uname" in pax else _field(block, 265, 32),
        words(pax["gname"]) if "gname" in pax else _field(block, 297, 32),
        rdev,
    )


_FLAGS: Final = {
    0: b"1",
    stat.S_IFREG: b"0",
    stat.S_IFLNK: b"2",
    stat.S_IFCHR: b"3",
    stat.S_IFBLK: b"4",
    stat.S_IFDIR: b"5",
    stat.S_IFIFO: b"6",
}


def _octal(value: int, width: int) -> bytes:
    text = b"%0*o" % (width - 1, value)
    if len(text) < width:
        return text + b"\0"
    return b"\x80" + value.to_bytes(width - 1, "big")


def _header(name: bytes, link: bytes, flag: bytes, member: Member, size: int) -> bytes:
    device = b""
    if flag in (b"3", b"4"):
        device = _octal(major_of(member.rdev), 8) + _octal(minor_of(member.rdev), 8)
    head = (
        name[:100].ljust(100, b"\0")
        + _octal(member.mode, 8)
        + _octal(member.uid, 8)
        + _octal(member.gid, 8)
        + _octal(size, 12)
        + _octal(member.mtime, 12)
    )
    tail = (
        flag
        + link[:100].ljust(100, b"\0")
        + b"ustar  \0"
        + octets(member.user)[:31].ljust(32, b"\0")
        + octets(member.group)[:31].ljust(32, b"\0")
        + device
    ).ljust(BLOCK - 156, b"\0")
    checksum = sum(head) + sum(tail) + 8 * 32
    return head + b"%06o\0 " % checksum + tail


def header(member: Member) -> bytes:
    """The header blocks of a member, as busybox writes them: GNU's ustar, long names in extra members."""
    name = octets(member.name)
    link = octets(member.link)
    blocks = b""
    for text, flag in ((name, b"L"), (link, b"K")):
        if len(text) >= 100:
            carrier = Member("././@LongLink", stat.S_IFREG, 0, 0, 0, 0, 0)
            body = text + b"\0"
            blocks += (
                _header(b"././@LongLink", b"", flag, carrier, len(body)) + body + bytes(-len(body) % BLOCK)
            )
    size = member.size if member.kind == stat.S_IFREG else 0
    return blocks + _header(name, link, _FLAGS[member.kind], member, size)
