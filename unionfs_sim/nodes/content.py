"""The bytes of a file: inline, a slice of a blob on disk, or a buffer with holes that can be written.

``Content`` never changes, so a copy-up, an image layer and ten unions share one. A file that is being
written holds a ``Buffer`` instead: bytes without gaps while there are none, else pages, as tmpfs keeps
them; pages never written are holes and take no blocks.
"""

from __future__ import annotations

import bisect
import io
import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, cast

PAGE: Final = 4096
SECTOR: Final = 512
"""The unit of st_blocks."""
CHUNK: Final = 1 << 20


class Content:
    """Bytes that never change, held in memory.

    >>> Content.of(b"hello").read(1, 3)
    b'ell'
    """

    __slots__ = ("_digest", "_inline")

    is_mutable = False

    def __init__(self, inline: bytes = b"") -> None:
        self._inline = inline
        self._digest: str | None = None

    @staticmethod
    def of(inline: bytes) -> Content:
        """The content that is these bytes."""
        return Content(inline) if inline else EMPTY

    @property
    def size(self) -> int:
        """Length in bytes, holes included."""
        return len(self._inline)

    @property
    def blocks(self) -> int:
        """Units of 512 bytes in use, as tmpfs counts them: whole pages."""
        return -(-self.size // PAGE) * (PAGE // SECTOR)

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        """At most ``size`` bytes from ``offset`` on; -1: to the end."""
        if size < 0:
            return self._inline[offset:] if offset else self._inline
        return self._inline[offset : offset + size]

    def chunks(self) -> Iterator[bytes]:
        """All bytes in pieces of at most one mebibyte."""
        for offset in range(0, self.size, CHUNK):
            yield self.read(offset, CHUNK)

    def digest(self) -> str:
        """The sha256 of the bytes, in hex; remembered."""
        if self._digest is None:
            import hashlib  # here, as loading OpenSSL would double the time of `import unionfs_sim`

            state = hashlib.sha256()
            for chunk in self.chunks():
                state.update(chunk)
            self._digest = state.hexdigest()
        return self._digest

    def open(self) -> BinaryIO:
        """A seekable binary file over the bytes, for reading."""
        return io.BufferedReader(cast(io.RawIOBase, _Reader(self)))

    def next_data(self, page: int) -> int | None:
        """The first page from number ``page`` on that was ever written; None: only holes follow."""
        return page if page * PAGE < self.size else None

    def next_hole(self, page: int) -> int:
        """The first page from number ``page`` on that was never written."""
        return max(page, -(-self.size // PAGE))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Content):
            return NotImplemented
        return self is other or (self.size == other.size and self.digest() == other.digest())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Content({self.size} bytes)"


EMPTY: Final = Content()


class Slice(Content):
    """A part of a file on disk (a layer blob, a spooled tar): read when asked for, never kept."""

    __slots__ = ("_file", "_fileno", "_offset", "_size")

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._file = file  # keeps the descriptor open
        self._fileno = file.fileno()
        self._offset = offset
        self._size = size

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        """At most ``size`` bytes from ``offset`` on; -1: to the end."""
        wanted = self._size - offset if size < 0 else min(size, self._size - offset)
        pieces = []
        place = self._offset + offset
        while wanted > 0:
            piece = read_at(self._fileno, min(wanted, CHUNK), place)
            if not piece:
                break
            pieces.append(piece)
            place += len(piece)
            wanted -= len(piece)
        return b"".join(pieces)


def read_at(descriptor: int, size: int, place: int) -> bytes:
    """pread(2); where there is no such call (Windows), nobody else moves the position meanwhile."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, place)
    os.lseek(descriptor, place, os.SEEK_SET)
    return os.read(descriptor, size)


class Hole(Content):
    """Zeros that take no room."""

    __slots__ = ("_size",)

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    @property
    def blocks(self) -> int:
        """None are in use."""
        return 0

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        """Zeros."""
        rest = max(self._size - offset, 0)
        return bytes(rest if size < 0 else min(size, rest))

    def next_data(self, page: int) -> int | None:
        """Nothing was written."""
        del page
        return None

    def next_hole(self, page: int) -> int:
        """All of it is one."""
        return page


class Sparse(Content):
    """Bytes with holes that never change: ``extents`` of another content, and zeros between them.

    ``extents``: (where in this content, how many bytes), ascending and apart; they follow each other
    without gaps in ``packed``.
    """

    __slots__ = ("_extents", "_packed", "_size", "_starts")

    def __init__(self, packed: Content, extents: Sequence[tuple[int, int]], size: int) -> None:
        super().__init__()
        self._packed = packed
        self._size = size
        self._extents: list[tuple[int, int, int]] = []
        place = 0
        for offset, length in extents:
            if length:
                self._extents.append((offset, length, place))
            place += length
        self._starts = [offset for offset, _, _ in self._extents]

    @property
    def size(self) -> int:
        """Length in bytes, holes included."""
        return self._size

    @property
    def blocks(self) -> int:
        """Units of 512 bytes in use: the pages that extents touch."""
        pages, last = 0, -1
        for offset, length, _ in self._extents:
            first = max(offset // PAGE, last + 1)
            last = (offset + length - 1) // PAGE
            pages += last - first + 1
        return pages * (PAGE // 512)

    def next_data(self, page: int) -> int | None:
        """The first page from number ``page`` on that an extent touches; None: only holes follow."""
        at = bisect.bisect_left(self._starts, (page + 1) * PAGE) - 1
        if at >= 0 and self._extents[at][0] + self._extents[at][1] > page * PAGE:
            return page
        return self._starts[at + 1] // PAGE if at + 1 < len(self._starts) else None

    def next_hole(self, page: int) -> int:
        """The first page from number ``page`` on that no extent touches."""
        while self.next_data(page) == page:
            at = bisect.bisect_left(self._starts, (page + 1) * PAGE) - 1
            page = max(page + 1, -(-(self._extents[at][0] + self._extents[at][1]) // PAGE))
        return page

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        """At most ``size`` bytes from ``offset`` on; -1: to the end."""
        end = self._size if size < 0 else min(offset + size, self._size)
        if offset >= end:
            return b""
        found = bytearray(end - offset)
        at = max(bisect.bisect_right(self._starts, offset) - 1, 0)
        for begin, length, place in self._extents[at:]:
            low, high = max(begin, offset), min(begin + length, end)
            if begin >= end:
                break
            if low < high:
                found[low - offset : high - offset] = self._packed.read(place + low - begin, high - low)
        return bytes(found)


class Buffer(Content):
    """Bytes that can be written.

    ``_dense`` holds everything from byte 0 on, without a hole, until the first write beyond a gap of
    whole pages; from then on ``_pages`` holds the pages that were written. Bytes behind ``_dense`` up to
    ``_size`` are a hole.
    """

    __slots__ = ("_dense", "_pages", "_size")

    is_mutable = True

    def __init__(self, source: Content = EMPTY) -> None:
        super().__init__()
        self._pages: dict[int, bytearray] | None = None
        self._dense = bytearray()
        self._size = source.size
        if isinstance(source, Buffer):
            self._dense = bytearray(source._dense)
            if source._pages is not None:
                self._pages = {number: bytearray(page) for number, page in source._pages.items()}
        elif not isinstance(source, Hole):
            for chunk in source.chunks():
                self._dense += chunk

    @property
    def size(self) -> int:
        """Length in bytes, holes included."""
        return self._size

    @property
    def blocks(self) -> int:
        """Units of 512 bytes in use: pages that were written."""
        pages = -(-len(self._dense) // PAGE) if self._pages is None else len(self._pages)
        return pages * (PAGE // SECTOR)

    def next_data(self, page: int) -> int | None:
        """The first page from number ``page`` on that was ever written; None: only holes follow."""
        if self._pages is None:
            return page if page * PAGE < len(self._dense) else None
        return min((number for number in self._pages if number >= page), default=None)

    def next_hole(self, page: int) -> int:
        """The first page from number ``page`` on that was never written."""
        if self._pages is None:
            return max(page, -(-len(self._dense) // PAGE))
        while page in self._pages:
            page += 1
        return page

    def read(self, offset: int = 0, size: int = -1) -> bytes:
        """At most ``size`` bytes from ``offset`` on; -1: to the end."""
        end = self._size if size < 0 else min(offset + size, self._size)
        if offset >= end:
            return b""
        if self._pages is None:
            found = bytes(self._dense[offset:end])
            return found + bytes(end - offset - len(found))
        pieces = []
        for number in range(offset // PAGE, -(-end // PAGE)):
            page = self._pages.get(number)
            start = number * PAGE
            low, high = max(offset - start, 0), min(end - start, PAGE)
            pieces.append(bytes(high - low) if page is None else bytes(page[low:high]))
        return b"".join(pieces)

    def write(self, offset: int, piece: bytes) -> None:
        """Put ``piece`` at ``offset``; what lies between the old end and there is a hole."""
        self._digest = None
        end = offset + len(piece)
        dense = self._dense
        if self._pages is None:
            known = len(dense)
            if offset <= -(-known // PAGE) * PAGE or offset // PAGE == 0:
                if offset > known:
                    dense.extend(bytes(offset - known))
                dense[offset:end] = piece
                self._size = max(self._size, end)
                return
        self._write_pages(self._paged(), offset, piece)
        self._size = max(self._size, end)

    def _paged(self) -> dict[int, bytearray]:
        """The pages that were written; from now on they are kept one by one."""
        if self._pages is None:
            dense, self._dense, self._pages = self._dense, bytearray(), {}
            for start in range(0, len(dense), PAGE):
                page = dense[start : start + PAGE]
                self._pages[start // PAGE] = page + bytes(PAGE - len(page))
        return self._pages

    def pages(self, first: int, last: int) -> dict[int, bytes]:
        """Copies of the written pages from number ``first`` up to, not including, ``last``."""
        if self._pages is not None:
            return {n: bytes(page) for n, page in self._pages.items() if first <= n < last}
        known = -(-len(self._dense) // PAGE)
        return {n: bytes(self._dense[n * PAGE : (n + 1) * PAGE]) for n in range(first, min(last, known))}

    def put_back(self, first: int, last: int, pages: dict[int, bytes], size: int) -> None:
        """Let the pages of a range be as ``pages`` told them, the others holes, and the size ``size``."""
        self._digest = None
        self._size = size
        if self._pages is None and len(self._dense) <= last * PAGE:
            start = min(first * PAGE, len(self._dense))
            if not pages or (start == first * PAGE and list(pages) == list(range(first, first + len(pages)))):
                self._dense[start:] = b"".join(pages.values())
                return
        known = self._paged()
        for number in [number for number in known if first <= number < last]:
            del known[number]
        for number, page in pages.items():
            known[number] = bytearray(page + bytes(PAGE - len(page)))

    @staticmethod
    def _write_pages(pages: dict[int, bytearray], offset: int, piece: bytes) -> None:
        place = 0
        while place < len(piece):
            number, low = divmod(offset + place, PAGE)
            part = piece[place : place + PAGE - low]
            page = pages.get(number)
            if page is None:
                page = pages[number] = bytearray(PAGE)
            page[low : low + len(part)] = part
            place += len(part)

    def truncate(self, size: int) -> None:
        """Cut, or extend with a hole."""
        self._digest = None
        if size < self._size:
            del self._dense[size:]
            if self._pages is not None:
                for number in [number for number in self._pages if number * PAGE >= size]:
                    del self._pages[number]
                page = self._pages.get(size // PAGE)
                if page is not None:
                    low = size % PAGE
                    page[low:] = bytes(PAGE - low)
        self._size = size


class _Reader(io.RawIOBase):
    """A raw file over a content."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._place = offset + (0, self._place, self._content.size)[whence]
        return self._place

    def readinto(self, buffer: bytearray, /) -> int:  # type: ignore[override]
        piece = self._content.read(self._place, len(buffer))
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)
