"""What happened to images and containers, for ``docker events``: a bounded past, and whoever listens now."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_KEPT: Final = 1024
_WAITING: Final = 4096
"""How many events wait for a slow listener before it is let go."""

_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Happening:
    """One event. ``kind``: container or image; ``actor``: its id; ``attributes``: its name, image, labels."""

    kind: str
    action: str
    actor: str
    time_ns: int
    attributes: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The JSON object (Engine API, "SystemEventsResponse"), with the fields of before 1.22 beside."""
        old = {"from": self.attributes["image"]} if "image" in self.attributes else {}
        return {
            "status": self.action,
            "id": self.actor,
            **old,
            "Type": self.kind,
            "Action": self.action,
            "Actor": {"ID": self.actor, "Attributes": dict(self.attributes)},
            "scope": "local",
            "time": self.time_ns // _SECOND_NS,
            "timeNano": self.time_ns,
        }

    def passes(self, filters: Mapping[str, list[str]]) -> bool:
        """Whether the event is one of those that ``filters`` let through: each must, by one of its values."""
        return all(
            any(self._is(name, value) for value in values) for name, values in filters.items() if values
        )

    def _is(self, name: str, value: str) -> bool:
        name_here = self.attributes.get("name", "")
        match name:
            case "type":
                return value == self.kind
            case "event":
                return self.action == value or self.action.startswith(f"{value}:")
            case "container":
                return self.kind == "container" and (self.actor.startswith(value) or name_here == value)
            case "image":
                shown = self.attributes.get("image", name_here)
                return value in (shown, shown.partition(":")[0], self.actor)
            case "label":
                key, equals, wanted = value.partition("=")
                found = self.attributes.get(key)
                return found is not None and (not equals or found == wanted)
        return value == "local"  # scope


FILTERS: Final = ("type", "event", "container", "image", "label", "scope")


class EventLog:
    """All events of one daemon; told and read in its loop. ``now_ns``: the time, in nanoseconds."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._past: deque[Happening] = deque(maxlen=_KEPT)
        self._listeners: set[asyncio.Queue[Happening | None]] = set()

    def tell(self, kind: str, action: str, actor: str, attributes: Mapping[str, str]) -> None:
        """Something happened; from the loop's own thread."""
        event = Happening(kind, action, actor, self._now_ns(), dict(attributes))
        self._past.append(event)
        for listener in tuple(self._listeners):
            if listener.qsize() < _WAITING:
                listener.put_nowait(event)
            else:
                self._listeners.discard(listener)
                listener.put_nowait(None)

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    async def listen(
        self, filters: Mapping[str, list[str]], *, since_ns: int | None, until_ns: int | None
    ) -> AsyncIterator[Happening]:
        """The events from ``since_ns`` on (None: from now on), until ``until_ns`` (None: without end)."""
        mine: asyncio.Queue[Happening | None] = asyncio.Queue()
        self._listeners.add(mine)
        try:
            for event in self._since(since_ns, until_ns):
                if event.passes(filters):
                    yield event
            while True:
                left = None if until_ns is None else (until_ns - self._now_ns()) / _SECOND_NS
                if left is not None and left <= 0:
                    return
                try:
                    async with asyncio.timeout(left):
                        event_now = await mine.get()
                except TimeoutError:
                    return
                if event_now is None:
                    return
                if event_now.passes(filters):
                    yield event_now
        finally:
            self._listeners.discard(mine)

    def _since(self, since_ns: int | None, until_ns: int | None) -> Iterable[Happening]:
        if since_ns is None:
            return []
        return [
            event
            for event in self._past
            if event.time_ns >= since_ns and (until_ns is None or event.time_ns <= until_ns)
        ]
