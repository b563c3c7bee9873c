"""Compressed streams in and out, however they are cut."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import tracemalloc
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.image.compression import zstd_module
from unionfs_sim.tar.compression import PIECE_BYTES, CompressionError, Format, NoZstdError, decompress

ZSTD = zstd_module()


def zstd() -> ModuleType:
    assert ZSTD is not None
    return ZSTD


PACKERS: dict[Format, Callable[[bytes], bytes]] = {
    Format.GZIP: lambda content: gzip.compress(content, mtime=0),
    Format.BZIP2: bz2.compress,
    Format.XZ: lzma.compress,
    Format.LZMA: lambda content: lzma.compress(content, lzma.FORMAT_ALONE),
    Format.ZSTD: lambda content: bytes(zstd().compress(content)),
}
REPEATABLE = [Format.GZIP, Format.BZIP2, Format.XZ, Format.ZSTD]


def cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def plain(content: bytes, size: int = 1000) -> bytes:
    return b"".join(decompress(cut(content, size), list(Format), zstd=zstd))


@pytest.mark.parametrize("kind", list(Format))
@given(content=st.binary(max_size=2000), size=st.integers(1, 300))
def test_what_was_compressed_comes_back(kind: Format, content: bytes, size: int) -> None:
    assert plain(PACKERS[kind](content), size) == content


@pytest.mark.parametrize("kind", REPEATABLE)
@given(contents=st.lists(st.binary(max_size=300), min_size=2, max_size=4), size=st.integers(1, 300))
def test_members_that_follow_each_other_are_one_stream(
    kind: Format, contents: list[bytes], size: int
) -> None:
    packed = b"".join(map(PACKERS[kind], contents))

    assert plain(packed, size) == b"".join(contents)


@pytest.mark.parametrize("kind", list(Format))
@pytest.mark.parametrize("left_out", [1, 5])
def test_what_ends_too_early_is_refused(kind: Format, left_out: int) -> None:
    packed = PACKERS[kind](random.Random(1).randbytes(3000))

    with pytest.raises(CompressionError, match="truncated"):
        plain(packed[:-left_out])


@pytest.mark.parametrize("kind", [Format.GZIP, Format.BZIP2, Format.XZ])
def test_what_is_damaged_is_refused(kind: Format) -> None:
    packed = bytearray(PACKERS[kind](bytes(range(256)) * 20))
    packed[-6] ^= 0x55

    with pytest.raises(CompressionError, match="damaged"):
        plain(bytes(packed))


@pytest.mark.parametrize("kind", list(Format))
@given(st.binary(max_size=60))
def test_whatever_follows_the_magic_nothing_but_the_one_error_comes(kind: Format, rest: bytes) -> None:
    try:
        plain(kind.value + rest)
    except CompressionError:
        pass


@pytest.mark.parametrize("kind", list(Format))
def test_a_small_input_that_expands_a_lot_is_never_held_whole(kind: Format) -> None:
    bomb = PACKERS[kind](bytes(30_000_000))

    tracemalloc.start()
    total = 0
    for piece in decompress([bomb], list(Format), zstd=zstd):
        assert len(piece) <= PIECE_BYTES
        total += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert total == 30_000_000
    assert peak < 12_000_000


def test_zstd_without_its_module_is_named() -> None:
    with pytest.raises(NoZstdError, match="zstd"):
        list(decompress([PACKERS[Format.ZSTD](b"x")], [Format.ZSTD]))


def test_only_the_formats_that_are_asked_for_are_undone() -> None:
    packed = PACKERS[Format.BZIP2](b"x")

    assert b"".join(decompress([packed], [Format.GZIP])) == packed
