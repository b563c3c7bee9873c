"""YAML documents (a pod, a pipeline), judged in a limited child by what the exercise asks of them.

``checks.py`` has ``judge(documents, starter)``, which yields verdicts; both are lists of documents as JSON
values. ``place`` of this module spells a field as people look for it: ``spec.containers[0].image``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from course.check import Question, Verdict
from course.grader.authoring import asked_of, handed_in, required
from course.grader.kind import Conditions, Judgement, RefusedError
from course.grader.kinds.dockerfile import decoded
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
    starter = documents(required(exercise, "starter").read_bytes())
    handed = documents(submission)
    return asked_of(exercise, lambda: list(exercise.checks.judge(handed, starter)))


def documents(submission: bytes) -> list[object]:
    """The documents of a YAML file, empty ones left out; refuses what is no YAML."""
    import yaml  # only exercises of this kind need it

    try:
        found = list(yaml.safe_load_all(decoded(submission)))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RefusedError("not-yaml", " ".join(str(error).split())[:300]) from None
    return [document for document in found if document is not None]


def place(*parts: str | int) -> str:
    """A field's place.

    >>> place("spec", "containers", 0, "image")
    'spec.containers[0].image'
    """
    spelt = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return spelt.removeprefix(".")
