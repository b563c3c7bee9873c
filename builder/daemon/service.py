"""What all requests to one daemon share: store, images, containers, events, and the way to registries."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from builder.daemon.containers.machinery import Machinery, settings_of
from builder.daemon.containers.register import Containers
from builder.daemon.events import EventLog
from builder.daemon.images import Images
from builder.daemon.threads import aside
from builder.stores.layout import LayoutStore
from builder.strategies.strategy import Strategy

if TYPE_CHECKING:
    from builder.transport.registry.credentials import Credentials
    from builder.transport.registry.repository import Registries


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """How a daemon works. ``proxies``: an environment that names them; ``mirrors``, ``insecure``: options.

    ``now_ns``: the time, in nanoseconds; ``token``: a new random name of 64 hex digits.
    """

    strategy: Strategy
    state_dir: Path
    version: str
    now_ns: Callable[[], int]
    token: Callable[[], str]
    mirrors: tuple[str, ...] = ()
    insecure: tuple[str, ...] = ()
    proxies: Mapping[str, str] = field(default_factory=dict)


class Service:
    """One daemon's inside; made in its loop."""

    def __init__(self, configuration: Configuration, store: LayoutStore) -> None:
        self.configuration = configuration
        self.store = store
        self.loop = asyncio.get_running_loop()
        self.events = EventLog(configuration.now_ns)
        self.images = Images(store, self.image_event)
        self.ending = threading.Event()
        machinery = Machinery(
            configuration.strategy,
            store,
            settings_of(configuration.state_dir, self.ending.is_set),
            self.ending.is_set,
        )
        self.containers = Containers(machinery, self.events, configuration.now_ns, configuration.token)

    @property
    def is_simulated(self) -> bool:
        """Whether commands are simulated."""
        return self.configuration.strategy is Strategy.SIMULATED

    @contextmanager
    def registries(self, keys: Mapping[str, Credentials]) -> Iterator[Registries]:
        """All registries, with the credentials that came with a request and no others."""
        from builder.transport.registry.credentials import Presented
        from builder.transport.registry.endpoint import Routes
        from builder.transport.registry.http import Proxies
        from builder.transport.registry.repository import Registries

        routes = Routes.parse(self.configuration.mirrors, self.configuration.insecure)
        proxies = Proxies.of(self.configuration.proxies)
        with Registries(routes, Presented(keys), proxies=proxies) as found:
            yield found

    def image_event(self, action: str, image: str, name: str) -> None:
        """Hear, from any thread, what happened to an image."""
        self.loop.call_soon_threadsafe(self.events.tell, "image", action, image, {"name": name})

    async def close(self) -> None:
        """End every container and let go of the tools."""
        await self.containers.close()
        self.ending.set()
        await aside(self.containers.machinery.close)
