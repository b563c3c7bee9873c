"""Archives as the toy internet serves them: a tar in ustar form, and gzip around it.

The same files give the same bytes on every machine: times and owners are fixed, and gzip stores without
compressing, because two versions of zlib may compress the same bytes differently.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from builder.world.supplies.description import Entry

BLOCK: Final = 512
_STORED: Final = 65535
MTIME: Final = 1681221600
"""When every file of the toy internet was made: 2023-04-11 14:00 UTC."""


def make_tar(entries: Iterable[Entry], *, mtime: int = MTIME) -> bytes:
    """A tar (POSIX ustar) of ``entries``, in their order."""
    parts: list[bytes] = []
    for entry in entries:
        name = entry.path.lstrip("/") + ("/" if entry.kind == "dir" else "")
        parts.append(_header(entry, name, mtime))
        parts.append(entry.content)
        parts.append(b"\0" * (-len(entry.content) % BLOCK))
    parts.append(b"\0" * BLOCK * 2)
    return b"".join(parts)


def gzip_stored(content: bytes) -> bytes:
    """``content`` as a gzip file of stored blocks (RFC 1951, 3.2.4; RFC 1952)."""
    parts = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff"]
    for begin in range(0, len(content) or 1, _STORED):
        piece = content[begin : begin + _STORED]
        is_last = begin + _STORED >= len(content)
        parts.append(struct.pack("<BHH", is_last, len(piece), len(piece) ^ 0xFFFF))
        parts.append(piece)
    parts.append(struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF))
    return b"".join(parts)


def with_directories(entries: Iterable[Entry]) -> Iterator[Entry]:
    """``entries``, each directory on their way in front of the first that needs it."""
    seen: set[str] = set()
    for entry in entries:
        parts = entry.path.strip("/").split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if parent not in seen:
                seen.add(parent)
                yield Entry(parent, "dir")
        path = "/".join(parts)
        if path not in seen or entry.kind != "dir":
            seen.add(path)
            yield entry


def _header(entry: Entry, name: str, mtime: int) -> bytes:
    prefix = b""
    short = name.encode()
    if len(short) > 100:
        cut = short.rindex(b"/", 0, 156)
        prefix, short = short[:cut], short[cut + 1 :]
    kind = {"file": b"0", "link": b"2", "dir": b"5"}[entry.kind]
    fields = (
        short.ljust(100, b"\0"),
        b"%07o\0" % entry.mode,
        b"%07o\0" % entry.uid,
        b"%07o\0" % entry.gid,
        b"%011o\0" % len(entry.content),
        b"%011o\0" % mtime,
        b" " * 8,
        kind,
        entry.target.encode().ljust(100, b"\0"),
        b"ustar\x0000",
        b"\0" * 64,
        b"%07o\0" % 0,
        b"%07o\0" % 0,
        prefix.ljust(155, b"\0"),
    )
    header = bytearray(b"".join(fields).ljust(BLOCK, b"\0"))
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)
