"""Records and fields: how input is cut up (POSIX awk, "Regular Expressions" and RS)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.matching.regex import Pattern
from builder.world.utilities.awk.values import Input
from builder.world.utilities.streams import CHUNK

_BLANKS: Final = b" \t\n"


class Records:
    """The records of a stream; the separator may change between two reads."""

    def __init__(self, stream: Stream, account_memory: Callable[[int], None]) -> None:
        self._stream = stream
        self._account_memory = account_memory
        self._held = b""
        self._ended = False

    def _more(self) -> bool:
        piece = b"" if self._ended else self._stream.read(CHUNK)
        self._ended = not piece
        self._held += piece
        self._account_memory(len(self._held))
        return bool(piece)

    def next(self, separator: bytes, pattern: Pattern | None) -> bytes | None:
        """The next record, or None at the end. An empty separator: paragraphs; ``pattern``: a longer one."""
        if separator == b"":
            return self._paragraph()
        at = 0
        while True:
            found = self._find(separator, pattern, at)
            if found is not None:
                record, self._held = self._held[: found[0]], self._held[found[1] :]
                return record
            at = max(0, len(self._held) - 1) if pattern is None else 0
            if not self._more():
                break
        record, self._held = self._held, b""
        return record if record else None

    def _find(self, separator: bytes, pattern: Pattern | None, at: int) -> tuple[int, int] | None:
        if pattern is None:
            place = self._held.find(separator, at)
            return None if place < 0 else (place, place + 1)
        match = pattern.search(self._held)
        # A match that touches the end might go on in what was not read yet.
        if (
            match is None
            or match.start() == match.end()
            or (match.end() == len(self._held) and not self._ended)
        ):
            return None
        return match.span()

    def _paragraph(self) -> bytes | None:
        while True:
            self._held = self._held.lstrip(b"\n")
            match = re.search(rb"\n\n+", self._held)
            if match is not None and (match.end() < len(self._held) or self._ended):
                record, self._held = self._held[: match.start()], self._held[match.end() :]
                return record
            if not self._more():
                record, self._held = self._held.rstrip(b"\n"), b""
                return record if record else None

    def close(self) -> None:
        """Release the stream."""
        self._stream.close()


def fields(
    record: bytes, separator: bytes, pattern: Pattern | None, *, paragraphs: bool = False
) -> list[bytes]:
    """The fields of a record: by blanks if the separator is a space, else by it.

    ``paragraphs``: newlines separate as well.
    """
    if separator == b" ":
        return [Input(part) for part in re.findall(rb"[^ \t\n]+", record)]
    if not record:
        return []
    if separator == b"":
        return [Input(record[at : at + 1]) for at in range(len(record))]
    lines = record.split(b"\n") if paragraphs else [record]
    return [Input(part) for line in lines for part in _split(line, separator, pattern)]


def _split(record: bytes, separator: bytes, pattern: Pattern | None) -> Iterator[bytes]:
    if pattern is None:
        yield from record.split(separator)
        return
    start = at = 0
    while at <= len(record) and (match := pattern.search(record, at)):
        if match.end() == match.start():
            at = match.end() + 1
            continue
        yield record[start : match.start()]
        start = at = match.end()
    yield record[start:]
