"""Descriptors and what they refer to (open(2), dup(2)): one description may have many descriptors.

A description is released when its last descriptor is closed; that is how the reader of a pipe learns that
nobody will write any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias, TypeVar

Check: TypeAlias = Callable[[], None]
"""Raises what ends the process that calls it: a signal, Ctrl-C or a timeout."""

_T = TypeVar("_T")


class Stream(Protocol):
    """What a descriptor refers to: an open file, one end of a pipe, or the caller's sink."""

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes (-1: all that will ever come); b"" at the end."""
        ...

    def write(self, data: bytes, /) -> int:
        """Write all of ``data``; BrokenPipeError when nobody will read it."""
        ...

    def close(self) -> None:
        """Release it; a second close does nothing."""
        ...


class Description:
    """An open file description: counts the descriptors that refer to ``source``.

    ``check`` is called before each read and write of a file or device, since a program may never do anything
    else: ``cat /dev/zero > file`` must end when its time is over.
    """

    __slots__ = ("check", "holders", "source")

    def __init__(self, source: Stream, check: Check | None = None) -> None:
        self.source = source
        self.check = check
        self.holders = 0


class Descriptor:
    """One entry of a process's table of descriptors."""

    __slots__ = ("_is_open", "description", "read", "write")

    def __init__(self, description: Description) -> None:
        self.description = description
        description.holders += 1
        self._is_open = True
        # Bound here once: a builtin's output is one call away from its description.
        self.read: Callable[..., bytes] = description.source.read
        self.write: Callable[[bytes], int] = description.source.write
        if description.check is not None:
            self.read = _checked(self.read, description.check)
            self.write = _checked(self.write, description.check)

    @property
    def source(self) -> Stream:
        """What it reads from and writes to."""
        return self.description.source

    def duplicate(self) -> Descriptor:
        """Another descriptor of the same description."""
        return Descriptor(self.description)

    def close(self) -> None:
        """Release it; a second close does nothing."""
        if self._is_open:
            self._is_open = False
            self.description.holders -= 1
            if self.description.holders == 0:
                self.description.source.close()


def _checked(call: Callable[..., _T], check: Check) -> Callable[..., _T]:
    def checked(argument: Any = -1, /) -> _T:
        check()
        return call(argument)

    return checked


def opened(source: Stream, check: Check | None = None) -> Descriptor:
    """The first descriptor of ``source``, which is closed with its last one."""
    return Descriptor(Description(source, check))


def duplicate(stream: Stream) -> Descriptor:
    """A descriptor that refers to what ``stream`` refers to; a foreign stream is lent, and never closed."""
    if isinstance(stream, Descriptor):
        return stream.duplicate()
    description = Description(stream)
    description.holders = 1
    return Descriptor(description)


def inherited(table: Mapping[int, Stream]) -> dict[int, Stream]:
    """A table of descriptors for a child process: each of them duplicated."""
    return {number: duplicate(stream) for number, stream in table.items()}


def close_all(table: Mapping[int, Stream]) -> None:
    """Close every descriptor of a table."""
    for stream in table.values():
        stream.close()


class ByteSource:
    """Reads ``content`` and cannot be written: a here-document, or the input that a command was given."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        end = len(self._content) if size < 0 else self._position + size
        piece = self._content[self._position : end]
        self._position += len(piece)
        return piece

    def read_line(self) -> bytes:
        """The bytes up to the next newline, with it."""
        end = self._content.find(b"\n", self._position) + 1
        return self.read((end or len(self._content)) - self._position)

    def write(self, data: bytes, /) -> int:  # noqa: ARG002
        """Refused: EBADF, as a descriptor that is open for reading only has it."""
        raise OSError(9, "Bad file descriptor")

    def close(self) -> None:
        """Nothing to release."""


class Closed:
    """What a process finds where its descriptor is closed: EBADF for whatever it asks (``cat <&-``)."""

    def read(self, size: int = -1, /) -> bytes:  # noqa: ARG002
        """Refused: EBADF."""
        raise OSError(9, "Bad file descriptor")

    def write(self, data: bytes, /) -> int:  # noqa: ARG002
        """Refused: EBADF."""
        raise OSError(9, "Bad file descriptor")

    def close(self) -> None:
        """Nothing to release."""


class Unheard(Closed):
    """A closed descriptor 2: what a program says of its errors is lost, and it goes on (perror(3))."""

    def write(self, data: bytes, /) -> int:
        """As if it were written."""
        return len(data)


CLOSED: Final = Closed()
UNHEARD: Final = Unheard()


class Collector:
    """Keeps what is written: the output of a command substitution. ``limit``: most bytes it takes."""

    def __init__(self, account: Callable[[int], None]) -> None:
        self._account = account
        self.pieces: list[bytes] = []

    def read(self, size: int = -1, /) -> bytes:  # noqa: ARG002
        """Refused: EBADF."""
        raise OSError(9, "Bad file descriptor")

    def write(self, data: bytes, /) -> int:
        """Keep ``data``."""
        self._account(len(data))
        self.pieces.append(bytes(data))
        return len(data)

    def close(self) -> None:
        """Nothing to release."""


class SinkSource:
    """Hands what is written to the caller of the simulation. ``account`` is told how much, and may object."""

    def __init__(self, sink: Callable[[bytes], None], account: Callable[[int], None]) -> None:
        self._sink = sink
        self._account = account

    def read(self, size: int = -1, /) -> bytes:  # noqa: ARG002
        """The end: nobody types anything."""
        return b""

    def write(self, data: bytes, /) -> int:
        """Hand over ``data``."""
        self._account(len(data))
        self._sink(bytes(data))
        return len(data)

    def close(self) -> None:
        """Nothing to release."""
