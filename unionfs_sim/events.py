"""What happened inside a union, as records: none is made when nobody listens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from unionfs_sim.nodes.record import Record


class LookedUp(Record):
    """A name was searched in the layers ``asked`` (0 is the upper, then top first) and ``found`` in some."""

    path: str
    asked: tuple[int, ...]
    found: tuple[int, ...]


class CopiedUp(Record):
    """A file of a lower layer was copied into the upper; ``size_bytes`` of data went with it."""

    path: str
    mode: int
    size_bytes: int


class WhiteoutMade(Record):
    """A whiteout in the upper hides ``path`` from now on."""

    path: str


class OpaqueMade(Record):
    """A directory in the upper hides everything below it in lower layers."""

    path: str


class RedirectMade(Record):
    """A directory (or a metacopy) in the upper says where its lower part lies."""

    path: str
    redirect: str


Event: TypeAlias = LookedUp | CopiedUp | WhiteoutMade | OpaqueMade | RedirectMade
Listener: TypeAlias = Callable[[Event], None]


class Events:
    """Who listens to a union.

    >>> events = Events()
    >>> seen = []
    >>> stop = events.subscribe(seen.append)
    >>> events.tell(WhiteoutMade("/a"))
    >>> stop()
    >>> seen
    [WhiteoutMade(path='/a')]
    """

    __slots__ = ("listeners",)

    def __init__(self) -> None:
        self.listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with every event from now on; the answer ends that."""
        self.listeners = (*self.listeners, listener)

        def stop() -> None:
            self.listeners = tuple(known for known in self.listeners if known is not listener)

        return stop

    def tell(self, event: Event) -> None:
        """Hand ``event`` to everybody who listens."""
        for listener in self.listeners:
            listener(event)
