"""An exercise: one folder that holds the task, the checks and the wrong answers that they must catch."""

from __future__ import annotations

import hashlib
import importlib.util
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Final

from builder.errors import BuildError
from course.check import Case

MODULES: Final = Path(__file__).parent / "modules"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A wrong answer kept on purpose: the group that must catch it, and the most it may score."""

    name: str
    path: Path
    group: str
    cap: int


@dataclass(frozen=True)
class Exercise:
    """What exercise.toml says. ``groups``: name → points, in the order of the lesson."""

    folder: Path
    id: str
    slug: str
    file: str
    function: str
    generator: int
    groups: Mapping[str, int]
    mutants: tuple[Mutant, ...]

    @classmethod
    def read(cls, folder: Path) -> Exercise:
        """The exercise in ``folder``."""
        said = tomllib.loads((folder / "exercise.toml").read_text(encoding="utf-8"))
        mutants = tuple(
            Mutant(name, folder / "mutants" / f"{name}.py", rule["group"], rule["cap"])
            for name, rule in said["mutants"].items()
        )
        return cls(
            folder,
            said["id"],
            said["slug"],
            said["file"],
            said["function"],
            said["generator"],
            said["groups"],
            mutants,
        )

    @property
    def points(self) -> int:
        """The points of a right answer."""
        return sum(self.groups.values())

    @property
    def starter(self) -> Path:
        """What a learner begins with."""
        return self.folder / "starter.py"

    @property
    def reference(self) -> Path:
        """What solves it; absent from what learners install."""
        return self.folder / "reference.py"

    @cached_property
    def checks(self) -> ModuleType:
        """The exercise's own ``checks.py``; folders start with digits, so it is loaded by path."""
        spec = importlib.util.spec_from_file_location(f"checks_{self.slug}", self.folder / "checks.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def cases(self, learner_seed: str) -> list[Case]:
        """All cases for a learner; the same seed gives the same cases for as long as the generator stays."""
        seed = hashlib.sha256(f"{self.id}/{self.generator}/{learner_seed}".encode()).hexdigest()
        return list(self.checks.cases(seed))

    def text(self, language: str) -> Mapping[str, object]:
        """Title, hints and a sentence for each group, in ``language`` (``en`` or ``zh``)."""
        return tomllib.loads((self.folder / f"text.{language}.toml").read_text(encoding="utf-8"))

    def readme(self, language: str) -> Path:
        """The page of the task."""
        return self.folder / f"README.{language}.md"


def exercises() -> Iterator[Exercise]:
    """All exercises, in the order of the course."""
    for toml in sorted(MODULES.glob("*/*/exercise.toml")):
        yield Exercise.read(toml.parent)


def find(exercise_id: str) -> Exercise:
    """The exercise called ``exercise_id``; a BuildError names those that exist."""
    every = {exercise.id: exercise for exercise in exercises()}
    if exercise_id not in every:
        raise BuildError(f"no exercise {exercise_id!r}", fix=f"there are: {', '.join(every)}")
    return every[exercise_id]
