"""The packages have generic names, so each must be the one that this project installed."""

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["unionfs_sim", "builder", "course"])
def test_the_package_is_the_one_meant(name: str) -> None:
    module = import_module(name)

    assert module.__file__ is not None
    assert Path(module.__file__).parent.name == name
    assert (Path(module.__file__).parent / "__init__.py").read_text().startswith('"""')
