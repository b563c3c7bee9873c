"""Our registry, served in this process on a port of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder.stores.layout import LayoutStore
from builder.transport.registry.server import RegistryServer
from builder.transport.registry.shelf import Shelf


@contextmanager
def served(directory: Path) -> Iterator[RegistryServer]:
    """A registry that keeps its images in ``directory``, for as long as the block lasts."""
    with LayoutStore(str(directory)) as store:
        server = RegistryServer(Shelf(store), scratch=str(directory))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def host(server: RegistryServer) -> str:
    """Its host and port."""
    return server.url.removeprefix("http://")
