"""All containers of one daemon, by id and name. They live as long as it does."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from builder.daemon.containers.container import Container, Execution
from builder.daemon.containers.machinery import Machinery
from builder.daemon.containers.spec import Spec
from builder.daemon.events import EventLog
from builder.daemon.http.errors import BadRequest, Conflict, NotFound
from builder.daemon.images import Kept
from builder.image.digest import Digest

_NAME_SIGNS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_MAX_NAME: Final = 255


class Containers:
    """The containers. Implements ``builder.daemon.containers.container.House``."""

    def __init__(
        self, machinery: Machinery, events: EventLog, now_ns: Callable[[], int], token: Callable[[], str]
    ) -> None:
        self.machinery = machinery
        self.now_ns = now_ns
        self.token = token
        self._events = events
        self._by_id: dict[str, Container] = {}
        self._works: set[asyncio.Task[None]] = set()

    def all(self) -> list[Container]:
        """All of them, the latest first."""
        return list(self._by_id.values())[::-1]

    def create(self, name: str, spec: Spec, kept: Kept) -> Container:
        """A new container. Conflict if its name is taken, BadRequest if it is none."""
        id_ = self.token()
        chosen = self._free(name.removeprefix("/")) if name else f"layerlab_{id_[:8]}"
        made = self._by_id[id_] = Container(self, id_, chosen, spec, kept)
        self.tell(made, "create")
        return made

    def rename(self, container: Container, name: str) -> None:
        """Give a container another name."""
        before, container.name = container.name, self._free(name.removeprefix("/"))
        self.tell(container, "rename", oldName=f"/{before}")

    def _free(self, name: str) -> str:
        if not name or len(name) > _MAX_NAME or set(name) - _NAME_SIGNS or name[0] in "_.-":
            raise BadRequest(
                f"Invalid container name ({name:.100}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
            )
        for other in self._by_id.values():
            if other.name == name:
                raise Conflict(
                    f'Conflict. The container name "/{name}" is already in use by container "{other.id}". '
                    "You have to remove (or rename) that container to be able to reuse that name."
                )
        return name

    def find(self, written: str) -> Container:
        """The container with this id, name or beginning of an id; NotFound if none."""
        known = self._by_id.get(written)
        if known is not None:
            return known
        name = written.removeprefix("/")
        for container in self._by_id.values():
            if container.name == name:
                return container
        fitting = [each for each in self._by_id if name and each.startswith(name)]
        if len(fitting) > 1:
            raise BadRequest(
                f"{written:.100} is the beginning of {len(fitting)} containers' ids: write more of it"
            )
        if not fitting:
            raise NotFound(f"No such container: {written:.300}")
        return self._by_id[fitting[0]]

    def execution(self, id_: str) -> tuple[Container, Execution]:
        """A further command by its id, with the container that it is in; NotFound if there is none."""
        for container in self._by_id.values():
            found = container.executions.get(id_)
            if found is not None:
                return container, found
        raise NotFound(f"No such exec instance: {id_:.100}")

    def counts(self) -> dict[Digest, int]:
        """How many containers each image has."""
        found: dict[Digest, int] = {}
        for container in self._by_id.values():
            found[container.kept.image.id] = found.get(container.kept.image.id, 0) + 1
        return found

    def user(self, image: Digest) -> str | None:
        """A container that needs an image, or None; may be asked from any thread."""
        for container in tuple(self._by_id.values()):
            if container.kept.image.id == image:
                return container.id[:12]
        return None

    # ---- what a container needs of its house ----

    def tell(self, container: Container, action: str, **attributes: str) -> None:
        """Let those who listen know what happened."""
        shown = {**container.spec.labels, "image": container.spec.image, "name": container.name, **attributes}
        self._events.tell("container", action, container.id, shown)

    def forget(self, container: Container) -> None:
        """It is removed."""
        self._by_id.pop(container.id, None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something to its end, whoever waits for it or does no longer."""
        task = asyncio.ensure_future(work)
        self._works.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._works.discard(task)
        if not task.cancelled():
            task.exception()  # Whoever waited has been told; if nobody did, nobody needs to be.

    async def close(self) -> None:
        """Kill all of them, and wait until they have ended."""
        for container in self.all():
            with suppress(Conflict):
                await container.signal(signal.SIGKILL)
        while self._works:
            await asyncio.wait(set(self._works))
