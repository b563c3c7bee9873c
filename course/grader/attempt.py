"""A Dockerfile of a learner, built in memory for a judge to look at."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from builder.engine.stage import COMMENT
from builder.errors import BuildError
from builder.image.analysis import ImageTree
from course.check import Verdict, Wrong
from course.exercise import Exercise
from course.grader.authoring import asked_of
from course.laboratory import Built, Laboratory
from unionfs_sim import Union


@dataclass(frozen=True)
class Attempt:
    """A Dockerfile's text and what came out of building it."""

    text: str
    built: Built

    @cached_property
    def tree(self) -> ImageTree:
        """What its layers hold, hide and waste."""
        return self.built.tree()

    @cached_property
    def union(self) -> Union:
        """A container of it."""
        return self.built.union()

    @cached_property
    def paths(self) -> frozenset[str]:
        """All that a container sees."""
        return frozenset(record.path for record in self.tree.visible)

    @cached_property
    def base_layers(self) -> int:
        """How many of the layers, from the base up, came with the base image."""
        kept = [entry for entry in self.built.image.history if not entry.empty_layer]
        own = [number for number, entry in enumerate(kept) if entry.comment == COMMENT]
        return min(own, default=len(kept))

    def made_by(self, layer: int) -> str:
        """The instruction that made a layer, in one line."""
        line = self.built.made_by()[layer].removesuffix(" # buildkit").replace("/bin/sh -c ", "")
        return " ".join(line.split())

    def content(self, path: str) -> bytes | str | None:
        """What a container reads at ``path``: a file's bytes, a symlink's target, None for all else."""
        mode = self.union.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return self.union.readlink(path)
        return self.union.read_bytes(path) if stat.S_ISREG(mode) else None

    def line_of(self, words: str) -> str:
        """The first line of the Dockerfile that has ``words`` in it, as ``Dockerfile:3: …``; "" if none."""
        for number, line in enumerate(self.text.splitlines(), 1):
            if words in line:
                return f"Dockerfile:{number}: {line.strip()}"
        return ""


def build(exercise: Exercise, text: str) -> Attempt:
    """The attempt of ``text`` in the context that learners get; raises BuildError if it cannot be built."""
    files: Mapping[str, str] | Path = exercise.given if exercise.given.is_dir() else {}
    return Attempt(text, Laboratory().build(text, files))


def judged(exercise: Exercise, text: str, starter: str) -> list[Verdict]:
    """The verdicts of checks.py's ``judge(attempt, starter)``; all groups fail if it does not build."""
    first = asked_of(exercise, lambda: build(exercise, starter))
    try:
        attempt = build(exercise, text)
    except BuildError as error:
        wrong = Wrong(how="build", shown=str(error))
        return [Verdict(group, wrong) for group in exercise.groups]
    return asked_of(exercise, lambda: list(exercise.checks.judge(attempt, first)))
