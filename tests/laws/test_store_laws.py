"""The stores of this project keep the laws of stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_laws import StoreLaws

from builder.stores.layout import LayoutStore
from builder.stores.memory import MemoryStore


class TestMemory(StoreLaws):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


class TestLayout(StoreLaws):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[LayoutStore]:
        with LayoutStore(str(tmp_path / "state")) as store:
            yield store
