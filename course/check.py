"""One question that a submission is asked, and the answer that is right. Both are JSON values."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """Call the submission with ``args``; it should answer ``expected``. ``group``: see exercise.toml."""

    group: str
    args: tuple[object, ...]
    expected: object

    @property
    def size(self) -> int:
        """How much there is to read in it: the smallest failing case is the one to show."""
        return len(json.dumps(self.args))


def same(answer: object, expected: object) -> bool:
    """Whether two JSON values are equal with their types: True is not 1, and 1.0 is not 1.

    >>> same(True, 1), same([1, "a"], [1, "a"])
    (False, True)
    """
    if type(answer) is not type(expected):
        return False
    if isinstance(answer, list) and isinstance(expected, list):
        return len(answer) == len(expected) and all(map(same, answer, expected))
    if isinstance(answer, dict) and isinstance(expected, dict):
        return answer.keys() == expected.keys() and all(same(answer[k], expected[k]) for k in answer)
    return answer == expected
