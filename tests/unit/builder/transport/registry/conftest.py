"""Connections that a test opened are closed after it."""

from collections.abc import Iterator

import pytest
from registry_stub import OPENED


@pytest.fixture(autouse=True)
def _connections() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().http.close()
