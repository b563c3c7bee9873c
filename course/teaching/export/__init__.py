"""Marks and graders for other programs: a module a platform, loaded when it is named.

A *package* is what a teacher uploads so that the platform grades; *marks* are results of ours in its format.
Both are files by name. Neither has a solution or a mutant in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Final, Protocol

from builder.errors import BuildError
from course.exercise import Exercise
from course.teaching.results import Graded

PLATFORMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        name: f"course.teaching.export.{name}"
        for name in (
            "gradescope",
            "prairielearn",
            "nbgrader",
            "otter",
            "classroom50",
            "junit",
            "pytest_file",
            "kubernetes",
        )
    }
)
NAMES: Final = tuple(name.removesuffix("_file") for name in PLATFORMS)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a package is made with. ``shards`` and ``image``: of a cluster's job."""

    seed: str
    shards: int = 4
    image: str = "layerlab:latest"


class Platform(Protocol):
    """What a module of this room offers."""

    def package(self, exercise: Exercise, wishes: Wishes) -> Mapping[str, bytes]:
        """What the teacher uploads or runs."""
        ...

    def marks(self, exercise: Exercise, results: Sequence[Graded]) -> Mapping[str, bytes]:
        """Results that are known, as the platform writes or reads them."""
        ...


def platform(name: str) -> Platform:
    """The platform that is called so."""
    module = PLATFORMS.get(name) or PLATFORMS[f"{name}_file"]
    found: Platform = import_module(module).platform
    return found


def only(name: str, what: str) -> BuildError:
    """The error of a platform that has one of the two."""
    return BuildError(f"{name} has {what} only", fix='see docs/teaching.md, "Other platforms"')


def one_or_many(results: Sequence[Graded], documents: Sequence[bytes], name: str) -> dict[str, bytes]:
    """A document alone under ``name``; several in folders, one a learner."""
    from course.teaching.results import file_stem

    if len(documents) == 1:
        return {name: documents[0]}
    return {
        f"{file_stem(graded.learner)}/{name}": document
        for graded, document in zip(results, documents, strict=True)
    }
