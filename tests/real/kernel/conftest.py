"""The two sides of the directed tests, and the package that all tests of this folder share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Under --import-mode=importlib a folder of tests is not on the path; Python puts it there for fuzz.py.
sys.path.insert(0, str(Path(__file__).parent))

from differential.bench import Bench, KernelBench


@pytest.fixture(scope="session")
def kernel_bench() -> Iterator[KernelBench]:
    bench = KernelBench()
    yield bench
    bench.stop()


@pytest.fixture(params=[pytest.param("kernel", marks=pytest.mark.kernel), "model"])
def union(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A bench on the kernel, then on the model: the same test runs on both."""
    if request.param == "kernel":
        bench = request.getfixturevalue("kernel_bench")
    else:
        from differential.model import ModelMachine

        bench = Bench(ModelMachine())
    yield bench
    bench.finish()
