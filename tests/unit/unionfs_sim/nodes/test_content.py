"""Bytes of files: buffers with holes behave as a plain string of bytes does."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from unionfs_sim.nodes.content import EMPTY, Buffer, Content, Hole, Slice, Sparse
from unionfs_sim.nodes.journal import Journal, splice
from unionfs_sim.overlay.copying import copied_up

OFFSETS = st.one_of(st.integers(0, 300), st.integers(4000, 4200), st.integers(0, 60_000))
EDITS = st.lists(st.tuples(OFFSETS, st.binary(max_size=6000) | st.none()), max_size=8)


def edited(plain: bytes, offset: int, piece: bytes | None) -> bytes:
    """What write (or, with None, truncate) makes of a string of bytes."""
    if piece is None:
        return plain[:offset] + bytes(max(offset - len(plain), 0))
    if not piece:
        return plain
    return plain[:offset] + bytes(max(offset - len(plain), 0)) + piece + plain[offset + len(piece) :]


@given(st.binary(max_size=9000), EDITS)
def test_a_buffer_is_a_string_of_bytes(start: bytes, edits: list[tuple[int, bytes | None]]) -> None:
    buffer, plain = Buffer(Content.of(start)), start
    for offset, piece in edits:
        plain = edited(plain, offset, piece)
        if piece is None:
            buffer.truncate(offset)
        elif piece:
            buffer.write(offset, piece)

    assert buffer.size == len(plain)
    assert buffer.read() == b"".join(buffer.chunks()) == plain
    assert buffer.read(100, 5000) == plain[100:5100]
    assert buffer.digest() == hashlib.sha256(plain).hexdigest()
    assert buffer.blocks <= -(-len(plain) // 4096) * 8


@given(st.binary(max_size=9000), EDITS)
def test_a_splice_can_be_undone(start: bytes, edits: list[tuple[int, bytes | None]]) -> None:
    buffer, journal = Buffer(Content.of(start)), Journal(100)
    for offset, piece in edits:
        journal.begin()
        size = offset if piece is None else max(buffer.size, offset + len(piece))
        splice(journal, buffer, offset, (piece or b"", size))
    after = buffer.read()

    while journal.undo():
        pass
    assert buffer.read() == start
    while journal.redo():
        pass
    assert buffer.read() == after


@given(st.binary(max_size=9000), EDITS)
def test_a_copy_up_has_the_same_bytes(start: bytes, edits: list[tuple[int, bytes | None]]) -> None:
    buffer = Buffer(Content.of(start))
    for offset, piece in edits:
        buffer.write(offset, piece or b"x")

    copy = copied_up(buffer, buffer.size)

    assert copy is not buffer
    assert copy == buffer


def test_bytes_that_cannot_change_are_shared_by_a_copy_up() -> None:
    content = Content.of(b"hello")

    assert copied_up(content, 5) is content


def test_a_gap_of_whole_pages_takes_no_blocks() -> None:
    buffer = Buffer()
    buffer.write(1 << 40, b"x")

    assert (buffer.size, buffer.blocks) == ((1 << 40) + 1, 8)
    assert buffer.next_data(0) != 0
    assert buffer.read(5, 3) == bytes(3)


def test_a_hole_reads_as_zeros() -> None:
    assert Hole(10).read(8) == bytes(2)
    assert Hole(10).blocks == 0
    assert Hole(3) == Content.of(bytes(3))


def test_a_slice_reads_a_part_of_a_file_on_disk(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(b"0123456789")
    with blob.open("rb") as file:
        part = Slice(file, 2, 5)

        assert (part.size, part.read(), part.read(1, 2), part.read(4, 99)) == (5, b"23456", b"34", b"6")


def test_a_content_opens_as_a_seekable_file() -> None:
    with Content.of(b"one\ntwo\n").open() as file:
        assert file.readline() == b"one\n"
        assert file.seek(0, io.SEEK_END) == 8


def test_equal_bytes_are_equal_contents_wherever_they_lie() -> None:
    assert Buffer(Content.of(b"x")) == Content.of(b"x")
    assert Content.of(b"") is EMPTY
    assert Content.of(b"x") != Content.of(b"y")


@given(
    st.lists(st.tuples(st.integers(0, 9000), st.binary(max_size=5000)), max_size=6),
    st.integers(0, 9000),
    st.lists(st.tuples(st.integers(0, 50_000), st.integers(-1, 9000)), max_size=5),
)
def test_a_sparse_content_is_a_buffer_that_was_written_at_its_extents(
    gaps: list[tuple[int, bytes]], rest: int, reads: list[tuple[int, int]]
) -> None:
    expected, place, extents, packed = Buffer(), 0, [], b""
    for gap, piece in gaps:
        place += gap
        extents.append((place, len(piece)))
        expected.write(place, piece) if piece else None
        packed += piece
        place += len(piece)
    expected.truncate(place + rest)

    content = Sparse(Content.of(packed), extents, place + rest)

    assert (content.size, content.read()) == (expected.size, expected.read())
    assert [content.read(*each) for each in reads] == [expected.read(*each) for each in reads]
    touched = {
        page for at, length in extents if length for page in range(at // 4096, -(-(at + length) // 4096))
    }
    assert [page for page in range(content.size // 4096 + 1) if content.next_data(page) == page] == sorted(
        touched
    )
    assert content.blocks == 8 * len(touched)
