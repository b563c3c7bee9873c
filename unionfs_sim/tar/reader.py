"""Reads the entries of a tar: ustar, pax, GNU long names and sparse files.

Nothing is believed: checksums, sizes, lengths of records and ids are checked before they are used, and no
more than one extended header is in memory at a time.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from unionfs_sim.tar import sparse
from unionfs_sim.tar.header import (
    BLOCK,
    BLOCK_DEVICE,
    CHARACTER,
    DIRECTORY,
    FIFO,
    MAX_EXTENDED_BYTES,
    PAX_LOCAL,
    PAX_XATTR,
    REGULAR,
    SECOND,
    LayerFormatError,
    TarHeader,
)

_REGULAR_TOO: Final = b"\0007"
_SPARSE: Final = ord("S")
_PAX_GLOBAL, _GNU_NAME, _GNU_LINK = b"gLK"
_EXTENDED: Final = frozenset([PAX_LOCAL, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK])
_PAX_TIME: Final = re.compile(r"(-?)(\d{1,18})(?:\.(\d*))?")
# What the kernel's 64-bit nanoseconds can hold; Go's zero time, which some images carry, lies before it.
_EARLIEST, _LATEST = -(2**63), 2**63 - 1
_NUMERIC: Final = frozenset(["size", "uid", "gid"])
_REAL_NAME: Final = f"{sparse.PREFIX}name"
_MAP: Final = f"{sparse.PREFIX}map"
_REPEATED: Final = frozenset([f"{sparse.PREFIX}offset", f"{sparse.PREFIX}numbytes"])


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(field: bytes, name: str) -> int:
    """A number of a header: octal text, or base 256 where the first bit says so (GNU, star)."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big", signed=False) & ~(0xFF << 8 * (len(field) - 1))
        return value - 256 ** (len(field) - 1) if field[0] == 0xFF else value
    digits = field.strip(b" \0").partition(b"\0")[0]
    try:
        return int(digits or b"0", 8)
    except ValueError:
        raise LayerFormatError(f"a header field is not an octal number: {field!r}", name) from None


def parse_pax(extended: bytes, entry: str) -> dict[str, bytes]:
    """The records of an extended header by key; LayerFormatError if it is malformed."""
    records: dict[str, bytes] = {}
    at = 0
    while at < len(extended):
        space = extended.find(b" ", at, at + 20)
        digits = extended[at:space] if space > 0 else b""
        if not digits.isdigit():
            raise LayerFormatError("an extended header record has no length", entry)
        end = at + int(digits)
        if end > len(extended) or end <= space + 1 or extended[end - 1] != 0x0A:
            raise LayerFormatError("an extended header record has a wrong length", entry)
        key, equals, value = extended[space + 1 : end - 1].partition(b"=")
        if not key or not equals:
            raise LayerFormatError("an extended header record has no key", entry)
        name = key.decode("utf-8", "surrogateescape")
        if name in _REPEATED:  # version 0.0 of sparse files repeats a key for every number
            name, value = _MAP, b",".join(each for each in (records.get(_MAP), value) if each is not None)
        records[name] = value
        at = end
    return records


def _time(written: bytes, entry: str) -> int:
    match = _PAX_TIME.fullmatch(written.decode("ascii", "replace"))
    if match is None:
        raise LayerFormatError(f"not a time: {written[:40]!r}", entry)
    nanoseconds = int(match[2]) * SECOND + int((match[3] or "").ljust(9, "0")[:9])
    return -nanoseconds if match[1] else nanoseconds


def _decimal(written: bytes, entry: str) -> int:
    if not written.isdigit() or len(written) > 20:
        raise LayerFormatError(f"not a number: {written[:40]!r}", entry)
    return int(written)


class TarReader:
    """Iterates over the entries of a tar; ``offset`` is where the content of the last one begins.

    ``extents`` is None but for a sparse entry: where in the file the pieces belong that stand at ``offset``
    one behind the other; its header's size is the file's. ``stream`` must be seekable. A tar may end after
    any whole entry: without end-of-archive blocks, and without the padding of its last file.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._start = stream.tell()
        self._end = stream.seek(0, io.SEEK_END)
        self._next = self._start
        self._global: dict[str, bytes] = {}
        self.offset = self._start
        self.extents: Sequence[tuple[int, int]] | None = None

    def __iter__(self) -> Iterator[TarHeader]:
        while (header := self._read_entry()) is not None:
            yield header

    def _read_entry(self) -> TarHeader | None:
        """The next entry, with what its extended headers say; None at the end."""
        local: dict[str, bytes] = {}
        pending = False
        while (block := self._read_block()) is not None:
            kind = block[156]
            size = _number(block[124:136], _text(block[:100]))
            if kind not in _EXTENDED:
                return self._finish(block, kind, size, {**self._global, **local})
            extended = self._read_extended(size, _text(block[:100]))
            match kind:
                case _ if kind == PAX_LOCAL:
                    local |= parse_pax(extended, _text(block[:100]))
                case _ if kind == _PAX_GLOBAL:
                    self._global |= parse_pax(extended, _text(block[:100]))
                case _ if kind == _GNU_NAME:
                    local["path"] = extended.partition(b"\0")[0]
                case _:
                    local["linkpath"] = extended.partition(b"\0")[0]
            pending = kind != _PAX_GLOBAL
        if pending:
            raise LayerFormatError("ends after an extended header")
        return None

    def _read_block(self) -> bytes | None:
        """The next header block; None at the end of the archive or of the file."""
        if self._next >= self._end:
            return None
        self._stream.seek(self._next)
        block = self._stream.read(BLOCK)
        if block.count(0) == len(block):
            return None
        if len(block) < BLOCK:
            raise LayerFormatError(f"truncated: a header at byte {self._next - self._start} is cut off")
        self._next += BLOCK
        name = _text(block[:100])
        stored = _number(block[148:156], name)
        if stored != sum(block) - sum(block[148:156]) + 256:
            raise LayerFormatError(
                f"not a tar header at byte {self._next - self._start - BLOCK} (checksum)", name
            )
        return block

    def _read_extended(self, size: int, name: str) -> bytes:
        if not 0 <= size <= MAX_EXTENDED_BYTES:
            raise LayerFormatError(f"an extended header of {size} bytes", name)
        extended = self._stream.read(size)
        if len(extended) < size:
            raise LayerFormatError("truncated: an extended header is cut off", name)
        self._next += size + -size % BLOCK
        return extended

    def _finish(self, block: bytes, kind: int, size: int, pax: dict[str, bytes]) -> TarHeader:
        name = pax["path"].decode("utf-8", "surrogateescape") if "path" in pax else _ustar_name(block)
        name = pax[_REAL_NAME].decode("utf-8", "surrogateescape") if _REAL_NAME in pax else name
        found = self._sparse(block, kind, pax, name)
        kind = REGULAR if kind == _SPARSE else kind
        if kind in _REGULAR_TOO:
            # Before POSIX had a type for it, a directory was a file whose name ends in a slash.
            kind = DIRECTORY if name.endswith("/") else REGULAR
        if not REGULAR <= kind <= FIFO:
            raise LayerFormatError(f"entries of type {chr(kind)!r} are not supported", name)
        numbers = {key: _decimal(pax[key], name) for key in _NUMERIC & pax.keys()}
        size = numbers.get("size", size) if kind == REGULAR else 0
        self.offset = self._next
        if size < 0 or self.offset + size > self._end:
            raise LayerFormatError(
                f"truncated: {size} bytes announced, {self._end - self.offset} there", name
            )
        self._next += size + -size % BLOCK
        self.extents = None
        if found is not None:
            if found.header_bytes + sum(length for _, length in found.extents) > size:
                raise LayerFormatError("a sparse entry with fewer bytes than its map says", name)
            self.offset += found.header_bytes
            self.extents, size = found.extents, found.size
        mtime = _time(pax["mtime"], name) if "mtime" in pax else _number(block[136:148], name) * SECOND
        is_device = kind in (CHARACTER, BLOCK_DEVICE)
        return TarHeader(
            name,
            kind,
            _number(block[100:108], name) & 0o7777,
            _owner(numbers.get("uid", _number(block[108:116], name)), name),
            _owner(numbers.get("gid", _number(block[116:124], name)), name),
            size,
            max(_EARLIEST, min(mtime, _LATEST)),
            _link(block, pax),
            _number(block[329:337], name) if is_device else 0,
            _number(block[337:345], name) if is_device else 0,
            {key.removeprefix(PAX_XATTR): value for key, value in pax.items() if key.startswith(PAX_XATTR)},
        )

    def _sparse(self, block: bytes, kind: int, pax: dict[str, bytes], name: str) -> sparse.SparseMap | None:
        """The map of a sparse entry, whose extension blocks are read; None for any other entry."""
        if kind == _SPARSE:
            return sparse.of_block(block, self._extension, lambda field: _number(field, name), name)
        if not any(key.startswith(sparse.PREFIX) for key in pax):
            return None
        self._stream.seek(self._next)
        return sparse.of_records(pax, lambda: self._stream.read(BLOCK), name)

    def _extension(self) -> bytes:
        self._stream.seek(self._next)
        self._next += BLOCK
        return self._stream.read(BLOCK)


def _ustar_name(block: bytes) -> str:
    """Prefix and name; the prefix only in POSIX ustar, as GNU's own format keeps times there."""
    name = _text(block[:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _link(block: bytes, pax: dict[str, bytes]) -> str:
    written = pax.get("linkpath")
    return _text(block[157:257]) if written is None else written.decode("utf-8", "surrogateescape")


def _owner(number: int, name: str) -> int:
    if not 0 <= number < 2**32 - 1:
        raise LayerFormatError(f"{number} is not a user or group id", name)
    return number
