"""The register of the kinds of exercises: a module each, loaded when an exercise of the kind is graded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class KindName:
    """What is known of a kind before it is loaded. ``seconds``: its budget for one submission.

    ``weight``: what its points count for in marks, unless an exercise or a teacher says otherwise.
    ``is_seeded``: whether a seed decides about anything that is asked or judged.
    """

    module: str
    file: str
    seconds: float
    weight: float = 1.0
    is_seeded: bool = True


KINDS: Final[Mapping[str, KindName]] = MappingProxyType(
    {
        "function": KindName("course.grader.kinds.function", "answer.py", 1.0),
        # Whoever has the checks can have them computed: predictions are for learning.
        "prediction": KindName("course.grader.kinds.prediction", "answers.json", 1.0, weight=0.0),
        "choice": KindName("course.grader.kinds.choice", "answers.json", 1.0),
        "layers": KindName("course.grader.kinds.layers", "plan.json", 1.0),
        "parsons": KindName("course.grader.kinds.parsons", "order.json", 20.0),
        "dockerfile": KindName("course.grader.kinds.dockerfile", "Dockerfile", 20.0, is_seeded=False),
        "yaml": KindName("course.grader.kinds.yaml", "answer.yaml", 20.0, is_seeded=False),
        "mutants": KindName("course.grader.kinds.mutants", "cases.json", 20.0, is_seeded=False),
    }
)
"""The register: the word in exercise.toml → where its grader is. Each module has ``kind``, a Kind."""
