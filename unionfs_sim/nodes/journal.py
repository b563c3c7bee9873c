"""The one pair of functions that changes a tree, and the record of how to take a change back.

``put`` links or unlinks a name in a directory; ``assign`` sets an attribute of an inode. Nothing else
changes a tree that somebody can see. With a journal, each first writes down its own inverse, so undoing
an operation costs what the operation cost. (Bytes of a file are an attribute too big to keep whole:
``splice`` keeps only the pages that it touches.)
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias, TypeVar

from unionfs_sim.nodes.content import PAGE, Buffer

NameT = TypeVar("NameT")
ValueT = TypeVar("ValueT")


class Absent(enum.Enum):
    """The type of ``ABSENT``."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""Stands for "no such name" as a value of ``put``."""

Undo: TypeAlias = "Callable[[Journal, object, object, object], None]"
"""Takes a change back, and writes down how to make it again; gets what was written down with it."""
Inverse: TypeAlias = tuple[Undo, object, object, object]


class Journal:
    """The last ``limit`` operations on a tree, each as the list of its inverses.

    >>> journal = Journal(10)
    >>> names = {}
    >>> with journal.operation():
    ...     put(journal, names, "a", 1)
    >>> journal.undo()
    True
    >>> names
    {}
    """

    __slots__ = ("_current", "_depth", "_done", "_undone")

    def __init__(self, limit: int) -> None:
        self._done: deque[list[Inverse]] = deque(maxlen=limit)
        self._undone: list[list[Inverse]] = []
        self._current: list[Inverse] = []
        self._depth = 0

    def begin(self) -> None:
        """Close the operation before; what follows is a new one (unless inside ``operation``)."""
        if not self._depth:
            self._close()

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Everything changed inside is one operation."""
        self.begin()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._close()

    @property
    def latest(self) -> object:
        """The operation that ``undo`` would take back; None if there is none."""
        return self._current or (self._done[-1] if self._done else None)

    def append(self, inverse: Inverse) -> None:
        """Write down how to take back one change."""
        self._current.append(inverse)

    def _close(self) -> None:
        if self._current:
            self._done.append(self._current)
            self._undone.clear()
            self._current = []

    def undo(self) -> bool:
        """Take back the last operation; False if there is none."""
        self._close()
        if not self._done:
            return False
        self._undone.append(self._replay(self._done.pop()))
        return True

    def redo(self) -> bool:
        """Do again what was undone last; False if there is nothing."""
        self._close()
        if not self._undone:
            return False
        self._done.append(self._replay(self._undone.pop()))
        return True

    def _replay(self, inverses: list[Inverse]) -> list[Inverse]:
        for function, subject, key, value in reversed(inverses):
            function(self, subject, key, value)
        again, self._current = self._current, []
        return again


def put(journal: Journal | None, names: dict[NameT, ValueT], name: NameT, value: ValueT | Absent) -> None:
    """Let ``name`` mean ``value`` in a directory's ``names``; ABSENT takes the name away."""
    if journal is not None:
        journal.append((_put_back, names, name, names.get(name, ABSENT)))
    if value is ABSENT:
        names.pop(name, None)
    else:
        names[name] = value


def assign(journal: Journal | None, inode: object, attribute: str, value: object) -> None:
    """Set one attribute of an inode."""
    if journal is not None:
        journal.append((_assign_back, inode, attribute, getattr(inode, attribute, None)))
    setattr(inode, attribute, value)


def splice(journal: Journal | None, buffer: Buffer, offset: int, patch: tuple[bytes, int]) -> None:
    """Write ``patch[0]`` at ``offset`` of a file's bytes, then make the size ``patch[1]``."""
    content, size = patch
    if journal is not None:
        first = min(offset, size) // PAGE
        last = -(-max(buffer.size, size, offset + len(content)) // PAGE)
        journal.append((_put_pages_back, buffer, (first, last), (buffer.pages(first, last), buffer.size)))
    if content:
        buffer.write(offset, content)
    if buffer.size != size:
        buffer.truncate(size)


def _put_pages_back(journal: Journal, buffer: object, places: object, kept: object) -> None:
    """Undo of a change of bytes: the pages that it may have touched, holes among them, are as they were."""
    assert isinstance(buffer, Buffer)
    assert isinstance(places, tuple)
    assert isinstance(kept, tuple)
    (first, last), (pages, size) = places, kept
    journal.append((_put_pages_back, buffer, places, (buffer.pages(first, last), buffer.size)))
    buffer.put_back(first, last, pages, size)


def _put_back(journal: Journal, names: object, name: object, value: object) -> None:
    assert isinstance(names, dict)
    put(journal, names, name, value)


def _assign_back(journal: Journal, inode: object, attribute: object, value: object) -> None:
    assert isinstance(attribute, str)
    assign(journal, inode, attribute, value)
