"""Reading and writing in pieces: lines of a stream, buffered output, the files that operands name."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.utilities.commandline import UsageError

CHUNK: Final = 1 << 16
"""Bytes that one read asks for."""

_PIECE_OVERHEAD: Final = 48
"""What Python needs for a short text beside its bytes."""

_FLUSH_AT: Final = 1 << 15


def reason(error: OSError) -> str:
    """What strerror(3) says about the error."""
    if error.errno is not None:
        return os.strerror(error.errno)
    return error.strerror or str(error)


def octets(text: str) -> bytes:
    """The bytes behind a word of a command line."""
    return text.encode("utf-8", "surrogateescape")


def words(data: bytes) -> str:
    """The text that stands for ``data`` in argv and in paths."""
    return data.decode("utf-8", "surrogateescape")


def chunks(stream: Stream) -> Iterator[bytes]:
    """The stream in pieces of at most CHUNK bytes, to its end."""
    while piece := stream.read(CHUNK):
        yield piece


def contents(process: Process, stream: Stream) -> bytes:
    """All that the stream still gives."""
    return b"".join(kept(process, chunks(stream)))


def kept(process: Process, pieces: Iterable[bytes]) -> list[bytes]:
    """All the pieces at once; LimitError when they are more than the process may hold."""
    held = 0
    found: list[bytes] = []
    for piece in pieces:
        held += len(piece) + _PIECE_OVERHEAD
        process.holds(held)
        found.append(piece)
    return found


def lines(process: Process, stream: Stream, end: bytes = b"\n") -> Iterator[bytes]:
    """The lines of the stream, each with its terminator; the last may lack it."""
    rest: list[bytes] = []
    account, held = process.machine.account_memory, 0
    for piece in chunks(stream):
        parts = piece.split(end)
        if len(parts) == 1:
            rest.append(piece)
            held += len(piece)
            account(held)
            continue
        if held:
            held = 0
            account(0)  # whoever takes the line says what is kept of it
        yield b"".join(rest) + parts[0] + end
        for part in parts[1:-1]:
            yield part + end
        rest = [parts[-1]] if parts[-1] else []
    last = b"".join(rest)
    account(0)
    if last:
        yield last


def text_lines(process: Process, stream: Stream, end: bytes = b"\n") -> Iterator[bytes]:
    """The lines of the stream without their terminators."""
    for line in lines(process, stream, end):
        yield line[: -len(end)] if line.endswith(end) else line


class Output:
    """Descriptor 1 with a buffer, written out when it is full, before a complaint and at the end."""

    __slots__ = ("_buffer", "_size", "process", "status")

    def __init__(self, process: Process) -> None:
        self.process = process
        self._buffer: list[bytes] = []
        self._size = 0
        self.status = 0
        """The exit status so far: 0, or what a complaint made it."""

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, BrokenPipeError):
            self.flush()

    def write(self, data: bytes) -> None:
        """Add ``data`` to what will be printed."""
        self._buffer.append(data)
        self._size += len(data)
        if self._size >= _FLUSH_AT:
            self.flush()

    def print(self, text: str) -> None:
        """Add a line of text."""
        self.write(octets(text) + b"\n")

    def flush(self) -> None:
        """Write out what has been gathered."""
        if self._buffer:
            data = b"".join(self._buffer)
            self._buffer.clear()
            self._size = 0
            self.process.stdout.write(data)

    def complain(self, text: str, *, status: int = 1) -> None:
        """Say ``name: text`` on descriptor 2, and remember that the exit status is ``status``."""
        self.flush()
        self.process.complain(text)
        self.status = status

    def failed(self, path: str, error: OSError, *, status: int = 1) -> None:
        """Say that the path could not be handled, and why."""
        self.complain(f"{path}: {reason(error)}", status=status)


def open_input(process: Process, name: str) -> Stream:
    """The file to read; ``-`` is descriptor 0. A directory is refused at once, as its first read would be."""
    if name == "-":
        return process.stdin
    stream = process.open(name)
    try:
        is_directory = stat.S_ISDIR(process.fs.stat(name).st_mode)
    except OSError:
        is_directory = False  # /dev/stdin and its kin need no name in the image
    if is_directory:
        stream.close()
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    return stream


def create(process: Process, name: str, *, append: bool = False) -> Stream:
    """The file to write, made or emptied first (or, to ``append``, left as it is)."""
    return process.open(name, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC))


CANNOT_OPEN: Final = "can't open '{}'"
"""How some utilities word a file that cannot be opened; others just name it."""


def inputs(
    process: Process, names: Sequence[str], out: Output, *, wording: str = "{}"
) -> Iterator[tuple[str, Stream]]:
    """Each file that can be opened, with its name; a file that cannot is complained about and passed over."""
    for name in names or ("-",):
        try:
            stream = open_input(process, name)
        except OSError as error:
            failing_read = isinstance(error, IsADirectoryError) and wording == CANNOT_OPEN
            out.failed("read error" if failing_read else wording.format(name), error)
            continue
        yield name, stream
        if name != "-":
            stream.close()


def guarded_exit(process: Process, error: UsageError | OSError) -> int:
    """The exit status of a program that ended with ``error``, after saying so on descriptor 2."""
    if isinstance(error, UsageError):
        if error.message:
            process.complain(error.message)
        if error.usage is not None:
            usage = f"Usage: {process.name} {error.usage}".rstrip()
            process.stderr.write(octets(usage) + b"\n")
        return error.status
    path = error.filename
    where = words(path) if isinstance(path, bytes) else path
    process.complain(f"{where}: {reason(error)}" if where is not None else reason(error))
    return 1
