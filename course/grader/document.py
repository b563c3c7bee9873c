"""What is handed in as JSON: read strictly, and only if it belongs to this exercise and this seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from course.grader.kind import RefusedError

if TYPE_CHECKING:
    from course.exercise import Exercise

DOCUMENT_BYTES: Final = 1 << 18


def opened(exercise: Exercise, submission: bytes, seed: str, key: str) -> object:
    """What the document says under ``key``; raises RefusedError if it is broken or another's."""
    if len(submission) > DOCUMENT_BYTES:
        raise RefusedError("too-large-document", f"{len(submission):,}")
    try:
        said = json.loads(submission, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedError("not-json", str(error)[:200]) from None
    if not isinstance(said, dict) or key not in said:
        raise RefusedError("not-a-document", key)
    if said.get("exercise") != exercise.id:
        raise RefusedError("other-exercise", str(said.get("exercise"))[:80])
    if said.get("seed") != seed:
        raise RefusedError("other-seed", str(said.get("seed"))[:80])
    found: object = said[key]
    return found


def written(exercise: Exercise, seed: str, key: str, value: object) -> bytes:
    """The document that says ``value`` under ``key``, for people to edit."""
    head = {"exercise": exercise.id, "seed": seed}
    lines = [f"  {json.dumps(name)}: {json.dumps(said)}" for name, said in head.items()]
    lines.append(f"  {json.dumps(key)}: {_laid_out(value)}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _laid_out(value: object) -> str:
    """A list or table with an entry a line, since a learner moves and changes entries."""
    if isinstance(value, dict) and value:
        return (
            "{\n" + ",\n".join(f"    {_text(name)}: {_text(said)}" for name, said in value.items()) + "\n  }"
        )
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return "[\n" + ",\n".join(f"    {_text(each)}" for each in value) + "\n  ]"
    return _text(value)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} stands there twice")
    return table


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number of JSON")
