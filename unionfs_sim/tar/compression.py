"""Compressed streams, told by their first bytes: gzip, bzip2, xz, lzma and zstd in, gzip out.

zstd is in no standard library before Python 3.14, so whoever wants it passes in what finds a module with
``ZstdDecompressor`` and ``ZstdError`` (``compression.zstd`` or ``backports.zstd``); it is asked when needed.
"""

from __future__ import annotations

import bz2
import enum
import lzma
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import ModuleType
from typing import Final, Protocol

PIECE_BYTES: Final = 1 << 16
"""No more is made of compressed bytes at a time, however much they expand to."""

GZIP_LEVEL: Final = 6
# RFC 1952, 2.3: no time, no name, "unknown" system, so that every machine writes the same header.
_GZIP_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_TRAILER_BYTES: Final = 8
_EXTRA, _NAME, _COMMENT, _HEADER_SUM = 4, 8, 16, 2


class Format(enum.Enum):
    """A format of compression; ``value``: how it begins."""

    GZIP = b"\x1f\x8b"
    BZIP2 = b"BZh"
    XZ = b"\xfd7zXZ\0"
    LZMA = b"]\0\0"
    ZSTD = b"\x28\xb5\x2f\xfd"


LONGEST_MAGIC: Final = max(len(each.value) for each in Format)


class CompressionError(ValueError):
    """Compressed bytes that are damaged, or end too early."""


class NoZstdError(CompressionError):
    """The bytes are compressed with zstd, and no module was passed in that reads it."""


class Decoder(Protocol):
    """One member of a compressed stream (as ``bz2.BZ2Decompressor`` has it)."""

    @property
    def eof(self) -> bool:
        """Whether its end was reached."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether it can give no more before it is given more."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What was given behind its end."""
        ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most ``max_length`` bytes more; raises one of ``DECODER_ERRORS``, or zstd's own error."""
        ...


DECODER_ERRORS: Final = (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError)


def told(head: bytes, formats: Iterable[Format] = Format) -> Format | None:
    r"""The format among ``formats`` that begins like ``head``, or None.

    >>> told(b"\x1f\x8b\x08"), told(b"plain")
    (<Format.GZIP: b'\x1f\x8b'>, None)
    """
    return next((each for each in formats if head.startswith(each.value)), None)


def decoder(kind: Format, zstd: ModuleType | None = None) -> Decoder:
    """What decompresses the next member of a stream; NoZstdError for zstd without its module."""
    match kind:
        case Format.GZIP:
            return _Inflate()
        case Format.BZIP2:
            return bz2.BZ2Decompressor()
        case Format.ZSTD:
            if zstd is None:
                raise NoZstdError("compressed with zstd, which this Python cannot read")
            made: Decoder = zstd.ZstdDecompressor()
            return made
        case _:
            return lzma.LZMADecompressor(lzma.FORMAT_AUTO)


def decompress(
    content: Iterable[bytes],
    formats: Sequence[Format],
    *,
    zstd: Callable[[], ModuleType | None] = lambda: None,
) -> Iterator[bytes]:
    """``content`` without its compression, in pieces of at most PIECE_BYTES; what is plain passes as it is.

    Members that follow each other are one stream; zeros may follow a gzip member (RFC 1952, 2.2).
    CompressionError when the damage, or the early end, is met.
    """
    head = b""
    rest = iter(content)
    for piece in rest:
        head += piece
        if len(head) >= LONGEST_MAGIC:
            break
    kind = told(head, formats)
    if kind is None:
        if head:
            yield head
        yield from rest
        return
    module = zstd() if kind is Format.ZSTD else None
    failures = DECODER_ERRORS if module is None else (*DECODER_ERRORS, module.ZstdError)
    name = kind.name.lower()
    member = decoder(kind, module)
    for waiting in _chain(head, rest):
        while True:
            if member.eof:
                waiting = waiting.lstrip(b"\0") if kind is Format.GZIP else waiting
                if not waiting:
                    break
                member = decoder(kind, module)
            try:
                made = member.decompress(waiting, PIECE_BYTES)
            except failures as error:
                raise CompressionError(f"damaged {name}: {error}") from None
            if made:
                yield made
            waiting = member.unused_data if member.eof else b""
            if not waiting and (member.eof or member.needs_input):
                break
    if not member.eof:
        raise CompressionError(f"truncated {name}")


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def gzip(content: Iterable[bytes]) -> Iterator[bytes]:
    """``content`` compressed; equal content gives equal bytes (with the same zlib)."""
    deflate = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    checksum = size = 0
    yield _GZIP_HEADER
    for piece in content:
        checksum = zlib.crc32(piece, checksum)
        size += len(piece)
        if compressed := deflate.compress(piece):
            yield compressed
    yield deflate.flush()
    yield struct.pack("<LL", checksum, size & 0xFFFFFFFF)


class _Inflate:
    """One gzip member (RFC 1952) with the interface that bz2 and lzma have.

    The trailer is checked here, because zlib gives nothing of the last piece if the sum is wrong, whereas
    gunzip has written it by then.
    """

    def __init__(self) -> None:
        self._object: zlib._Decompress | None = None
        self._waiting = b""
        self._sum = self._size = 0
        self.needs_input = True
        self.eof = False
        self.unused_data = b""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        self._waiting += data
        if self._object is None:
            length = _header_length(self._waiting)
            if length is None:
                return b""
            self._waiting = self._waiting[length:]
            self._object = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        made = b""
        if not self._object.eof:
            made = self._object.decompress(self._waiting, max_length)
            self._waiting = self._object.unused_data if self._object.eof else self._object.unconsumed_tail
            self._sum, self._size = zlib.crc32(made, self._sum), self._size + len(made)
        elif len(self._waiting) >= _TRAILER_BYTES:
            self._check()
        # A window may still hold output when all input is taken: a full piece says that there may be more.
        is_full = len(made) == max_length and not self._object.eof
        ended = self._object.eof and len(self._waiting) >= _TRAILER_BYTES
        self.needs_input = not (is_full or ended or (self._waiting and not self._object.eof))
        return made

    def _check(self) -> None:
        trailer, self.unused_data = self._waiting[:_TRAILER_BYTES], self._waiting[_TRAILER_BYTES:]
        checksum, size = struct.unpack("<LL", trailer)
        if checksum != self._sum:
            raise CompressionError("crc error")
        if size != self._size & 0xFFFFFFFF:
            raise CompressionError("incorrect length")
        self.eof = True
        self._waiting = b""


def _header_length(data: bytes) -> int | None:
    """How long the header of a gzip member is; None if more of it is needed (RFC 1952, 2.3)."""
    if not Format.GZIP.value.startswith(data[:2]):
        raise CompressionError("incorrect header check")
    if len(data) < 10:
        return None
    if data[2] != 8:
        raise CompressionError("unknown compression method")
    flags, at = data[3], 10
    if flags & _EXTRA:
        if len(data) < at + 2:
            return None
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            end = data.find(b"\0", at)
            if end < 0:
                return None
            at = end + 1
    at += 2 if flags & _HEADER_SUM else 0
    return at if len(data) >= at else None
