"""Tar headers as bytes: POSIX.1-2001 (pax) interchange format, plain ustar where that suffices.

Why not ``tarfile``: it raises at the end of layers without end-of-archive blocks (umoci writes such),
believes any size of an extended header, takes times as floats, keeps every member that it has seen, and is
two to three times slower at writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

BLOCK: Final = 512
END_OF_ARCHIVE: Final = bytes(2 * BLOCK)
PAX_XATTR: Final = "SCHILY.xattr."
"""Begins the key of an extended attribute in pax records (OCI image-spec layer.md, "File Attributes")."""

MAX_EXTENDED_BYTES: Final = 1 << 20
"""No extended header is larger (the limit of Go's archive/tar, thus of docker's readers)."""

PAX_LOCAL: Final = ord("x")
REGULAR, HARDLINK, SYMLINK, CHARACTER, BLOCK_DEVICE, DIRECTORY, FIFO = b"0123456"
SECOND: Final = 1_000_000_000
"""Nanoseconds."""


class LayerFormatError(ValueError):
    """A layer that is broken, hostile or cannot be written; ``entry`` names where.

    >>> print(LayerFormatError("links to nowhere", "etc/passwd-"))
    layer entry 'etc/passwd-': links to nowhere
    """

    def __init__(self, what: str, entry: str = "") -> None:
        super().__init__(what, entry)
        self.what = what
        self.entry = entry

    def __str__(self) -> str:
        shown = self.entry if len(self.entry) <= 200 else self.entry[:200] + "…"
        return f"layer entry {shown!r}: {self.what}" if self.entry else f"layer: {self.what}"


class TarHeader(NamedTuple):
    """One entry of a tar. ``name`` and ``link`` as stored (surrogateescape for what is not UTF-8)."""

    name: str
    kind: int
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime_ns: int = 0
    link: str = ""
    major: int = 0
    minor: int = 0
    xattrs: Mapping[str, bytes] = {}


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _block(
    name: bytes, kind: int, mode: int, uid: int, gid: int, size: int, mtime: int, link: bytes, device: bytes
) -> bytes:
    """One ustar header block; every number must fit its field."""
    fields = b"%s%07o\0%07o\0%07o\0%011o\0%011o\0        %c%sustar\00000%s%s%s" % (
        name.ljust(100, b"\0"),
        mode,
        uid,
        gid,
        size,
        mtime,
        kind,
        link.ljust(100, b"\0"),
        bytes(64),
        device,
        bytes(167),
    )
    return b"%s%06o\0%s" % (fields[:148], sum(fields), fields[155:])


def pax_record(key: bytes, value: bytes) -> bytes:
    """A record of an extended header, which begins with its own length (POSIX pax, "Extended Header").

    >>> pax_record(b"path", b"x")
    b'9 path=x\\n'
    """
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def _pax_time(mtime_ns: int) -> bytes:
    seconds, fraction = divmod(abs(mtime_ns), SECOND)
    sign = "-" if mtime_ns < 0 else ""
    return (f"{sign}{seconds}.{fraction:09d}".rstrip("0").rstrip(".")).encode()


def _extended(header: TarHeader, name: bytes, link: bytes) -> dict[bytes, bytes]:
    """What does not fit the ustar block, as pax records."""
    records: dict[bytes, bytes] = {}
    if len(link) > 100 or not link.isascii():
        records[b"linkpath"] = link
    if header.mtime_ns % SECOND or not 0 <= header.mtime_ns < 8**11 * SECOND:
        records[b"mtime"] = _pax_time(header.mtime_ns)
    if len(name) > 100 or not name.isascii():
        records[b"path"] = name
    for key, number, limit in (
        (b"uid", header.uid, 8**7),
        (b"gid", header.gid, 8**7),
        (b"size", header.size, 8**11),
    ):
        if number >= limit:
            records[key] = b"%d" % number
    for key_text, value in header.xattrs.items():
        if "=" in key_text:
            raise LayerFormatError(f"a tar cannot hold the extended attribute {key_text!r}", header.name)
        records[_raw(PAX_XATTR + key_text)] = value
    if any(not _is_utf8(records.get(key, b"")) for key in (b"path", b"linkpath")):
        records[b"hdrcharset"] = b"BINARY"
    return records


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def encode(header: TarHeader) -> bytes:
    """The header blocks of one entry, with an extended header before it only where one is needed."""
    name, link = _raw(header.name), _raw(header.link)
    device = b"%07o\0%07o\0" % (header.major, header.minor)
    records = _extended(header, name, link)
    if not records:
        return _block(
            name,
            header.kind,
            header.mode,
            header.uid,
            header.gid,
            header.size,
            header.mtime_ns // SECOND,
            link,
            device,
        )
    extended = b"".join(pax_record(key, records[key]) for key in sorted(records))
    if len(extended) > MAX_EXTENDED_BYTES:
        raise LayerFormatError("its name and extended attributes are longer than readers accept", header.name)
    before = _block(b"././@PaxHeader", PAX_LOCAL, 0o644, 0, 0, len(extended), 0, b"", b"0000000\x000000000\0")
    seconds = header.mtime_ns // SECOND
    return (
        before
        + extended
        + bytes(-len(extended) % BLOCK)
        + _block(
            _ascii(name),
            header.kind,
            header.mode,
            header.uid if header.uid < 8**7 else 0,
            header.gid if header.gid < 8**7 else 0,
            header.size if header.size < 8**11 else 0,
            seconds if 0 <= seconds < 8**11 else 0,
            _ascii(link),
            device,
        )
    )


def _ascii(text: bytes) -> bytes:
    """What stands in the ustar block when the true text is in the extended header."""
    return text[:100].decode("ascii", "replace").replace("\ufffd", "?").encode()


def padding(size: int) -> bytes:
    """The zeros that fill the last block of ``size`` bytes of content."""
    return bytes(-size % BLOCK)
