"""A folder of results: one JSON a submission, and what was handed in beside it, to be graded again.

``RESULTS/ID/LEARNER.KEY.json`` and ``RESULTS/ID/submissions/DIGEST``. The key is a digest of what decides
about the marks, so a result that is there need not be made again. Files appear whole or not at all.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from builder.errors import BuildError
from course.catalogue import Catalogue
from course.check import Verdict, Wrong
from course.exercise import Exercise
from course.figures.picture import write_whole
from course.grader.grade import GroupResult, Result
from course.grader.kind import Isolation
from course.grader.limited import verdict_from, verdict_to
from course.grader.report import as_document

NAME_LENGTH: Final = 80
_RESULT: Final = re.compile(r"(?P<stem>.+)\.(?P<key>[0-9a-f]{16})\.json")


def digest_of(submission: bytes) -> str:
    """The name of what was handed in."""
    return hashlib.sha256(submission).hexdigest()


def key_of(exercise: Exercise, version: str, digest: str, seed: str) -> str:
    """A digest of what decides about the marks: the exercise, the grader, the submission and the seed.

    ``version``: that of the exercise.
    """
    said = "\0".join([exercise.id, version, importlib.metadata.version("layerlab"), digest, seed])
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def file_stem(name: str) -> str:
    """A file name that stands for any text, leads nowhere, and steers nothing.

    >>> file_stem("ada"), file_stem("../x"), file_stem("李")
    ('ada', '%2E%2E%2Fx', '%E6%9D%8E')
    """
    spelt = urllib.parse.quote(os.fsencode(name), safe="").replace(".", "%2E").replace("~", "%7E")
    if len(spelt) <= NAME_LENGTH:
        return spelt or "%"
    return f"{spelt[: NAME_LENGTH - 17]}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Graded:
    """A result as it was written: the schema of Exercism's test runners and what a class needs."""

    document: Mapping[str, Any]

    @classmethod
    def of(cls, result: Result, learner: str, digest: str, version: str) -> Graded:
        """The result of a learner's submission; messages are in English."""
        document = as_document(result, Catalogue.read("en"))
        tests = document["tests"]
        assert isinstance(tests, list)
        for test, group in zip(tests, result.groups, strict=True):
            test["wrong"] = verdict_to(Verdict(group.name, group.failure)).get("wrong")
        more = {
            "refused": list(result.refused) if result.refused else None,
            "learner": learner,
            "key": key_of(result.exercise, version, digest, result.seed),
            "submission": digest,
            "behaviour": result.behaviour,
            "exercise_version": version,
            "layerlab": importlib.metadata.version("layerlab"),
        }
        return cls(json.loads(json.dumps({**document, **more}, default=str)))

    @classmethod
    def read(cls, path: Path) -> Graded:
        """The result in a file; a BuildError if it is none."""
        try:
            document = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise BuildError(
                f"that is no result: {error}", where=str(path), fix="remove it, and grade again"
            ) from None
        except OSError as error:
            raise BuildError(f"cannot be read: {error.strerror}", where=str(path)) from None
        match document:
            case {
                "learner": str(),
                "key": str(),
                "exercise": str(),
                "seed": str(),
                "submission": str(),
                "behaviour": str(),
                "exercise_version": str(),
                "points": int(),
                "max_points": int(),
                "status": "pass" | "fail" | "error",
                "isolation": str(),
                "tests": list(tests),
            } if all(_is_test(test) for test in tests):
                return cls(document)
        raise BuildError("that is no result of a class", where=str(path), fix="remove it, and grade again")

    @property
    def learner(self) -> str:
        """Whose it is."""
        return str(self.document["learner"])

    @property
    def points(self) -> int:
        """The points scored."""
        return int(self.document["points"])

    @property
    def of_points(self) -> int:
        """The points of a right answer."""
        return int(self.document["max_points"])

    @property
    def tests(self) -> list[Mapping[str, Any]]:
        """The groups: ``name``, ``status``, ``message``, ``points``, ``max_points`` and ``wrong`` of each."""
        return list(self.document["tests"])

    @property
    def failed(self) -> tuple[str, ...]:
        """The groups that failed, in the order of the lesson."""
        return tuple(str(test["name"]) for test in self.tests if test["status"] != "pass")

    def result(self, exercise: Exercise) -> Result:
        """As it was when it was graded, to be told in another language; ``exercise`` has the texts."""
        groups = []
        for test in self.tests:
            wrong: Wrong | None = verdict_from({"group": test["name"], "wrong": test["wrong"]}).wrong
            passed = test["status"] == "pass"
            groups.append(GroupResult(test["name"], test["max_points"], passed, test["points"], wrong))
        refused = self.document.get("refused")
        return Result(
            exercise,
            self.document["seed"],
            Isolation(self.document["isolation"]),
            tuple(groups),
            (str(refused[0]), str(refused[1])) if refused else None,
            behaviour=self.document["behaviour"],
        )


def _is_test(test: object) -> bool:
    match test:
        case {
            "name": str(),
            "status": "pass" | "fail",
            "points": int(),
            "max_points": int(),
            "message": str() | None,
            "wrong": dict() | None,
        }:
            return True
    return False


@dataclass(slots=True)
class Results:
    """The results of one exercise in a folder of results; made when the first is written."""

    folder: Path
    exercise_id: str
    _names: dict[str, set[str]] = field(default_factory=dict)

    @property
    def place(self) -> Path:
        """Where they lie."""
        name = file_stem(self.exercise_id)
        return self.folder / (name if name.startswith("%2E") else name.replace("%2E", "."))

    def look(self) -> None:
        """Learn which results there are; ``has`` answers from that."""
        self._names.clear()
        for stem, key in self._files():
            self._names.setdefault(stem, set()).add(key)

    def has(self, learner: str, key: str) -> bool:
        """Whether this very result was there when we looked, or was written since."""
        return key in self._names.get(file_stem(learner), ())

    def write(self, graded: Graded, submission: bytes) -> None:
        """Write a result and what was handed in; an older one of the learner goes."""
        stem, key = file_stem(graded.learner), str(graded.document["key"])
        handed_in = self.submission_path(graded)
        try:
            handed_in.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BuildError(f"cannot write here: {error.strerror}", where=str(handed_in.parent)) from None
        if not handed_in.exists():
            write_whole(handed_in, submission)
        write_whole(self._path(stem, key), (json.dumps(graded.document, indent=2) + "\n").encode())
        for older in self._names.get(stem, set()) - {key}:
            self._path(stem, older).unlink(missing_ok=True)
        self._names[stem] = {key}

    def read(self) -> list[Graded]:
        """All results by learner, one each; of two, which a killed grader leaves, the newer."""
        newest: dict[str, Path] = {}
        for stem, key in self._files():
            path = self._path(stem, key)
            other = newest.get(stem)
            if other is None or path.stat().st_mtime_ns > other.stat().st_mtime_ns:
                newest[stem] = path
        return sorted(map(Graded.read, newest.values()), key=lambda graded: graded.learner)

    def submission_path(self, graded: Graded) -> Path:
        """The file that holds what was handed in."""
        return self.place / "submissions" / file_stem(str(graded.document["submission"]))

    def submission(self, graded: Graded) -> bytes:
        """What was handed in; a BuildError if it is not there any more, or another."""
        path = self.submission_path(graded)
        try:
            found = path.read_bytes()
        except OSError as error:
            raise BuildError(f"what was handed in is gone: {error.strerror}", where=str(path)) from None
        if digest_of(found) != graded.document["submission"]:
            raise BuildError("what was handed in was changed", where=str(path))
        return found

    def _path(self, stem: str, key: str) -> Path:
        return self.place / f"{stem}.{key}.json"

    def _files(self) -> Iterator[tuple[str, str]]:
        try:
            names = sorted(os.listdir(self.place))
        except FileNotFoundError:
            return
        except OSError as error:
            raise BuildError(f"cannot be read: {error.strerror}", where=str(self.place)) from None
        for name in names:
            found = _RESULT.fullmatch(name)
            if found is not None:
                yield found["stem"], found["key"]


def results_in(folder: Path, only: Iterable[str] = ()) -> list[Results]:
    """The exercises that a folder has results of; a BuildError if there is none."""
    wanted = set(only)
    found = []
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if place.is_dir() and any(_RESULT.fullmatch(name) for name in os.listdir(place)):
            exercise_id = urllib.parse.unquote(place.name, errors="surrogateescape")
            if not wanted or exercise_id in wanted:
                found.append(Results(folder, exercise_id))
    if not found:
        raise BuildError(
            "there are no results", where=str(folder), fix="layerlab learn grade ID DIR -o THIS_FOLDER"
        )
    return found
