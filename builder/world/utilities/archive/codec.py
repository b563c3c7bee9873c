"""Compressed streams: what they are, read and written in pieces."""

from __future__ import annotations

import bz2
import errno
import lzma
import os
import zlib
from typing import Final, Protocol

from builder.world.machine.descriptor import Stream
from builder.world.utilities.streams import CHUNK

MAGIC: Final = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"]\x00\x00": "lzma"}
"""How the formats begin."""

_LONGEST_MAGIC: Final = 6


class CodecError(Exception):
    """Compressed data that is broken; the text is what busybox says."""


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


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
            self._object = zlib.decompressobj(wbits=-15)
        made = b""
        if not self._object.eof:
            made = self._object.decompress(self._waiting, max_length)
            self._waiting = self._object.unused_data if self._object.eof else self._object.unconsumed_tail
            self._sum, self._size = zlib.crc32(made, self._sum), self._size + len(made)
        elif len(self._waiting) >= _TRAILER:
            self._check()
        self.needs_input = not self._waiting or (self._object.eof and len(self._waiting) < _TRAILER)
        return made

    def _check(self) -> None:
        trailer, self.unused_data = self._waiting[:_TRAILER], self._waiting[_TRAILER:]
        if int.from_bytes(trailer[:4], "little") != self._sum:
            raise CodecError("crc error")
        if int.from_bytes(trailer[4:], "little") != self._size & 0xFFFFFFFF:
            raise CodecError("incorrect length")
        self.eof = True


_TRAILER: Final = 8
_EXTRA, _NAME, _COMMENT, _HEADER_SUM = 4, 8, 16, 2


def _header_length(data: bytes) -> int | None:
    """How long the header of a gzip member is; None if more of it is needed."""
    if len(data) < 10:
        return None
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


def _decoder(kind: str) -> _Decoder:
    if kind == "gzip":
        return _Inflate()
    if kind == "bzip2":
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(lzma.FORMAT_AUTO)


class Rewound:
    """A stream whose beginning was read already, and is read again."""

    def __init__(self, head: bytes, stream: Stream) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        """The head first, then the rest."""
        if not self._head:
            return self._stream.read(size)
        if size < 0:
            head, self._head = self._head, b""
            return head + self._stream.read()
        taken, self._head = self._head[:size], self._head[size:]
        return taken

    def write(self, data: bytes, /) -> int:  # noqa: ARG002
        """Not for writing."""
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


def peeked(stream: Stream) -> tuple[str | None, Rewound]:
    """The format that the stream's first bytes tell (None: none of ours), and the stream unread."""
    head = b""
    while len(head) < _LONGEST_MAGIC and (piece := stream.read(_LONGEST_MAGIC - len(head))):
        head += piece
    kind = next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)
    return kind, Rewound(head, stream)


class Decompressed:
    """A stream of what a compressed stream holds; several members one after the other are one.

    Never holds more than a piece in memory, however much a small input expands to. Raises CodecError.
    """

    def __init__(self, stream: Stream, kind: str) -> None:
        self._stream = stream
        self._kind = kind
        self._decoder: _Decoder | None = _decoder(kind)
        self._pending = b""
        self._started = False

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes; b"" at the end."""
        if size < 0:
            pieces = []
            while piece := self.read(CHUNK):
                pieces.append(piece)
            return b"".join(pieces)
        while self._decoder is not None:
            made = self._step(size)
            if made:
                return made
        return b""

    def _step(self, size: int) -> bytes:
        decoder = self._decoder
        assert decoder is not None, "only called while there is one"
        if decoder.eof:
            self._next_member(decoder.unused_data)
            return b""
        needs = getattr(decoder, "needs_input", True)
        data, self._pending = self._pending, b""
        if needs and not data:
            data = self._stream.read(CHUNK)
            if not data and self._started:
                raise CodecError(
                    "unexpected end of file"
                    if self._kind == "gzip"
                    else "bunzip error -3"
                    if self._kind == "bzip2"
                    else "corrupted data"
                )
            if not data:
                raise CodecError("short read")
        self._started = True
        try:
            return decoder.decompress(data, max(1, size))
        except (zlib.error, OSError, lzma.LZMAError, ValueError, EOFError) as error:
            raise CodecError("corrupted data" if self._kind != "bzip2" else "bunzip error -5") from error

    def _next_member(self, rest: bytes) -> None:
        rest = rest or self._stream.read(CHUNK)
        magic = next(magic for magic, kind in MAGIC.items() if kind == self._kind)
        if rest.startswith(magic):
            self._decoder = _decoder(self._kind)
            self._pending = rest
        else:
            self._decoder = None  # busybox ignores what follows the last member

    def write(self, data: bytes, /) -> int:  # noqa: ARG002
        """Not for writing."""
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def close(self) -> None:
        """Close the compressed stream."""
        self._stream.close()


class Compressed:
    """A stream that compresses what is written to it; ``close`` writes the end."""

    def __init__(self, sink: Stream, kind: str, level: int = 6) -> None:
        self._sink = sink
        self._object: zlib._Compress | bz2.BZ2Compressor | lzma.LZMACompressor
        if kind == "gzip":
            self._object = zlib.compressobj(level, wbits=31)
        elif kind == "bzip2":
            self._object = bz2.BZ2Compressor(level)
        elif kind == "lzma":
            self._object = lzma.LZMACompressor(lzma.FORMAT_ALONE)
        else:
            self._object = lzma.LZMACompressor(preset=level)

    def write(self, data: bytes, /) -> int:
        """Compress ``data``."""
        self._sink.write(self._object.compress(data))
        return len(data)

    def read(self, size: int = -1, /) -> bytes:  # noqa: ARG002
        """Not for reading."""
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def close(self) -> None:
        """Write what is left; the sink stays open."""
        self._sink.write(self._object.flush())
