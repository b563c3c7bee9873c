"""What the kernel's side and the model's side have in common: calls by verb, and comparable answers."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from .modes import Mode, Turn
from .operation import SLOTS, Op, Outcome
from .records import Classes
from .stacks import Entry
from .trees import Node, Tree

Verb = Callable[..., Any]


class Machine(Protocol):
    """One side of the comparison."""

    classes: Classes

    def begin(self, mode: Mode, lowers: Sequence[Sequence[Entry]], upper: Entry) -> None:
        """Write the layers (base first) as they are before the first mount; ``upper`` is the upper's root."""
        ...

    def mount(self, turn: Turn) -> Outcome:
        """Mount the union; the turn says what becomes of the upper of the phase before."""
        ...

    def call(self, op: Op) -> Outcome:
        """Make one call in the mounted union."""
        ...

    def merged(self) -> Tree:
        """The mounted union as root sees it."""
        ...

    def walk(self, tree: Tree) -> dict[str, Node]:
        """Every name of a tree that this side has given, comparable."""
        ...

    def unmount(self, *, keep: bool = False) -> None:
        """Close what is open and unmount; ``keep`` leaves the mount, for a union on top of it."""
        ...

    def raw(self) -> Mapping[str, Tree]:
        """The layers themselves, by name; only while nothing is mounted."""
        ...

    def outside(self) -> AbstractContextManager[Mapping[str, Tree]]:
        """The layers themselves while the union is mounted."""
        ...

    def misexplained(self, paths: Sequence[str]) -> str:
        """A path of which the side says otherwise than it does whether it is there; "" if there is none."""
        ...

    def end(self) -> None:
        """Remove all that ``begin`` made."""
        ...


class Slots:
    """The files held open, by number."""

    def __init__(self, close: Callable[[Any], None]) -> None:
        self._close = close
        self._files: list[Any] = [None] * SLOTS

    def put(self, number: int, file: Any) -> None:
        """Hold ``file``; closes what was held there."""
        if self._files[number] is not None:
            self._close(self._files[number])
        self._files[number] = file

    def __getitem__(self, number: int) -> Any:
        """The file; raises OSError EBADF if none is held there."""
        file = self._files[number] if number >= 0 else None
        if file is None:
            raise OSError(9, "nothing is open here")
        return file

    def clear(self) -> None:
        """Close everything."""
        for number in range(SLOTS):
            self.put(number, None)


def perform(verb: Verb, args: tuple[Any, ...]) -> Outcome:
    """The outcome of a call; an OSError is an answer, any other exception a mistake of the model."""
    try:
        return Outcome(0, verb(*args))
    except OSError as error:
        if error.errno is None:
            return Outcome(0, None, f"OSError without errno: {error}")
        return Outcome(error.errno)
    except Exception as error:  # a differential test must report every mistake of the model as a divergence
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome(0, None, f"{type(error).__name__}: {error} ({where.name}:{where.lineno})")
