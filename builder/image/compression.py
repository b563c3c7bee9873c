"""Layers as they arrive: gzip, zstd or plain, told by their first bytes, within limits.

Layers lie uncompressed in a store and are compressed when they leave the machine.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import BinaryIO, Final

from builder.errors import ImageFormatError, NotSupportedError
from unionfs_sim.nodes.record import Record
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


class Limits(Record):
    """What a layer may unpack to: bytes, and, beyond ``FREE_BYTES``, times its size as it travels."""

    layer_bytes: int = DEFAULT_LIMIT_BYTES
    ratio: int = DEFAULT_LIMIT_RATIO


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """What is left in ``stream``, in pieces."""
    while piece := stream.read(PIECE_BYTES):
        yield piece


def decompress(
    content: Iterable[bytes],
    *,
    where: str,
    limits: Limits | None = None,
) -> Iterator[bytes]:
    """``content`` without gzip or zstd, told by its first bytes; ImageFormatError over a limit."""
    most = limits or Limits()
    packed = unpacked = 0

    def counted() -> Iterator[bytes]:
        nonlocal packed
        for piece in content:
            packed += len(piece)
            yield piece

    try:
        for piece in decompress_plainly(counted(), _OF_LAYERS, zstd=zstd_module):
            unpacked += len(piece)
            if unpacked > most.layer_bytes:
                too_much = f"unpacks to more than {most.layer_bytes} bytes"
                fix = "raise the limit: layerlab pull or load with --max-size BYTES"
                raise ImageFormatError(too_much, where=where, fix=fix)
            if unpacked > FREE_BYTES and unpacked > packed * most.ratio:
                too_much = f"unpacks to more than {most.ratio} times its size"
                fix = "raise the limit: layerlab pull or load with --max-ratio N"
                raise ImageFormatError(too_much, where=where, fix=fix)
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
