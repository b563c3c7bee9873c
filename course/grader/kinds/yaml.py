"""YAML documents (a pod, a pipeline), judged in a limited child by what the exercise asks of them.

``checks.py`` has ``judge(documents, starter)``, which yields verdicts; both are Documents of
``builder.security.documents``, whose roots know their lines. ``place`` of this module spells a field as
people look for it: ``spec.containers[0].image``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builder.errors import ManifestError
from builder.security import documents
from builder.security.documents import Document
from course.check import Question, Verdict
from course.grader.authoring import asked_of, handed_in, required
from course.grader.kind import Conditions, Judgement, RefusedError
from course.grader.limited import judge_in_child

if TYPE_CHECKING:
    from course.exercise import Exercise

DOCUMENT_BYTES: Final = 1 << 18


class _YamlKind:
    suffix = ".yaml"

    def questions(self, exercise: Exercise, seed: str) -> Sequence[Question]:
        return ()

    def starter(self, exercise: Exercise, seed: str) -> bytes:
        return required(exercise, "starter").read_bytes()

    def submission(self, exercise: Exercise, part: Path | None, seed: str) -> bytes:
        return handed_in(exercise, part)

    def judge(self, exercise: Exercise, submission: bytes, seed: str, conditions: Conditions) -> Judgement:
        if len(submission) > DOCUMENT_BYTES:
            raise RefusedError("too-large-document", f"{len(submission):,}")
        return judge_in_child(exercise, submission, seed, conditions)

    def faults(self, exercise: Exercise, seed: str) -> Iterator[str]:
        return iter(())


kind: Final = _YamlKind()


def verdicts(exercise: Exercise, submission: bytes, seed: str) -> list[Verdict]:
    """What the child finds."""
    starter = read(required(exercise, "starter").read_bytes(), exercise.file)
    handed = read(submission, exercise.file)
    return asked_of(exercise, lambda: list(exercise.checks.judge(handed, starter)))


def read(submission: bytes, name: str) -> tuple[Document, ...]:
    """The documents of a YAML file, without the empty ones; refuses what is no plain tree of values."""
    try:
        return documents.read(submission, name)
    except ManifestError as error:
        raise RefusedError("not-yaml", " ".join(str(error).split())[:300]) from None


def place(*parts: str | int) -> str:
    """A field's place.

    >>> place("spec", "containers", 0, "image")
    'spec.containers[0].image'
    """
    spelt = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return spelt.removeprefix(".")
