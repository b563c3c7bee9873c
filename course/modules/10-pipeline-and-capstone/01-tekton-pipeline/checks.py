"""Exercise 10.1: the pipeline is checked, its pods are looked at, and it is played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from builder.security.documents import Document
from course.check import Verdict
from course.problems import pipelines
from course.problems.pipelines import Attempted

REPOSITORY = Path(__file__).parent / "given"


def judge(documents: Sequence[Document], starter: Sequence[Document]) -> Iterator[Verdict]:
    attempt = Attempted(tuple(documents), REPOSITORY)
    yield pipelines.wiring(attempt)
    yield pipelines.node(attempt)
    yield pipelines.builder(attempt)
    yield pipelines.credentials(attempt)
    yield pipelines.digest(attempt)
