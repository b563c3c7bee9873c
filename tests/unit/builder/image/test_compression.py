from __future__ import annotations

import gzip as reference
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import ImageFormatError, NotSupportedError
from builder.image import compression
from builder.image.compression import Limits, decompress
from unionfs_sim.tar.compression import gzip


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def unpacked(content: bytes, size: int = 1000) -> bytes:
    return b"".join(decompress(pieces(content, size), where="layer"))


@given(st.binary(max_size=3000), st.integers(1, 500), st.integers(1, 500))
def test_the_bytes_do_not_depend_on_how_the_content_is_cut(content: bytes, one: int, two: int) -> None:
    assert b"".join(gzip(pieces(content, one))) == b"".join(gzip(pieces(content, two)))


@given(st.binary(max_size=3000), st.integers(1, 500))
def test_gzip_is_undone(content: bytes, size: int) -> None:
    packed = b"".join(gzip([content]))

    assert reference.decompress(packed) == content
    assert unpacked(packed, size) == unpacked(packed + bytes(10), size) == content
    assert unpacked(packed + packed, size) == content + content


def test_the_header_tells_neither_time_nor_system() -> None:
    assert b"".join(gzip([b"x"]))[:10] == bytes.fromhex("1f8b0800000000000 0ff".replace(" ", ""))


def test_plain_content_passes_unchanged() -> None:
    assert [unpacked(each) for each in (b"", b"\x1f", b"plain")] == [b"", b"\x1f", b"plain"]


@pytest.mark.parametrize("cut", [1, 8, 12, 30])
def test_truncated_gzip_is_refused(cut: int) -> None:
    with pytest.raises(ImageFormatError, match="truncated gzip"):
        unpacked(b"".join(gzip([bytes(range(256))]))[:-cut])


def test_damaged_gzip_is_refused() -> None:
    packed = bytearray(b"".join(gzip([bytes(range(256)) * 9])))
    packed[-6] ^= 1

    with pytest.raises(ImageFormatError, match="damaged gzip"):
        unpacked(bytes(packed))


def test_a_bomb_is_unpacked_in_small_pieces_and_stopped_at_the_limit() -> None:
    bomb = b"".join(gzip([bytes(100_000_000)]))

    biggest = 0
    with pytest.raises(ImageFormatError, match="more than 5000000 bytes"):
        for piece in decompress([bomb], where="layer", limits=Limits(5_000_000)):
            biggest = max(biggest, len(piece))

    assert biggest <= 1 << 16


def test_zstd_without_a_module_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "_ZSTD_MODULES", ("no_such_module",))

    with pytest.raises(NotSupportedError, match=r"backports\.zstd"):
        unpacked(b"\x28\xb5\x2f\xfd" + bytes(20))


@pytest.mark.parametrize("size", [1, 77, 100_000])
def test_zstd_is_read_where_python_can(size: int) -> None:
    zstd = compression.zstd_module()
    assert zstd is not None
    content = b"a" * 300_000 + bytes(range(256))
    packed = zstd.compress(content)

    assert unpacked(packed, size) == content
    assert unpacked(packed + packed, size) == content + content
    with pytest.raises(ImageFormatError, match="truncated zstd"):
        unpacked(packed[:-1], size)
