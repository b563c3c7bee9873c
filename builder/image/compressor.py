"""Layers on their way out: gzip or zstd, by as many threads as there are, in the same bytes with any number.

The content is cut at fixed offsets and every block is compressed by itself, so that neither the number of
threads nor the sizes of the pieces that come show in the result. gzip keeps one member, as pigz writes it:
each block knows the 32 KiB before it and ends at a byte (RFC 1951, 3.2.4). zstd has a frame a block.
"""

from __future__ import annotations

import enum
import importlib
import os
import struct
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from builder.errors import BuildError, NotSupportedError
from builder.image.oci import MEDIA_LAYER, MEDIA_LAYER_GZIP, MEDIA_LAYER_ZSTD
from unionfs_sim.nodes.record import Record

if TYPE_CHECKING:
    from concurrent.futures import Future

BLOCK_BYTES: Final = 1 << 20
_ZSTD_BLOCK_BYTES: Final = 4 << 20
_WINDOW_BYTES: Final = 1 << 15
_AHEAD: Final = 8
"""How many blocks wait for each thread: none is idle while the content is read or the result is sent."""
# RFC 1952, 2.3: no time, no name, "unknown" system, so that every machine writes the same header.
_GZIP_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_LAST_BLOCK: Final = b"\x03\0"
"""An empty block of fixed codes that is marked as the last one."""


class Method(enum.Enum):
    """How a layer is compressed when it leaves. ``value``: as the command line writes it."""

    GZIP = "gzip"
    FAST = "fast"
    ZSTD = "zstd"
    NONE = "uncompressed"


_LEVELS: Final = {Method.GZIP: (0, 9, 6), Method.FAST: (0, 3, 2), Method.ZSTD: (1, 19, 3)}


class Compression(Record):
    """A method and a level; ``str`` names both, and what is equal gives equal bytes (with equal libraries).

    FAST is gzip by ISA-L, whose bytes change with its releases: for digests that other machines shall get
    as well, GZIP is the one.

    >>> str(Compression()), str(Compression.parse("zstd", 9))
    ('gzip-6', 'zstd-9')
    """

    method: Method = Method.GZIP
    level: int = 6

    @classmethod
    def parse(cls, written: str = "gzip", level: int | None = None) -> Compression:
        """The compression that the words ask for; BuildError if there is no such level."""
        method = Method(written)
        if method is Method.NONE:
            return cls(method, 0)
        least, most, usual = _LEVELS[method]
        chosen = usual if level is None else level
        if not least <= chosen <= most:
            raise BuildError(f"{written} has no level {chosen}", fix=f"its levels are {least} to {most}")
        return cls(method, chosen)

    def __str__(self) -> str:
        return self.method.value if self.method is Method.NONE else f"{self.method.value}-{self.level}"

    @property
    def media_type(self) -> str:
        """What a layer that was compressed so is called in a manifest."""
        match self.method:
            case Method.NONE:
                return MEDIA_LAYER
            case Method.ZSTD:
                return MEDIA_LAYER_ZSTD
            case _:
                return MEDIA_LAYER_GZIP


def processors() -> int:
    """How many threads can run at once here; 1 where no thread can be started."""
    if sys.platform in ("emscripten", "wasi"):
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def compress(
    content: Iterable[bytes], compression: Compression | None = None, *, threads: int | None = None
) -> Iterator[bytes]:
    """``content`` compressed; NotSupportedError if a library is missing.

    ``threads``: None means as many as run at once.
    """
    chosen = compression or Compression()
    workers = threads or processors()
    match chosen.method:
        case Method.NONE:
            return iter(content)
        case Method.ZSTD:
            return _zstd(content, chosen.level, workers)
        case Method.FAST:
            return _gzip(content, chosen.level, workers, _isal())
        case _:
            return _gzip(content, chosen.level, workers, zlib)


def _gzip(content: Iterable[bytes], level: int, threads: int, library: Any) -> Iterator[bytes]:
    checksum = size = 0
    before = b""

    def jobs() -> Iterator[Callable[[], bytes]]:
        nonlocal checksum, size, before
        for block in _blocks(content, BLOCK_BYTES):
            checksum = library.crc32(block, checksum)
            size += len(block)
            yield _Deflate(library, level, before, block)
            before = block[-_WINDOW_BYTES:]

    yield _GZIP_HEADER
    yield from _in_order(jobs(), threads)
    yield _LAST_BLOCK
    yield struct.pack("<LL", checksum, size & 0xFFFFFFFF)


class _Deflate(Record):
    library: Any
    level: int
    before: bytes
    block: bytes

    def __call__(self) -> bytes:
        dictionary = {"zdict": self.before} if self.before else {}
        deflate = self.library.compressobj(self.level, zlib.DEFLATED, -zlib.MAX_WBITS, **dictionary)
        whole: bytes = deflate.compress(self.block) + deflate.flush(self.library.Z_SYNC_FLUSH)
        return whole


def _zstd(content: Iterable[bytes], level: int, threads: int) -> Iterator[bytes]:
    from builder.image.compression import zstd_module  # here, as few layers are compressed with zstd

    module = zstd_module()
    if module is None:
        raise NotSupportedError("this Python has no zstd", fix="install backports.zstd, or use gzip")

    def frame(block: bytes) -> Callable[[], bytes]:
        return lambda: module.compress(block, level)

    found = False
    for each in _in_order(map(frame, _blocks(content, _ZSTD_BLOCK_BYTES)), threads):
        found = True
        yield each
    if not found:
        yield module.compress(b"", level)


def _blocks(content: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The content in blocks of ``size`` bytes; the last one may be shorter, and none is empty."""
    waiting = bytearray()
    for piece in content:
        waiting += piece
        while len(waiting) >= size:
            yield bytes(waiting[:size])
            del waiting[:size]
    if waiting:
        yield bytes(waiting)


def _in_order(jobs: Iterator[Callable[[], bytes]], threads: int) -> Iterator[bytes]:
    """The results, in order; no more jobs wait than threads can do soon. One job alone starts no thread."""
    first = next(jobs, None)
    if first is None:
        return
    second = next(jobs, None) if threads > 1 else None
    if second is None:
        yield first()
        yield from (job() for job in jobs)
        return
    from concurrent.futures import ThreadPoolExecutor  # here, as a known build compresses nothing

    with ThreadPoolExecutor(threads, thread_name_prefix="compress") as pool:
        running: deque[Future[bytes]] = deque([pool.submit(first), pool.submit(second)])
        try:
            for job in jobs:
                running.append(pool.submit(job))
                if len(running) > _AHEAD * threads:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for each in running:
                each.cancel()


def _isal() -> Any:
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        raise NotSupportedError(
            "the compression 'fast' needs ISA-L",
            fix="install it with: pip install 'layerlab[fast]', or use gzip",
        ) from None
