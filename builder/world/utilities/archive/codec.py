"""Compressed streams: what they are, read and written in pieces."""

from __future__ import annotations

import bz2
import errno
import lzma
import os
import zlib
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.utilities.streams import CHUNK
from unionfs_sim.tar.compression import (
    DECODER_ERRORS,
    LONGEST_MAGIC,
    CompressionError,
    Decoder,
    Format,
    decoder,
    told,
)

FORMATS: Final = {"gzip": Format.GZIP, "bzip2": Format.BZIP2, "xz": Format.XZ, "lzma": Format.LZMA}
"""What busybox can read and write, by the names of its applets."""


class CodecError(Exception):
    """Compressed data that is broken; the text is what busybox says."""


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
    while len(head) < LONGEST_MAGIC and (piece := stream.read(LONGEST_MAGIC - len(head))):
        head += piece
    kind = next((name for name, each in FORMATS.items() if told(head, [each])), None)
    return kind, Rewound(head, stream)


class Decompressed:
    """A stream of what a compressed stream holds; several members one after the other are one.

    Never holds more than a piece in memory, however much a small input expands to. Raises CodecError.
    """

    def __init__(self, stream: Stream, kind: str) -> None:
        self._stream = stream
        self._kind = kind
        self._decoder: Decoder | None = decoder(FORMATS[kind])
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
        member = self._decoder
        assert member is not None, "only called while there is one"
        if member.eof:
            self._next_member(member.unused_data)
            return b""
        data, self._pending = self._pending, b""
        if member.needs_input and not data:
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
            return member.decompress(data, max(1, size))
        except CompressionError as error:
            raise CodecError(str(error)) from error
        except DECODER_ERRORS as error:
            raise CodecError("corrupted data" if self._kind != "bzip2" else "bunzip error -5") from error

    def _next_member(self, rest: bytes) -> None:
        rest = rest or self._stream.read(CHUNK)
        if told(rest, [FORMATS[self._kind]]):
            self._decoder = decoder(FORMATS[self._kind])
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
