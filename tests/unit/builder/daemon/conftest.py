"""One daemon for a module: its tests leave nothing behind that others would mind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon_served import Client, served


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with served(Path(tmp_path_factory.mktemp("d"))) as client:
        yield client
