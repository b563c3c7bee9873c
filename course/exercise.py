"""An exercise: one folder that holds the task, the checks and the wrong answers that they must catch.

A course is a folder of exercises; the one that comes with the project is only the default. Whatever is
wrong with a folder is an ExerciseError, one sentence for its author.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from builder.errors import BuildError
from course.kinds import KINDS

MODULES: Final = Path(__file__).parent / "modules"


class UnknownExerciseError(BuildError):
    """There is no exercise of this id in a course. ``known``: the ids that there are."""

    def __init__(self, exercise_id: str, known: Sequence[str], hint: str) -> None:
        self.known = tuple(known)
        super().__init__(f"no exercise {exercise_id!r}", fix=hint)


class ExerciseError(BuildError):
    """A folder that is no exercise as it stands; ``where`` is a file of it. For its author, not a learner."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A wrong answer kept on purpose: the group that must catch it, and the most it may score."""

    name: str
    group: str
    cap: int


@dataclass(frozen=True, slots=True)
class Group:
    """Checks that belong to one misconception: all their points or none.

    What ``preserves`` guards what a starter has already; it pays only if a group that improves passes too.
    """

    points: int
    preserves: bool = False


@dataclass(frozen=True)
class Exercise:
    """What exercise.toml says. ``groups``: by name, in the order of the lesson; ``after``: exercise ids.

    ``seconds``: for all calls of a submission together, or for all that a limited child does. ``weight``:
    what its points count for in the marks of a class. ``notebook``: shows what is asked here; "" for none.
    """

    folder: Path
    id: str
    slug: str
    kind: str
    module: str
    file: str
    function: str
    notebook: str
    generator: int
    seconds: float
    weight: float
    after: tuple[str, ...]
    groups: Mapping[str, Group]
    mutants: tuple[Mutant, ...]

    @classmethod
    def read(cls, folder: Path) -> Exercise:
        """The exercise in ``folder``; raises ExerciseError with what exercise.toml lacks."""
        said = _Said.read(folder / "exercise.toml")
        kind = said.text("kind")
        if kind not in KINDS:
            raise said.error(f"kind = {kind!r} is none of: {', '.join(KINDS)}")
        groups = {name: said.group(name, rule) for name, rule in said.table("groups").items()}
        if not groups:
            raise said.error("[groups] is empty: a group of checks has a name and points")
        mutants = tuple(said.mutant(name, rule, groups) for name, rule in said.table("mutants").items())
        found = cls(
            folder,
            id=said.text("id"),
            slug=said.text("slug"),
            kind=kind,
            module=said.text("module"),
            file=said.text("file", KINDS[kind].file),
            function=said.text("function", None if kind == "function" else ""),
            notebook=said.text("notebook", ""),
            generator=said.number("generator", 1),
            seconds=said.seconds(KINDS[kind].seconds),
            weight=said.weight(KINDS[kind].weight),
            after=said.texts("after"),
            groups=groups,
            mutants=mutants,
        )
        said.refuse_unknown()
        if Path(found.file).name != found.file or found.file in ("", ".."):
            raise said.error(f"file = {found.file!r} is not the name of a file")
        return found

    @property
    def points(self) -> int:
        """The points of a right answer."""
        return sum(group.points for group in self.groups.values())

    @property
    def answers_are_here(self) -> bool:
        """Whether reference and mutants lie in the folder: they are not in what learners install."""
        return self.part("reference") is not None

    def part(self, name: str) -> Path | None:
        """The file ``name`` with whatever suffix (``reference``, ``mutants/bottom_up``); None if absent."""
        beside = self.folder / name
        found = sorted(beside.parent.glob(f"{beside.name}.*"))
        return found[0] if found else None

    @property
    def given(self) -> Path:
        """The folder of files that a learner gets beside the starter; it need not exist."""
        return self.folder / "given"

    @cached_property
    def checks(self) -> ModuleType:
        """The exercise's own ``checks.py``."""
        return self.module_of(self.folder / "checks.py")

    @cached_property
    def made(self) -> dict[str, list[Any]]:
        """What its kind made of a seed: cases or questions, kept as long as the kind likes."""
        return {}

    def module_of(self, path: Path) -> ModuleType:
        """A Python file of this folder as a module; folders start with digits, so it is loaded by path."""
        if not path.is_file():
            raise ExerciseError("it is missing", where=str(path))
        name = f"exercise_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look for their module there
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # an author's file may do anything, and gets one sentence for it
            raise ExerciseError(f"it cannot be loaded: {of_error(error)}", where=str(path)) from error
        return module

    @property
    def version(self) -> str:
        """A digest of all files that decide about marks; texts, solutions and mutants do not."""
        found = hashlib.sha256()
        for path in self.deciding():
            content = path.read_bytes()
            if path.name == "exercise.toml":  # a mutant more changes nobody's marks
                tables = {name: said for name, said in read_toml(path).items() if name != "mutants"}
                content = json.dumps(tables, sort_keys=True, default=str).encode()
            found.update(f"{path.relative_to(self.folder).as_posix()}\0{len(content)}\0".encode() + content)
        return found.hexdigest()[:16]

    def deciding(self) -> list[Path]:
        """The files that decide about marks."""
        rest = ("README.", "text.", "reference.")
        return [
            path
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
            and not path.name.startswith(rest)
            and not {"mutants", "__pycache__"} & set(path.relative_to(self.folder).parts)
        ]

    def seed(self, learner_seed: str) -> str:
        """What all dice of this exercise are made from; the generator's version is part of it."""
        return hashlib.sha256(f"{self.id}/{self.generator}/{learner_seed}".encode()).hexdigest()

    def text(self, language: str) -> Mapping[str, object]:
        """Title, hints and a sentence for each group, in ``language`` (``en`` or ``zh``), read once."""
        if language not in self._texts:
            self._texts[language] = read_toml(self.folder / f"text.{language}.toml")
        return self._texts[language]

    @cached_property
    def _texts(self) -> dict[str, Mapping[str, object]]:
        return {}

    def readme(self, language: str) -> Path:
        """The page of the task."""
        return self.folder / f"README.{language}.md"


def of_error(error: BaseException) -> str:
    """An exception in a few words."""
    return f"{type(error).__name__}: {error}"[:300]


def read_toml(path: Path) -> Mapping[str, object]:
    """The tables of a TOML file; an ExerciseError if there is none or it is broken."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExerciseError("it is missing", where=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExerciseError(f"it is not TOML: {error}", where=str(path)) from None


@dataclass(slots=True)
class _Said:
    """An exercise.toml while it is read; remembers which keys were asked for."""

    path: Path
    tables: Mapping[str, object]
    asked: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, path: Path) -> _Said:
        return cls(path, read_toml(path))

    def error(self, what: str) -> ExerciseError:
        return ExerciseError(what, where=str(self.path))

    def _get(self, key: str, default: object) -> object:
        self.asked.add(key)
        found = self.tables.get(key, default)
        if found is None:
            raise self.error(f"the key {key!r} is missing")
        return found

    def text(self, key: str, default: str | None = None) -> str:
        found = self._get(key, default)
        if not isinstance(found, str):
            raise self.error(f"{key} should be a text, and is {found!r}")
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        found = self._get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise self.error(f"{key} should be a list of exercise ids, and is {found!r}")
        return tuple(found)

    def number(self, key: str, least: int) -> int:
        found = self._get(key, None)
        if type(found) is not int or found < least:
            raise self.error(f"{key} should be a number from {least} on, and is {found!r}")
        return found

    def seconds(self, default: float) -> float:
        found = self._get("seconds", default)
        if isinstance(found, bool) or not isinstance(found, (int, float)) or not 0 < found <= 60:
            raise self.error(f"seconds should be more than 0 and at most 60, and is {found!r}")
        return float(found)

    def weight(self, default: float) -> float:
        found = self._get("weight", default)
        if type(found) not in (int, float) or not 0 <= found <= 100:  # type: ignore[operator]  # a number
            raise self.error(f"weight should be from 0 to 100, and is {found!r}")
        return float(found)  # type: ignore[arg-type]  # a number

    def table(self, key: str) -> Mapping[str, object]:
        found = self._get(key, None)
        if not isinstance(found, dict):
            raise self.error(f"[{key}] should be a table, and is {found!r}")
        return found

    def group(self, name: str, rule: object) -> Group:
        if type(rule) is int and rule > 0:
            return Group(rule)
        match rule:
            case {"points": int(points), "preserves": bool(preserves), **rest} if points > 0 and not rest:
                return Group(points, preserves)
        raise self.error(
            f"the group {name!r} should be a number of points or {{ points = …, preserves = true }}"
        )

    def mutant(self, name: str, rule: object, groups: Mapping[str, Group]) -> Mutant:
        match rule:
            case {"group": str(group), "cap": int(cap), **rest} if not rest:
                if group in groups:
                    return Mutant(name, group, cap)
                raise self.error(f"the mutant {name!r} names the group {group!r}: {nearest(group, groups)}")
        raise self.error(f"the mutant {name!r} should be {{ group = …, cap = … }}, and is {rule!r}")

    def refuse_unknown(self) -> None:
        for key in self.tables.keys() - self.asked:
            raise self.error(f"there is no key {key!r}: {nearest(key, sorted(self.asked))}")


def nearest(word: str, known: Mapping[str, object] | Sequence[str]) -> str:
    """What was meant by ``word``, else what there is."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"


@dataclass(frozen=True, slots=True)
class Course:
    """A folder of exercises, at any depth."""

    folder: Path = MODULES

    @property
    def key(self) -> str:
        """What tells this course's exercises from another's with the same ids; "" for the project's own."""
        return "" if self.folder == MODULES else os.path.abspath(self.folder) + ":"

    def read(self) -> tuple[list[Exercise], list[ExerciseError]]:
        """The exercises in the order in which to take them, and what is wrong with folders that are none."""
        if not self.folder.is_dir():
            raise BuildError("no such folder of exercises", where=str(self.folder))
        found: dict[str, Exercise] = {}
        broken: list[ExerciseError] = []
        for toml in sorted(self.folder.rglob("exercise.toml")):
            try:
                exercise = Exercise.read(toml.parent)
            except ExerciseError as error:
                broken.append(error)
                continue
            if exercise.id in found:
                what = f"the id {exercise.id!r} is that of {found[exercise.id].folder} too"
                broken.append(ExerciseError(what, where=str(toml)))
                continue
            found[exercise.id] = exercise
        return list(_in_order(found)), broken

    def exercises(self) -> list[Exercise]:
        """The exercises that can be read, in the order in which to take them."""
        return self.read()[0]

    def find(self, exercise_id: str) -> Exercise:
        """The exercise called ``exercise_id``; an UnknownExerciseError names those that exist."""
        exercises, broken = self.read()
        for exercise in exercises:
            if exercise.id == exercise_id:
                return exercise
        known = [exercise.id for exercise in exercises]
        hint = nearest(exercise_id, known) if known else f"{self.folder} has none"
        if broken:
            hint += "".join(f"\n  {error}" for error in broken)
        raise UnknownExerciseError(exercise_id, known, hint)


def _in_order(exercises: Mapping[str, Exercise]) -> Iterator[Exercise]:
    """By number, and each after those that it builds on."""
    given: set[str] = set()
    waiting = sorted(exercises.values(), key=lambda exercise: _numbers(exercise.id))
    while waiting:
        ready = (e for e in waiting if all(before in given or before not in exercises for before in e.after))
        chosen = next(ready, waiting[0])  # a circle is for `verify` to tell
        waiting.remove(chosen)
        given.add(chosen.id)
        yield chosen


def _numbers(exercise_id: str) -> list[tuple[int, str]]:
    """A sort key: 1.10 comes after 1.9, 1.3K after 1.3, the capstone C after 10.1."""
    parts = [re.match(r"(\d*)(.*)", part) for part in exercise_id.split(".")]
    return [(int(part[1] or 1000), part[2]) for part in parts if part is not None]
