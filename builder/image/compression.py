"""Layers as they arrive: gzip, zstd or plain, told by their first bytes, within limits.

Layers lie uncompressed in a store and are compressed when they leave the machine.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import BinaryIO, Final

from builder.errors import ImageFormatError, NotSupportedError
from unionfs_sim.tar.compression import PIECE_BYTES, CompressionError, Format, NoZstdError
from unionfs_sim.tar.compression import decompress as decompress_plainly

_OF_LAYERS: Final = (Format.GZIP, Format.ZSTD)
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

    try:
        for piece in decompress_plainly(counted(), _OF_LAYERS, zstd=zstd_module):
            unpacked += len(piece)
            if unpacked > limit_bytes:
                too_much = f"unpacks to more than {limit_bytes} bytes"
                raise ImageFormatError(too_much, where=where, fix="raise the limit with --max-size")
            if unpacked > FREE_BYTES and unpacked > packed * limit_ratio:
                too_much = f"unpacks to more than {limit_ratio} times its size"
                raise ImageFormatError(too_much, where=where, fix="raise the limit with --max-ratio")
            yield piece
    except NoZstdError:
        raise NotSupportedError(
            "the layer is compressed with zstd, which this Python cannot read",
            where=where,
            fix="install backports.zstd, or convert the image: skopeo copy --dest-compress-format gzip …",
        ) from None
    except CompressionError as error:
        raise ImageFormatError(str(error), where=where) from None


def zstd_module() -> ModuleType | None:
    """The standard library's zstd (Python 3.14), or its backport; None without either."""
    for name in _ZSTD_MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
