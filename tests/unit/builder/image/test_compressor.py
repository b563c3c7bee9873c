"""Compressing: the same bytes whatever the threads and the pieces, and every reader reads them."""

from __future__ import annotations

import gzip as standard_gzip
import random
import subprocess
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.errors import BuildError, ImageFormatError
from builder.image import compression
from builder.image.compression import Limits, decompress
from builder.image.compressor import BLOCK_BYTES, Compression, Method, compress

METHODS = [Compression.parse(method.value) for method in Method]
TEXT = b"".join(b"line %d of a text that repeats itself\n" % (number % 997) for number in range(120_000))
SIZES = [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, len(TEXT)]


def in_pieces(content: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


def packed(content: bytes, chosen: Compression, *, piece: int = 65_536, threads: int = 2) -> bytes:
    return b"".join(compress(in_pieces(content, piece), chosen, threads=threads))


@pytest.mark.parametrize("chosen", METHODS, ids=str)
@pytest.mark.parametrize("size", SIZES)
def test_what_is_compressed_comes_back(chosen: Compression, size: int) -> None:
    content = TEXT[:size]

    assert b"".join(decompress([packed(content, chosen)], where="x")) == content


@pytest.mark.parametrize("chosen", METHODS, ids=str)
def test_neither_threads_nor_pieces_show_in_the_bytes(chosen: Compression) -> None:
    expected = packed(TEXT, chosen, piece=len(TEXT), threads=1)

    assert {
        packed(TEXT, chosen, piece=piece, threads=n) for piece, n in ((1 << 20, 1), (777, 2), (70_001, 5))
    } == {expected}


@given(st.binary(max_size=3000), st.integers(0, 9))
@settings(max_examples=50)
def test_every_level_of_gzip_is_one_member_that_gzip_reads(content: bytes, level: int) -> None:
    whole = packed(content, Compression(Method.GZIP, level))

    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert inflate.decompress(whole) == content
    assert inflate.eof and inflate.unused_data == b""


@pytest.mark.parametrize(
    "chosen", [Compression(), Compression.parse("fast"), Compression.parse("gzip", 1)], ids=str
)
def test_a_block_knows_what_stands_before_it(chosen: Compression) -> None:
    """Random bytes that come again across the border of a block are found in the window."""
    noise = random.Random(1).randbytes(20_000)
    content = bytes(BLOCK_BYTES - 20_000) + noise + noise

    assert len(packed(content, chosen)) < 30_000


@pytest.mark.parametrize("level", [1, 6, 9])
def test_it_is_hardly_larger_than_one_stream(level: int) -> None:
    assert (
        len(packed(TEXT, Compression(Method.GZIP, level))) < len(standard_gzip.compress(TEXT, level)) * 1.02
    )


@pytest.mark.tools("gzip")
@pytest.mark.parametrize("method", ["gzip", "fast"])
def test_gzip_itself_reads_it(method: str) -> None:
    whole = packed(TEXT, Compression.parse(method))

    done = subprocess.run(["gzip", "-dc"], input=whole, capture_output=True, check=True)

    assert done.stdout == TEXT


@pytest.mark.parametrize(("method", "level"), [("gzip", 10), ("gzip", -1), ("zstd", 0), ("fast", 4)])
def test_a_level_that_does_not_exist_is_refused(method: str, level: int) -> None:
    with pytest.raises(BuildError, match="has no level"):
        Compression.parse(method, level)


def test_compressing_that_is_left_in_the_middle_leaves_no_thread_waiting() -> None:
    endless = compress(iter(lambda: TEXT, b""), threads=2)

    assert [len(next(endless)) > 0 for _ in range(5)] == [True] * 5
    endless.close()  # type: ignore[attr-defined]


def test_an_error_of_the_content_is_raised_where_it_is_compressed() -> None:
    def failing() -> Iterator[bytes]:
        yield TEXT
        raise RuntimeError("the pipe broke")

    with pytest.raises(RuntimeError):
        b"".join(compress(failing()))


@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_what_unpacks_to_far_more_than_it_is_is_refused_beyond_what_is_free(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "FREE_BYTES", 10_000_000)
    bomb = packed(bytes(30_000_000), Compression.parse(method))

    def unpacked(ratio: int) -> int:
        return sum(map(len, decompress([bomb], where="layer", limits=Limits(ratio=ratio))))

    with pytest.raises(ImageFormatError, match="unpacks to more than 100 times its size"):
        unpacked(100)
    assert unpacked(1_000_000) == 30_000_000
