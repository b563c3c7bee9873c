"""Layers as they travel: gzip out, always the same bytes; gzip, zstd or plain in.

Layers lie uncompressed in a store and are compressed when they leave the machine.
"""

from __future__ import annotations

import importlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import BinaryIO, Final

from builder.errors import ImageFormatError, NotSupportedError

PIECE_BYTES: Final = 1 << 16
"""How much is read at a time. Part of the bytes that zlib writes is not, so any size would do."""

GZIP_LEVEL: Final = 6
# RFC 1952, 2.3: no time, no name, "unknown" system, so that every machine writes the same header.
_GZIP_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_MODULES: Final = ("compression.zstd", "backports.zstd")

DEFAULT_LIMIT_BYTES: Final = 16 << 30
"""No layer unpacks to more, unless its reader says otherwise."""

DEFAULT_LIMIT_RATIO: Final = 500
"""No layer unpacks to that many times what it travels as, once it is beyond ``FREE_BYTES``."""

FREE_BYTES: Final = 1 << 30
"""So much may be all zeros: gzip makes 1000 of them one byte."""


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """What is left in ``stream``, in pieces."""
    while piece := stream.read(PIECE_BYTES):
        yield piece


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


def decompress(
    content: Iterable[bytes],
    *,
    where: str,
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
    limit_ratio: int = DEFAULT_LIMIT_RATIO,
) -> Iterator[bytes]:
    """``content`` without gzip or zstd, told by its first bytes; ImageFormatError over a limit."""
    packed = unpacked = 0

    def counted() -> Iterator[bytes]:
        nonlocal packed
        for piece in content:
            packed += len(piece)
            yield piece

    for piece in _decompress(counted(), where):
        unpacked += len(piece)
        if unpacked > limit_bytes:
            too_much = f"unpacks to more than {limit_bytes} bytes"
            raise ImageFormatError(too_much, where=where, fix="raise the limit with --max-size")
        if unpacked > FREE_BYTES and unpacked > packed * limit_ratio:
            too_much = f"unpacks to more than {limit_ratio} times its size"
            raise ImageFormatError(too_much, where=where, fix="raise the limit with --max-ratio")
        yield piece


def _decompress(content: Iterable[bytes], where: str) -> Iterator[bytes]:
    head = b""
    rest = iter(content)
    for piece in rest:
        head += piece
        if len(head) >= len(_ZSTD_MAGIC):
            break
    everything = _chain(head, rest)
    if head.startswith(_GZIP_MAGIC):
        return _gunzip(everything, where)
    if head.startswith(_ZSTD_MAGIC):
        return _unzstd(everything, where)
    return everything


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


def _gunzip(content: Iterable[bytes], where: str) -> Iterator[bytes]:
    """Member after member (RFC 1952, 2.2); zeros may follow the last one."""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        for piece in content:
            waiting = piece
            while waiting:
                if inflate.eof:
                    waiting = waiting.lstrip(b"\0")
                    if not waiting:
                        break
                    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
                yield inflate.decompress(waiting, PIECE_BYTES)
                waiting = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
        while not inflate.eof and (last := inflate.decompress(inflate.unconsumed_tail, PIECE_BYTES)):
            yield last
    except zlib.error as error:
        raise ImageFormatError(f"damaged gzip: {error}", where=where) from None
    if not inflate.eof:
        raise ImageFormatError("truncated gzip", where=where)


def _unzstd(content: Iterable[bytes], where: str) -> Iterator[bytes]:
    zstd = zstd_module()
    if zstd is None:
        raise NotSupportedError(
            "the layer is compressed with zstd, which this Python cannot read",
            where=where,
            fix="install backports.zstd, or convert the image: skopeo copy --dest-compress-format gzip …",
        )
    inflate = zstd.ZstdDecompressor()
    try:
        for piece in content:
            if inflate.eof:
                inflate = zstd.ZstdDecompressor()
            yield inflate.decompress(piece, PIECE_BYTES)
            while not inflate.needs_input and (not inflate.eof or inflate.unused_data):
                waiting = inflate.unused_data if inflate.eof else b""
                inflate = zstd.ZstdDecompressor() if inflate.eof else inflate
                yield inflate.decompress(waiting, PIECE_BYTES)
    except zstd.ZstdError as error:
        raise ImageFormatError(f"damaged zstd: {error}", where=where) from None
    if not inflate.eof:
        raise ImageFormatError("truncated zstd", where=where)


def zstd_module() -> ModuleType | None:
    """The standard library's zstd (Python 3.14), or its backport; None without either."""
    for name in _ZSTD_MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
