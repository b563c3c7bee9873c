"""Where the bytes of a sparse entry lie: GNU tar's five ways to write down a map of a file with holes.

GNU tar manual, "Sparse Formats": the old GNU format (type ``S``), and versions 0.0, 0.1 and 1.0 in pax
records. In all of them the entry's data are the extents, one behind the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from unionfs_sim.tar.header import BLOCK, LayerFormatError

MAX_EXTENTS: Final = 100_000
"""No map is longer: a file with more pieces than that is an attack."""

PREFIX: Final = "GNU.sparse."
_OLD_FIRST, _OLD_MORE, _PAIR = 4, 21, 24


class SparseMap(NamedTuple):
    """``extents``: (offset, length) in the file, ascending; ``size``: of the file.

    ``header_bytes``: how much of the entry's data is the map itself.
    """

    extents: Sequence[tuple[int, int]]
    size: int
    header_bytes: int


def of_block(
    block: bytes, read_block: Callable[[], bytes], number: Callable[[bytes], int], entry: str
) -> SparseMap:
    """The map in an old GNU header; ``read_block`` gives the blocks that go on with it."""
    extents: list[tuple[int, int]] = []
    _pairs(block[386:482], _OLD_FIRST, extents, number)
    more = block[482] != 0
    while more:
        extension = read_block()
        if len(extension) < BLOCK or len(extents) > MAX_EXTENTS:
            raise LayerFormatError("the map of a sparse entry is cut off or too long", entry)
        _pairs(extension, _OLD_MORE, extents, number)
        more = extension[504] != 0
    return _checked(extents, number(block[483:495]), 0, entry)


def _pairs(block: bytes, most: int, extents: list[tuple[int, int]], number: Callable[[bytes], int]) -> None:
    for at in range(0, most * _PAIR, _PAIR):
        if block[at] == 0:
            return
        extents.append((number(block[at : at + 12]), number(block[at + 12 : at + 24])))


def of_records(pax: Mapping[str, bytes], read: Callable[[], bytes], entry: str) -> SparseMap:
    """The map in pax records; ``read`` gives the entry's data block by block, where version 1.0 keeps it."""
    if pax.get(f"{PREFIX}major") == b"1":
        size = _whole(pax.get(f"{PREFIX}realsize", b""), entry)
        numbers, used = _leading_numbers(read, entry)
        return _checked(list(zip(numbers[::2], numbers[1::2], strict=True)), size, used, entry)
    written = pax.get(f"{PREFIX}map", b"")
    numbers = [_whole(each, entry) for each in written.split(b",")] if written else []
    if len(numbers) % 2:
        raise LayerFormatError("the map of a sparse entry has an odd number of numbers", entry)
    size = _whole(pax.get(f"{PREFIX}size", pax.get(f"{PREFIX}realsize", b"")), entry)
    return _checked(list(zip(numbers[::2], numbers[1::2], strict=True)), size, 0, entry)


def _leading_numbers(read: Callable[[], bytes], entry: str) -> tuple[list[int], int]:
    """Version 1.0: the number of extents and their numbers, a line each, padded to whole blocks."""
    pending, used = b"", 0
    lines: list[bytes] = []
    wanted = 1
    while len(lines) < wanted:
        block = read()
        if len(block) < BLOCK:
            raise LayerFormatError("the map of a sparse entry is cut off", entry)
        used += BLOCK
        *whole, pending = (pending + block).split(b"\n")
        lines += whole
        if wanted == 1 and lines:
            count = _whole(lines[0], entry)
            if count > MAX_EXTENTS:
                raise LayerFormatError(f"a sparse entry of {count} pieces", entry)
            wanted = 1 + 2 * count
        if len(pending) > BLOCK:
            raise LayerFormatError("the map of a sparse entry holds no numbers", entry)
    return [_whole(line, entry) for line in lines[1:wanted]], used


def _whole(written: bytes, entry: str) -> int:
    if not written.isdigit() or len(written) > 19:
        raise LayerFormatError(f"not a number in the map of a sparse entry: {written[:40]!r}", entry)
    return int(written)


def _checked(extents: Sequence[tuple[int, int]], size: int, header_bytes: int, entry: str) -> SparseMap:
    end = 0
    for offset, length in extents:
        if offset < end or length < 0 or offset + length > size:
            raise LayerFormatError("the pieces of a sparse entry overlap, or lie beyond its end", entry)
        end = offset + length
    if not 0 <= size < 2**63:
        raise LayerFormatError(f"a sparse entry of {size} bytes", entry)
    return SparseMap(extents, size, header_bytes)
